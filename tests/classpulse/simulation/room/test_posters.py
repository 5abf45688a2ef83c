from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classpulse.simulation.ground_truth import SimulationError
from classpulse.simulation.room.camera import CameraSettings
from classpulse.simulation.room.photo import Photograph
from classpulse.simulation.room.posters import FACE_PX, Poster, place_posters
from classpulse.simulation.room.video import SimulatedRoom
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from tests.helpers.rooms import painted

STILL = CameraSettings(drift=0, zoom=0, shake_px=0, exposure=0, noise=0)


def hall(posters: int, events: int = 0, camera: CameraSettings = STILL) -> SimulatedRoom:
    """People low in a wide picture, with wall above them."""
    low = painted(4, 1280, 720)
    seated = Photograph(low.image_bgr, low.boxes_xyxy)
    return SimulatedRoom(seated, 60.0, events, seed=2, camera=camera, poster_count=posters)


def corners(poster: Poster) -> tuple[int, int, int, int]:
    x, y = poster.corner_xy
    return x, y, x + poster.image.shape[1], y + poster.image.shape[0]


@pytest.mark.parametrize("count", [1, 4, 7])
def test_posters_hang_side_by_side_above_all_heads(count: int) -> None:
    hung = [corners(poster) for poster in place_posters(count, 1920, 400.0, seed=3)]
    assert len(hung) == count
    for (_, top, right, low), (left, *_) in zip(hung, [*hung[1:], (1920, 0, 0, 0)], strict=True):
        assert top >= 0
        assert low < 400
        assert right <= left


def test_faces_on_posters_are_of_every_size_and_no_two_alike() -> None:
    hung = place_posters(5, 1920, 400.0, seed=3)
    widths = sorted(one.face_xyxy[2] - one.face_xyxy[0] for one in hung)
    assert FACE_PX[0] <= widths[0] < widths[-1] <= FACE_PX[1]
    assert np.diff(widths) == pytest.approx([9.0] * 4)
    assert len({one.image.shape for one in hung}) == 5
    for poster in hung:
        x1, y1, x2, y2 = corners(poster)
        left, top, right, low = poster.face_xyxy
        assert x1 < left < right < x2
        assert y1 < top < low < y2


def test_the_same_seed_hangs_the_same_posters() -> None:
    one, other = (place_posters(3, 1920, 400.0, seed=3) for _ in range(2))
    assert [poster.corner_xy for poster in one] == [poster.corner_xy for poster in other]
    assert [p.corner_xy for p in place_posters(3, 1920, 400.0, seed=4)] != [p.corner_xy for p in one]


@pytest.mark.parametrize(("count", "heads_y"), [(1, 60.0), (12, 400.0)])
def test_posters_without_a_wall_are_refused(count: int, heads_y: float) -> None:
    with pytest.raises(SimulationError, match=rf"posters \({count}\): 800 x .* above all heads; expected"):
        place_posters(count, 800, heads_y, seed=3)


def test_a_poster_is_a_thing_and_nobody() -> None:
    made = hall(3)
    truth = made.ground_truth()
    assert len(truth.students) == 4
    assert [thing.kind for thing in truth.distractors] == ["poster"] * 3
    assert all(len(thing.boxes_xyxy) == len(truth.times) for thing in truth.distractors)
    assert SimulatedRoom(made.photograph, 60.0, 0, seed=2, camera=STILL).ground_truth().distractors == ()


def test_the_truth_has_the_faces_where_a_detector_finds_them() -> None:
    made = hall(3, camera=replace(STILL, drift=0.01, zoom=0.02))
    detector = load_detector(DetectionSettings(min_face_px=20))
    truth = made.ground_truth()
    for step in (0, 60):
        t_s = truth.times[step]
        found = detector.detect(
            made.simulated_camera.capture(made.scene.draw(t_s), t_s, round(t_s * made.fps))
        )
        for thing in truth.distractors:
            x1, y1, x2, y2 = thing.boxes_xyxy[step] or (0, 0, 0, 0)
            assert sum(x1 < x < x2 and y1 < y < y2 for x, y in (face.centre for face in found)) == 1


def test_nobody_walks_in_front_of_a_poster() -> None:
    made = hall(4, events=4)
    low = max(corners(poster)[3] for poster in made.scene.posters)
    assert low < min(made.scene.highest_head_y(t_s) for t_s in np.arange(0.0, 60.0, 0.5))
    posters = [corners(poster) for poster in made.scene.posters]
    first, later = made.scene.draw(0.0), made.scene.draw(30.0)
    for x1, y1, x2, y2 in posters:
        np.testing.assert_array_equal(first[y1:y2, x1:x2], later[y1:y2, x1:x2])
