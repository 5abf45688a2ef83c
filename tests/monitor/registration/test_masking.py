from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.geometry import box_corners, identity
from monitor.imaging import MASK_GREY
from monitor.registration.masking import SeatMasker
from monitor.seating.seat_plan import masked_area
from tests.helpers.halls import HEIGHT, SEATS, WIDTH, camera, hall, people_in, seen


def masking(*labels: str) -> SeatMasker:
    return SeatMasker([box_corners(masked_area(SEATS[label])) for label in labels])


@pytest.mark.parametrize(
    "matrix", [camera(), camera(30, -12), camera(-50, 20, zoom=1.2), camera(10, 4, zoom=0.8)]
)
def test_the_masked_are_gone_and_the_others_stay_wherever_the_camera_points(matrix) -> None:
    picture = seen(matrix, hall(SEATS))
    masked = masking("A1", "B2").mask(picture, cv2.invertAffineTransform(matrix))
    left = people_in(seen(matrix, hall({label: SEATS[label] for label in ("A2", "B1")})))
    np.testing.assert_array_equal(people_in(masked), left)
    assert people_in(picture).sum() > 1.8 * left.sum(), "four people were there"


def test_the_frame_itself_is_left_alone_and_the_area_is_one_grey() -> None:
    picture = hall(SEATS)
    before = picture.copy()
    masked = masking("A1").mask(picture, identity())
    np.testing.assert_array_equal(picture, before)
    x1, y1, x2, y2 = (round(edge) for edge in masked_area(SEATS["A1"]))
    assert (masked[y1 : y2 + 1, x1 : x2 + 1] == MASK_GREY).all()
    changed = (masked != picture).any(axis=2)
    changed[y1 : y2 + 1, x1 : x2 + 1] = False
    assert not changed.any()


def test_an_area_outside_the_picture_changes_nothing() -> None:
    picture = hall(SEATS)
    away = np.array([[1.0, 0.0, 5.0 * WIDTH], [0.0, 1.0, 5.0 * HEIGHT]])
    np.testing.assert_array_equal(masking("A1").mask(picture, away), picture)
