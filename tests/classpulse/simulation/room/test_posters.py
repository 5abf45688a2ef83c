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
from tests.helpers.rooms import painted_photograph

STILL = CameraSettings(drift=0, zoom=0, shake_px=0, exposure=0, noise=0)


def hall(posters: int, events: int = 0, camera: CameraSettings = STILL) -> SimulatedRoom:
    """A room with people at the bottom of a wide image and wall above them."""
    low = painted_photograph(4, 1280, 720)
    seated = Photograph(low.image_bgr, low.boxes_xyxy)
    return SimulatedRoom(seated, 60.0, events, seed=2, camera=camera, poster_count=posters)


def corners(poster: Poster) -> tuple[int, int, int, int]:
    x, y = poster.corner_xy
    return x, y, x + poster.image.shape[1], y + poster.image.shape[0]


@pytest.mark.parametrize("count", [1, 4, 7])
def test_place_posters_side_by_side_above_all_heads(count: int) -> None:
    placed = [corners(poster) for poster in place_posters(count, 1920, 400.0, seed=3)]
    assert len(placed) == count
    for (_, top, right, low), (left, *_) in zip(placed, [*placed[1:], (1920, 0, 0, 0)], strict=True):
        assert top >= 0
        assert low < 400
        assert right <= left


def test_place_posters_face_sizes_differ() -> None:
    placed = place_posters(5, 1920, 400.0, seed=3)
    widths = sorted(one.face_xyxy[2] - one.face_xyxy[0] for one in placed)
    assert FACE_PX[0] <= widths[0] < widths[-1] <= FACE_PX[1]
    assert np.diff(widths) == pytest.approx([9.0] * 4)
    assert len({one.image.shape for one in placed}) == 5
    for poster in placed:
        x1, y1, x2, y2 = corners(poster)
        left, top, right, low = poster.face_xyxy
        assert x1 < left < right < x2
        assert y1 < top < low < y2


def test_place_posters_is_reproducible() -> None:
    one, other = (place_posters(3, 1920, 400.0, seed=3) for _ in range(2))
    assert [poster.corner_xy for poster in one] == [poster.corner_xy for poster in other]
    assert [p.corner_xy for p in place_posters(3, 1920, 400.0, seed=4)] != [p.corner_xy for p in one]


@pytest.mark.parametrize(("count", "heads_y"), [(1, 60.0), (12, 400.0)])
def test_place_posters_without_room_raises(count: int, heads_y: float) -> None:
    with pytest.raises(SimulationError, match=rf"no room for {count} posters: only 800 x .* above all heads"):
        place_posters(count, 800, heads_y, seed=3)


def test_ground_truth_posters_are_distractors_not_students() -> None:
    simulated = hall(3)
    truth = simulated.ground_truth()
    assert len(truth.students) == 4
    assert [distractor.kind for distractor in truth.distractors] == ["poster"] * 3
    assert all(len(distractor.boxes_xyxy) == len(truth.times) for distractor in truth.distractors)
    assert SimulatedRoom(simulated.photograph, 60.0, 0, seed=2, camera=STILL).ground_truth().distractors == ()


def test_ground_truth_poster_boxes_match_a_detector() -> None:
    simulated = hall(3, camera=replace(STILL, drift=0.01, zoom=0.02))
    detector = load_detector(DetectionSettings(min_face_px=20))
    truth = simulated.ground_truth()
    for step in (0, 60):
        t_s = truth.times[step]
        found = detector.detect(
            simulated.simulated_camera.capture(simulated.scene.draw(t_s), t_s, round(t_s * simulated.fps))
        )
        for distractor in truth.distractors:
            x1, y1, x2, y2 = distractor.boxes_xyxy[step] or (0, 0, 0, 0)
            assert sum(x1 < x < x2 and y1 < y < y2 for x, y in (face.centre for face in found)) == 1


def test_posters_are_never_covered() -> None:
    simulated = hall(4, events=4)
    low = max(corners(poster)[3] for poster in simulated.scene.posters)
    assert low < min(simulated.scene.highest_head_y(t_s) for t_s in np.arange(0.0, 60.0, 0.5))
    posters = [corners(poster) for poster in simulated.scene.posters]
    first, later = simulated.scene.draw(0.0), simulated.scene.draw(30.0)
    for x1, y1, x2, y2 in posters:
        np.testing.assert_array_equal(first[y1:y2, x1:x2], later[y1:y2, x1:x2])
