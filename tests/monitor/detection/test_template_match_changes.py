from __future__ import annotations

import numpy as np
import pytest

from monitor.detection.template_match import ChangeDetector
from monitor.types import ImageBGR
from tests.helpers.drawn_spots import spots

HEIGHT, WIDTH, PARTS = 120, 960, 4
AREAS = np.array([(x, 0, x + 240, HEIGHT) for x in range(0, WIDTH, 240)], np.float32)
ROOM = spots(height=HEIGHT, width=WIDTH)
UNIFORM = np.full_like(ROOM, 90)


def replaced(parts: set[int], by: ImageBGR, image_bgr: ImageBGR = ROOM) -> ImageBGR:
    """The image with ``parts`` taken from ``by``."""
    changed = image_bgr.copy()
    for part in parts:
        changed[:, 240 * part : 240 * (part + 1)] = by[:, 240 * part : 240 * (part + 1)]
    return changed


OTHER = spots(seed=2, height=HEIGHT, width=WIDTH)


def scanned(image_bgr: ImageBGR = ROOM) -> ChangeDetector:
    """A detector after a scan of all areas."""
    changes = ChangeDetector(AREAS, WIDTH)
    assert changes.changed_areas(image_bgr).tolist() == list(range(PARTS)), "at first every area is new"
    changes.mark_scanned(np.arange(PARTS))
    return changes


@pytest.mark.parametrize(("gain", "more"), [(1.0, 0), (0.6, 10), (0.9, 25), (1.0, -20)])
def test_exposure_change_is_not_a_change(gain: float, more: int) -> None:
    after = np.clip(gain * ROOM.astype(float) + more, 0, 255).astype(np.uint8)
    assert scanned().changed_areas(after).tolist() == []


@pytest.mark.parametrize("parts", [{0}, {2}, {1, 3}])
def test_new_object_changes_areas_that_contain_it(parts: set[int]) -> None:
    assert scanned().changed_areas(replaced(parts, OTHER)).tolist() == sorted(parts)


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        (UNIFORM, UNIFORM + np.uint8(30), []),
        (UNIFORM, UNIFORM + np.arange(WIDTH, dtype=np.uint8)[None, :, None] % 5, []),
        (UNIFORM, replaced({1}, ROOM, UNIFORM), [1]),
        (replaced({1}, ROOM, UNIFORM), UNIFORM, [1]),
    ],
    ids=["lighter", "noisy", "object appears", "object disappears"],
)
def test_uniform_area_changes_when_object_appears_or_disappears(
    before: ImageBGR, now: ImageBGR, changed: list[int]
) -> None:
    assert scanned(before).changed_areas(now).tolist() == changed


def test_area_is_compared_with_its_last_scan() -> None:
    changes = scanned()
    assert changes.changed_areas(replaced({1, 2}, OTHER)).tolist() == [1, 2]
    changes.mark_scanned(np.array([1]))
    assert changes.changed_areas(replaced({1, 2}, OTHER)).tolist() == [2]
    assert changes.changed_areas(ROOM).tolist() == [1]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2000), (2000, 2), (3, 500), (300, 1)])
def test_tiny_frame_is_scanned_once(height: int, width: int) -> None:
    changes = ChangeDetector(np.array([(0, 0, width, height)], np.float32), width)
    frame = np.full((height, width, 3), 90, np.uint8)
    assert changes.changed_areas(frame).tolist() == [0]
    changes.mark_scanned(np.array([0]))
    assert changes.changed_areas(frame).tolist() == []
