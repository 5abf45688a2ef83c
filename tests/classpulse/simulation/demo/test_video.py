from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from classpulse.simulation.demo import video as video_module
from classpulse.simulation.demo.cast import CAST
from classpulse.simulation.demo.portrait import find_landmarks
from classpulse.simulation.demo.video import DEMO_LAYOUT, TILE_GAP_PX, DemoClass, write_demo_video
from classpulse.simulation.ground_truth import DemoError, SimulationError, read_ground_truth
from model.emotions import EMOTIONS
from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.factory import load_detector

SECONDS, FPS = 10.0, 2
ABSENT_STUDENT, TURNED_STUDENT = 3, 4


@pytest.fixture(scope="module")
def short_video(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoClass, list[float]]:
    """A short video, its class, and the reported progress."""
    path = tmp_path_factory.mktemp("demo") / "demo.mp4"
    shares: list[float] = []
    demo = write_demo_video(path, seconds=SECONDS, fps=FPS, progress=shares.append)
    return path, demo, shares


@pytest.fixture(scope="module")
def frames(short_video: tuple[Path, DemoClass, list[float]]) -> list[NDArray[np.uint8]]:
    return decode(short_video[0])


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector(DetectionSettings(min_face_px=80))


def decode(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [np.asarray(f.to_ndarray(format="bgr24"), np.uint8) for f in container.decode(video=0)]


def test_write_demo_video_format(short_video: tuple[Path, DemoClass, list[float]]) -> None:
    with av.open(str(short_video[0])) as container:
        stream = container.streams.video[0]
        times = [frame.time for frame in container.decode(stream)]
        assert (stream.width, stream.height) == (1280, 720)
        assert stream.average_rate == FPS
        assert stream.codec_context.name == "h264"
        assert container.duration == pytest.approx(SECONDS * av.time_base, rel=0.02)
    assert times == pytest.approx([n / FPS for n in range(round(SECONDS * FPS))], abs=1e-3)


def test_write_demo_video_progress(short_video: tuple[Path, DemoClass, list[float]]) -> None:
    shares = short_video[2]
    assert shares == pytest.approx([n / 20 for n in range(1, 21)])


def test_video_frames_match_the_renderer(
    short_video: tuple[Path, DemoClass, list[float]], frames: list[NDArray[np.uint8]]
) -> None:
    drawn = short_video[1].renderer.frame_at(0.0)
    assert np.abs(frames[0].astype(int) - drawn).mean() < 4
    assert frames[0][: TILE_GAP_PX - 2].max() < 60


def test_every_tile_moves(frames: list[NDArray[np.uint8]]) -> None:
    for index in range(len(CAST)):
        x1, y1, x2, y2 = DEMO_LAYOUT.tile_xyxy(index)
        assert np.abs(frames[0][y1:y2, x1:x2].astype(int) - frames[4][y1:y2, x1:x2]).mean() > 1.0


def test_write_demo_video_is_reproducible(tmp_path: Path) -> None:
    for name in ("one.mp4", "other.mp4"):
        write_demo_video(tmp_path / name, seconds=3.0, fps=2)
    one, other = decode(tmp_path / "one.mp4"), decode(tmp_path / "other.mp4")
    assert len(one) == len(other) == 6
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("t_s", [0.0, 4.8, 6.9])
def test_ground_truth_boxes_match_a_detector(
    short_video: tuple[Path, DemoClass, list[float]], detector: Detector, t_s: float
) -> None:
    demo = short_video[1]
    boxes = [sample.box_xyxy for sample in demo.ground_truth_at(t_s) if sample.box_xyxy is not None]
    centres = [face.centre for face in detector.detect(demo.renderer.frame_at(t_s))]
    assert len(centres) == len(boxes)
    for x1, y1, x2, y2 in boxes:
        assert sum(x1 < x < x2 and y1 < y < y2 for x, y in centres) == 1


def test_absent_student_has_an_empty_tile(
    short_video: tuple[Path, DemoClass, list[float]], detector: Detector
) -> None:
    demo = short_video[1]
    sample = demo.ground_truth_at(5.5)[ABSENT_STUDENT]
    assert (sample.present, sample.settled, sample.box_xyxy, sample.resembles) == (False, True, None, None)
    x1, y1, x2, y2 = DEMO_LAYOUT.tile_xyxy(ABSENT_STUDENT)
    tile = np.ascontiguousarray(demo.renderer.frame_at(5.5)[y1:y2, x1:x2])
    assert detector.detect(tile) == []
    eyes = np.array([[170, 150], [250, 150]], np.float32)
    with pytest.raises(DemoError, match="No face mesh"):
        find_landmarks(tile, (130.0, 90.0, 290.0, 260.0), eyes)


def test_ground_truth_turned_student_is_not_facing(short_video: tuple[Path, DemoClass, list[float]]) -> None:
    left, right = (short_video[1].ground_truth_at(t_s)[TURNED_STUDENT] for t_s in (4.0, 7.5))
    assert (left.facing, right.facing) == (False, False)
    assert left.yaw_deg is not None
    assert right.yaw_deg is not None
    assert left.yaw_deg > 45 > -45 > right.yaw_deg
    assert all(sample.facing for sample in short_video[1].ground_truth_at(0.0))


def test_write_ground_truth_document(
    short_video: tuple[Path, DemoClass, list[float]], tmp_path: Path
) -> None:
    short_video[1].write_ground_truth(tmp_path / "truth.json", step_s=0.5)
    document = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert {key: document[key] for key in ("version", "length_s", "fps", "width", "height", "step_s")} == {
        "version": 3,
        "length_s": SECONDS,
        "fps": FPS,
        "width": 1280,
        "height": 720,
        "step_s": 0.5,
    }
    assert [student["seat"] for student in document["students"]] == [f"Seat {n}" for n in range(1, 7)]
    for number, student in enumerate(document["students"]):
        assert student["student"] == number
        assert tuple(student["seat_xyxy"]) == DEMO_LAYOUT.tile_xyxy(number)
        assert [sample["t_s"] for sample in student["samples"]] == [n / 2 for n in range(20)]
        for sample in student["samples"]:
            check_sample(sample, DEMO_LAYOUT.tile_xyxy(number))


def check_sample(sample: dict[str, Any], tile: tuple[int, int, int, int]) -> None:
    assert set(sample) == {
        "t_s",
        "present",
        "visible",
        "settled",
        "expression",
        "resembles",
        "facing",
        "yaw_deg",
        "pitch_deg",
        "box_xyxy",
    }
    if not sample["present"]:
        unknown = ("expression", "resembles", "facing", "yaw_deg", "pitch_deg", "box_xyxy")
        assert all(sample[key] is None for key in unknown)
        return
    x1, y1, x2, y2 = sample["box_xyxy"]
    assert tile[0] <= x1 < x2 <= tile[2]
    assert tile[1] <= y1 < y2 <= tile[3]
    assert sample["resembles"] in EMOTIONS
    assert sample["facing"] == (abs(sample["yaw_deg"]) < 20)


def test_ground_truth_absence_event() -> None:
    (absence,) = DemoClass().ground_truth().events
    assert (absence.kind, absence.students) == ("leave", (ABSENT_STUDENT,))
    line = DemoClass().ground_truth().students[ABSENT_STUDENT].samples
    away = [one.t_s for one in line if not (one.present and one.settled)]
    around = [one.t_s for one in line if absence.start_s <= one.t_s <= absence.end_s]
    assert set(around) - set(away) == set()
    assert 0.35 < (absence.end_s - absence.start_s) / 75.0 < 0.4


def test_ground_truth_round_trip(short_video: tuple[Path, DemoClass, list[float]], tmp_path: Path) -> None:
    short_video[1].write_ground_truth(tmp_path / "truth.json")
    assert read_ground_truth(tmp_path / "truth.json") == short_video[1].ground_truth()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seconds": 1.0}, "1 s is too short"),
        ({"fps": 0}, "0 frames per second are out of range"),
    ],
)
def test_write_demo_video_argument_out_of_range_raises(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(DemoError, match=message):
        write_demo_video(tmp_path / "demo.mp4", **arguments)


def test_demo_class_too_many_students_raises() -> None:
    with pytest.raises(DemoError, match="7 students do not fit into 6 tiles"):
        DemoClass(students=(*CAST, CAST[0]))


def test_write_demo_video_missing_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"cannot be written to .*nowhere"):
        write_demo_video(tmp_path / "nowhere" / "demo.mp4", seconds=2.0, fps=1)


def test_write_demo_video_interrupted_leaves_no_file(tmp_path: Path) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo_video(tmp_path / "demo.mp4", seconds=2.0, fps=1, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_write_demo_video_without_x264_uses_mpeg4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    write_demo_video(tmp_path / "demo.mp4", seconds=2.0, fps=2)
    with av.open(str(tmp_path / "demo.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
        assert sum(1 for _ in container.decode(video=0)) == 4


def test_write_demo_video_without_encoder_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", set())
    with pytest.raises(SimulationError, match="none of the encoders libx264, mpeg4"):
        write_demo_video(tmp_path / "demo.mp4", seconds=2.0, fps=2)
    assert list(tmp_path.iterdir()) == []


def test_demo_class_default_length() -> None:
    assert video_module.DemoClass().video_format.frames == 750
