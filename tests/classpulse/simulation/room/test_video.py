from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from classpulse.simulation.ground_truth import GroundTruth, GroundTruthSample
from classpulse.simulation.room.camera import CameraSettings, SimulatedCamera, project_box
from classpulse.simulation.room.events import RoomEvent, RoomEventKind
from classpulse.simulation.room.people import cut_out_people, remove_people
from classpulse.simulation.room.scene import HIDDEN_SHARE
from classpulse.simulation.room.video import SimulatedRoom, write_room_video
from tests.helpers.rooms import painted_photograph

STILL = CameraSettings(drift=0, zoom=0, shake_px=0, exposure=0, noise=0)


def room(*events: RoomEvent, camera: CameraSettings = STILL, seconds: float = 60.0) -> SimulatedRoom:
    """A room with exactly these events."""
    simulated = SimulatedRoom(painted_photograph(), seconds, 0, seed=2, camera=camera)
    simulated.__dict__["scene_events"] = events
    return simulated


def at(truth: GroundTruth, student: int, t_s: float) -> GroundTruthSample:
    return next(sample for sample in truth.students[student].samples if sample.t_s == t_s)


def test_remove_people_empties_the_room() -> None:
    photograph = painted_photograph()
    empty = remove_people(photograph).astype(int)
    for x1, y1, x2, y2 in photograph.boxes_xyxy.round().astype(int):
        before = photograph.image_bgr[y1:y2, x1:x2].astype(int)
        assert np.abs(before - 120).mean() > 30
        assert np.abs(empty[y1:y2, x1:x2] - 120).mean() < 10


def test_cut_out_people_has_soft_edges() -> None:
    photograph = painted_photograph()
    for cutout in cut_out_people(photograph):
        alpha = cutout.image[..., 3]
        x, y = (round(value) for value in cutout.centre_xy)
        assert alpha[y, x] == 255
        assert alpha[0, 0] == 0
        assert ((alpha > 0) & (alpha < 255)).any()
        assert (cutout.image[..., :3] <= alpha[..., None]).all(), "colours are multiplied by alpha"


def test_simulated_room_is_reproducible() -> None:
    one, other = (SimulatedRoom(painted_photograph(), 90.0, 5, seed=4) for _ in range(2))
    assert one.ground_truth() == other.ground_truth()
    for _, first, second in zip(range(3), one.frames(), other.frames(), strict=False):
        np.testing.assert_array_equal(first, second)
    assert SimulatedRoom(painted_photograph(), 90.0, 5, seed=5).ground_truth() != one.ground_truth()


def test_ground_truth_boxes_match_the_frames() -> None:
    simulated = room(camera=replace(STILL, drift=0.01, zoom=0.02))
    truth = simulated.ground_truth()
    for t_s in (0.0, 20.0, 50.0):
        picture = simulated.simulated_camera.capture(
            simulated.scene.draw(t_s), t_s, round(t_s * simulated.fps)
        )
        for student in range(4):
            x1, y1, x2, y2 = at(truth, student, t_s).box_xyxy or (0, 0, 0, 0)
            skin = cv2.inRange(picture, (60, 110, 180), (110, 190, 220))
            ys, xs = np.nonzero(skin[:, round(x1) - 20 : round(x2) + 20])
            assert xs.mean() + round(x1) - 20 == pytest.approx((x1 + x2) / 2, abs=2)
            assert ys.mean() == pytest.approx((y1 + y2) / 2, abs=2)
            assert np.ptp(xs) == pytest.approx(x2 - x1, abs=4)


def test_ground_truth_absent_student_is_not_drawn() -> None:
    simulated = room(RoomEvent(RoomEventKind.LEAVE, 10.0, 50.0, (1,)))
    truth = simulated.ground_truth()
    assert not at(truth, 1, 30.0).present
    box = at(truth, 1, 0.0).box_xyxy
    assert box is not None
    x1, y1, x2, y2 = (round(value) for value in box)
    seats = [
        simulated.simulated_camera.capture(simulated.scene.draw(t), t, 0)[y1:y2, x1:x2].astype(int)
        for t in (0.0, 30.0)
    ]
    assert np.abs(seats[0] - 120).mean() > 30
    assert np.abs(seats[1] - 120).mean() < 10
    walking = at(truth, 1, 12.0)
    assert walking.present
    assert not walking.settled


@pytest.mark.parametrize("kind", [RoomEventKind.BOW, RoomEventKind.HIDE])
def test_ground_truth_hidden_face_is_present_but_not_visible(kind: RoomEventKind) -> None:
    simulated = room(RoomEvent(kind, 10.0, 20.0, (2,)))
    hidden = at(simulated.ground_truth(), 2, 15.0)
    assert (hidden.present, hidden.visible, hidden.settled) == (True, False, True)
    assert at(simulated.ground_truth(), 2, 9.0).visible
    assert at(simulated.ground_truth(), 2, 21.0).visible
    assert hidden.facing is (False if kind is RoomEventKind.BOW else None)
    x, y = (round(value) for value in simulated.scene.photograph.boxes_xyxy[2].reshape(2, 2).mean(axis=0))
    before, during = (simulated.scene.draw(t)[y - 8 : y + 8, x - 8 : x + 8].astype(int) for t in (0.0, 15.0))
    assert np.abs(before - during).mean() > 20


def test_ground_truth_pass_hides_each_face_briefly() -> None:
    simulated = room(RoomEvent(RoomEventKind.PASS, 10.0, 20.0, (0,)))
    truth = simulated.ground_truth(step_s=0.1)
    hidden = {
        student: [sample.t_s for sample in truth.students[student].samples if not sample.visible]
        for student in range(4)
    }
    starts = [times[0] for times in hidden.values()]
    assert starts == sorted(starts)
    assert all(10.0 < times[0] <= times[-1] < 20.0 for times in hidden.values())
    places = {place.person: place for place in simulated.scene.people_at(hidden[1][0])}
    assert places[1].hidden_share >= HIDDEN_SHARE
    assert [student for student, place in places.items() if place.hidden_share >= HIDDEN_SHARE] == [1]


def test_ground_truth_visitor_is_another_student() -> None:
    simulated = SimulatedRoom(painted_photograph(), 240.0, 0, seed=2, camera=STILL)
    simulated.__dict__["scene_events"] = (RoomEvent(RoomEventKind.VISIT, 20.0, 140.0, (0,), visitor=0),)
    truth = simulated.ground_truth()
    assert [line.seat for line in truth.students] == ["Seat 1", "Seat 2", "Seat 3", "Seat 4", "Visitor 1"]
    assert truth.students[4].seat_xyxy is None
    assert at(truth, 4, 80.0).visible
    assert not at(truth, 0, 80.0).present
    assert truth.events[0].students == (0, 4)


def test_camera_knock_is_permanent() -> None:
    lens = SimulatedCamera(replace(STILL, knock_at_s=10.0), 640, 360, seed=1)
    before, after, later = (project_box(lens.matrix_at(t, 0), (10, 10, 20, 20)) for t in (9.9, 10.0, 50.0))
    assert after[0] - before[0] == pytest.approx(0.06 * 640, abs=0.1)
    assert later[0] == pytest.approx(after[0], abs=0.1)


def test_camera_exposure_and_noise_change_the_frame() -> None:
    grey = np.full((360, 640, 3), 120, np.uint8)
    noisy = SimulatedCamera(replace(STILL, noise=3.0), 640, 360, seed=1)
    first, second = (noisy.capture(grey, 0.0, frame).astype(int) for frame in (0, 1))
    assert 2 < np.std(first) < 4
    assert (first != second).any()
    bright = SimulatedCamera(replace(STILL, exposure=0.2), 640, 360, seed=1)
    means = [bright.capture(grey, t, 0).mean() for t in np.arange(0, 120, 5)]
    assert max(means) - min(means) > 10


def test_write_room_video_format(tmp_path: Path) -> None:
    simulated = SimulatedRoom(painted_photograph(), 20.0, 0, seed=1, fps=2)
    shares: list[float] = []
    write_room_video(tmp_path / "room.mp4", simulated, shares.append)
    with av.open(str(tmp_path / "room.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (640, 360)
        assert sum(1 for _ in container.decode(stream)) == 40
    assert shares[-1] == 1.0
    truth = simulated.ground_truth()
    assert (truth.width, truth.height, truth.fps) == (640, 360, 2)
    assert len(truth.students[0].samples) == 40
