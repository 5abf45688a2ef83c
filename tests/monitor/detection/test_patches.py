from __future__ import annotations

import numpy as np
import pytest

from monitor.detection.candidates import Candidates
from monitor.detection.patches import PATIENCE, Patch, find, remember
from monitor.domain import ImageBGR


def picture(seed: int = 1, height: int = 200, width: int = 300) -> ImageBGR:
    """Coarse spots: detail enough to tell one place from another, and none finer than a face's."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (height // 5, width // 5, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(5, axis=0).repeat(5, axis=1))


def face(x: float, y: float, side: float = 40.0) -> Candidates:
    box = np.array([[x, y, x + side, y + side]], np.float32)
    points = np.full((1, 6, 2), (x + side / 2, y + side / 2), np.float32)
    return Candidates(box, np.array([0.7], np.float32), points)


def shifted(image: ImageBGR, x: int, y: int) -> ImageBGR:
    return np.roll(image, (y, x), axis=(0, 1))


@pytest.mark.parametrize(("x", "y"), [(0, 0), (6, -3), (-12, 10)])
def test_a_face_that_looks_the_same_is_found_where_it_is_now(x: int, y: int) -> None:
    patch = remember(picture(), face(120, 80), seen=5)
    now = find(shifted(picture(), x, y), patch)
    assert now is not None
    np.testing.assert_allclose(now.face.boxes_xyxy[0], [120 + x, 80 + y, 160 + x, 120 + y], atol=1)
    np.testing.assert_allclose(now.face.keypoints[0, 0], [140 + x, 100 + y], atol=1)
    assert (now.seen, now.unseen) == (5, 1)
    assert now.face.scores[0] == np.float32(0.7)


def test_large_faces_are_compared_smaller_and_found_as_well() -> None:
    patch = remember(picture(height=600, width=900), face(300, 200, side=200), seen=5)
    assert max(patch.grey.shape) < 80
    now = find(shifted(picture(height=600, width=900), 20, 12), patch)
    assert now is not None
    np.testing.assert_allclose(now.face.boxes_xyxy[0, :2], [320, 212], atol=5)


def test_at_the_edge_of_the_frame_too() -> None:
    patch = remember(picture(), face(-4, 165), seen=5)
    now = find(picture(), patch)
    assert now is not None
    np.testing.assert_allclose(now.face.boxes_xyxy[0, :2], [-4, 165], atol=1)


def test_light_may_change_but_not_the_picture() -> None:
    patch = remember(picture(), face(120, 80), seen=5)
    dimmed = np.asarray(picture() * 0.6 + 20, np.uint8)
    assert find(dimmed, patch) is not None
    assert find(picture(seed=2), patch) is None


def test_who_has_moved_far_is_the_detector_s_business() -> None:
    patch = remember(picture(), face(120, 80), seen=5)
    assert find(shifted(picture(), 30, 0), patch) is None


def test_an_even_surface_is_like_nothing() -> None:
    even = np.full((200, 300, 3), 90, np.uint8)
    assert find(even, remember(even, face(120, 80), seen=5)) is None
    assert find(even, remember(picture(), face(120, 80), seen=5)) is None


def test_patience_ends_and_what_was_hardly_seen_has_little() -> None:
    def samples(seen: int) -> int:
        patch: Patch | None = remember(picture(), face(120, 80), seen)
        count = -1
        while patch is not None:
            patch, count = find(picture(), patch), count + 1
        return count

    assert [samples(1), samples(3), samples(1000)] == [1, 3, PATIENCE]


def test_a_face_outside_the_frame_has_no_patch() -> None:
    assert find(picture(), remember(picture(), face(500, 80), seen=5)) is None
