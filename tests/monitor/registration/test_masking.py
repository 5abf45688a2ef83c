from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.geometry import box_corners, identity
from monitor.imaging import MASK_GREY
from monitor.registration.masking import SeatMasker
from monitor.seating.seat_plan import masked_area
from tests.helpers.halls import HEIGHT, SEATS, WIDTH, camera, hall, people_in, seen


def masker_of(*labels: str) -> SeatMasker:
    return SeatMasker([box_corners(masked_area(SEATS[label])) for label in labels])


@pytest.mark.parametrize(
    "matrix", [camera(), camera(30, -12), camera(-50, 20, zoom=1.2), camera(10, 4, zoom=0.8)]
)
def test_masked_people_are_gone_and_others_stay(matrix) -> None:
    image = seen(matrix, hall(SEATS))
    masked = masker_of("A1", "B2").mask(image, cv2.invertAffineTransform(matrix))
    left = people_in(seen(matrix, hall({label: SEATS[label] for label in ("A2", "B1")})))
    np.testing.assert_array_equal(people_in(masked), left)
    assert people_in(image).sum() > 1.8 * left.sum(), "four people were there"


def test_mask_copies_the_image_and_fills_the_area() -> None:
    image = hall(SEATS)
    before = image.copy()
    masked = masker_of("A1").mask(image, identity())
    np.testing.assert_array_equal(image, before)
    x1, y1, x2, y2 = (round(edge) for edge in masked_area(SEATS["A1"]))
    assert (masked[y1 : y2 + 1, x1 : x2 + 1] == MASK_GREY).all()
    changed = (masked != image).any(axis=2)
    changed[y1 : y2 + 1, x1 : x2 + 1] = False
    assert not changed.any()


def test_area_outside_the_image_changes_nothing() -> None:
    image = hall(SEATS)
    away = np.array([[1.0, 0.0, 5.0 * WIDTH], [0.0, 1.0, 5.0 * HEIGHT]])
    np.testing.assert_array_equal(masker_of("A1").mask(image, away), image)
