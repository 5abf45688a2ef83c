from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from classpulse.simulation.demo.cast import DemoStudent
from classpulse.simulation.demo.poses import Expression
from classpulse.simulation.demo.video import DemoClass, write_demo_class_video
from classpulse.simulation.ground_truth import FACING_YAW_DEG, DemoError, GroundTruthSample
from classpulse.simulation.video_call import (
    ABSENCE_S,
    LOOKING_DOWN_PITCH_DEG,
    SEGMENT_S,
    CallSettings,
    build_call,
)
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector


def call(seats: int, length_s: float = 600.0, **more: int) -> DemoClass:
    return build_call(CallSettings(seats, length_s, **more))


def lengths_s(student: DemoStudent, length_s: float) -> list[float]:
    starts = [segment.start * length_s for segment in student.segments]
    return [end - start for start, end in pairwise(starts)]


def test_build_call_scripts_depend_on_seed_and_seat_only() -> None:
    assert call(6).students == call(60).students[:6]
    assert call(6).students == call(6).students
    assert call(6, seed=1).students != call(6).students
    for short, long in zip(call(6, 60.0).students, call(6).students, strict=True):
        assert short.appearance == long.appearance
        starts = [
            [segment.start * length_s for segment in line.segments]
            for line, length_s in ((short, 60.0), (long, 600.0))
        ]
        assert starts[0] == pytest.approx(starts[1][: len(starts[0])])


def test_build_call_uses_every_action() -> None:
    segments = [segment for student in call(24).students for segment in student.segments]
    assert {segment.expression for segment in segments} == set(Expression)
    assert {np.sign(segment.yaw_deg) for segment in segments} == {-1.0, 0.0, 1.0}
    assert {segment.pitch_deg for segment in segments} == {0.0, LOOKING_DOWN_PITCH_DEG}
    assert {segment.present for segment in segments} == {True, False}


def test_build_call_starts_present_and_never_repeats() -> None:
    for student in call(24).students:
        assert student.segments[0].present
        acts = [
            (segment.expression, segment.yaw_deg, segment.pitch_deg, segment.present)
            for segment in student.segments
        ]
        assert all(one != other for one, other in pairwise(acts))


def test_build_call_segments_cover_a_bin() -> None:
    lasting = [seconds for student in call(24).students for seconds in lengths_s(student, 600.0)]
    assert min(lasting) >= SEGMENT_S[0] - 1e-6
    usual = [seconds for seat in (0, 1, 2) for seconds in lengths_s(call(3).students[seat], 600.0)]
    assert max(usual) <= ABSENCE_S[1] + 1e-6


@pytest.mark.parametrize("length_s", [20.0, 60.0, 600.0])
def test_build_call_every_sixth_student_is_mostly_downcast(length_s: float) -> None:
    demo_class = call(24, length_s)
    assert [student.should_be_flagged for student in demo_class.students][5::6] == [True] * 4
    for student in demo_class.ground_truth(step_s=1.0).students:
        downcast = np.mean([sample.expression == Expression.DOWNCAST.value for sample in student.samples])
        assert student.expected_flag == (downcast > 0.5), student.seat


def samples(demo_class: DemoClass) -> list[GroundTruthSample]:
    return [sample for student in demo_class.ground_truth().students for sample in student.samples]


def test_ground_truth_head_poses_and_unknown_values() -> None:
    settled = [sample for sample in samples(call(12, 120.0)) if sample.present and sample.settled]
    bowed = [one for one in settled if (one.pitch_deg or 0.0) < -FACING_YAW_DEG]
    turned = [one for one in settled if one.facing is False]
    assert bowed
    assert all((one.facing, one.resembles) == (None, None) for one in bowed)
    assert turned
    assert all(abs(one.yaw_deg or 0.0) > 45 for one in turned)
    assert all(one.resembles for one in settled if one not in bowed)


@pytest.mark.parametrize("seats", [1, 9, 40])
def test_ground_truth_boxes_match_a_detector(seats: int) -> None:
    demo_class = call(seats, 20.0, width=1280, height=720)
    boxes = [one.box_xyxy for one in demo_class.ground_truth_at(0.0) if one.box_xyxy is not None]
    faces = load_detector(DetectionSettings(min_face_px=24)).detect(demo_class.renderer.frame_at(0.0))
    assert len(boxes) == seats
    assert 0.95 * seats <= len(faces) <= seats, "one of 40 faces is turned away and not found"
    for x, y in (face.centre for face in faces):
        assert sum(x1 < x < x2 and y1 < y < y2 for x1, y1, x2, y2 in boxes) == 1


def test_absent_student_is_not_drawn() -> None:
    demo_class = call(12, 120.0, width=640, height=480)
    times = np.arange(0.0, 120.0, 1.0)
    leaver, t_s = next(
        (seat, float(t))
        for t in times
        for seat, one in enumerate(demo_class.ground_truth_at(float(t)))
        if not one.present and one.settled
    )
    x1, y1, x2, y2 = demo_class.layout.tile_xyxy(leaver)
    here, gone = (demo_class.renderer.frame_at(t)[y1 + 8 : y2 - 30, x1:x2].astype(int) for t in (0.0, t_s))
    middle = slice((x2 - x1) // 3, 2 * (x2 - x1) // 3)
    assert np.abs(here[:, middle] - gone[:, middle]).mean() > 20
    later = demo_class.renderer.frame_at(t_s + 0.2)[y1 + 8 : y2 - 30, x1:x2].astype(int)
    assert np.abs(gone - later).mean() < 3


def test_write_demo_class_video_is_reproducible(tmp_path: Path) -> None:
    paths = [tmp_path / "one.mp4", tmp_path / "other.mp4"]
    for path in paths:
        write_demo_class_video(path, call(5, 10.0, seed=3, fps=2, width=640, height=480))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_build_call_too_many_seats_raises() -> None:
    with pytest.raises(DemoError, match="71 x 36 pixels") as caught:
        call(60, width=640, height=360)
    assert "fewer seats" in caught.value.hint
