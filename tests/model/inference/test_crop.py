from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.inference.crop import (
    BOX_CENTRE_PX,
    BOX_SIDE_PX,
    CENTRE_PX,
    EYE_DISTANCE_PX,
    EYES_TO_MOUTH_PX,
    crop_face,
    crop_square,
    square_from_box,
    square_from_keypoints,
)

NO_KEYPOINTS = np.full((6, 2), np.nan, np.float32)
EYES_Y = CENTRE_PX[1] - EYES_TO_MOUTH_PX / 2
MOUTH_Y = CENTRE_PX[1] + EYES_TO_MOUTH_PX / 2


def frontal(x: float, y: float, size: float) -> np.ndarray:
    """Keypoints with FER2013's proportions: eyes centred at (x, y), ``size`` frame pixels per crop pixel."""
    half = EYE_DISTANCE_PX * size / 2
    points = NO_KEYPOINTS.copy()
    points[0], points[1], points[3] = (x - half, y), (x + half, y), (x, y + EYES_TO_MOUTH_PX * size)
    return points


def paint(image: np.ndarray, points: np.ndarray, size: float) -> None:
    """Draw white discs, radius three crop pixels, with soft edges, so that their centroids are exact."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    for point in points[[0, 1, 3]]:
        inside = np.clip(3 * size + 0.5 - np.hypot(x - point[0], y - point[1]), 0, 1)
        image[:] = np.maximum(image, (255 * inside[..., None]).astype(np.uint8))


def centroid(crop: np.ndarray, box_xyxy: tuple[int, int, int, int]) -> tuple[float, float]:
    x1, y1, x2, y2 = box_xyxy
    part = crop[y1:y2, x1:x2].astype(float)
    y, x = np.mgrid[y1:y2, x1:x2] + 0.5
    return float((x * part).sum() / part.sum()), float((y * part).sum() / part.sum())


@pytest.mark.parametrize("size", [0.5, 0.97, 1.0, 1.9, 5.3])
def test_crop_face_places_eyes_and_mouth_like_fer2013(size: float) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    points = frontal(301.3, 140.8, size)
    paint(image, points, size)
    crop = crop_face(image, (0, 0, 10, 10), points)
    assert (crop.shape, crop.dtype) == ((48, 48), np.uint8)
    left, right = CENTRE_PX[0] - EYE_DISTANCE_PX / 2, CENTRE_PX[0] + EYE_DISTANCE_PX / 2
    assert centroid(crop, (0, 0, 24, 28)) == pytest.approx((left, EYES_Y), abs=0.25)
    assert centroid(crop, (24, 0, 48, 28)) == pytest.approx((right, EYES_Y), abs=0.25)
    assert centroid(crop, (0, 28, 48, 48)) == pytest.approx((CENTRE_PX[0], MOUTH_Y), abs=0.25)


def test_square_from_keypoints_turned_head_keeps_size() -> None:
    ahead, turned = frontal(100, 100, 2), frontal(100, 100, 2)
    turned[0, 0], turned[1, 0] = 90, 110
    assert square_from_keypoints(turned) == pytest.approx(square_from_keypoints(ahead))


def test_square_from_keypoints_nodding_head_keeps_size() -> None:
    nodding = frontal(100, 100, 2)
    nodding[3, 1] = 115
    square = square_from_keypoints(nodding)
    assert square is not None
    assert square[2] == pytest.approx(96, abs=0.1)


def test_square_from_keypoints_does_not_depend_on_roll() -> None:
    level = frontal(0, -EYES_TO_MOUTH_PX / 2, 1)
    angle = np.radians(30)
    rolled = level @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert square_from_keypoints(rolled.astype(np.float32)) == pytest.approx(
        square_from_keypoints(level), abs=1e-4
    )


def test_square_from_keypoints_ignores_ears_and_nose() -> None:
    points = frontal(50, 50, 1)
    points[[2, 4, 5]] = 7
    assert square_from_keypoints(points) == square_from_keypoints(frontal(50, 50, 1))


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_crop_face_missing_keypoint_uses_the_box(missing: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    points = frontal(60, 50, 1)
    points[missing] = np.nan
    box = (30.0, 30.0, 80.0, 80.0)
    np.testing.assert_array_equal(crop_face(image, box, points), crop_square(image, square_from_box(box)))


def test_square_from_keypoints_coincident_points_returns_none() -> None:
    assert square_from_keypoints(np.full((6, 2), 5, np.float32)) is None


def test_square_from_box_places_box_like_fer2013() -> None:
    x, y, side = square_from_box((100, 200, 100 + 2 * BOX_SIDE_PX, 200 + 2 * BOX_SIDE_PX))
    assert side == pytest.approx(96)
    assert (100 + BOX_SIDE_PX - x) / 2 == pytest.approx(BOX_CENTRE_PX[0])
    assert (200 + BOX_SIDE_PX - y) / 2 == pytest.approx(BOX_CENTRE_PX[1])


def test_crop_square_at_tile_size_is_identity() -> None:
    tile = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
    image = np.full((100, 100, 3), 50, np.uint8)
    image[20:68, 30:78] = tile[..., None]
    np.testing.assert_array_equal(crop_square(image, (30.0, 20.0, 48.0)), tile)


def test_crop_square_reads_bgr() -> None:
    image = np.zeros((60, 60, 3), np.uint8)
    image[..., 2] = 255  # red: 0.299 of the grey (ITU-R BT.601)
    assert np.unique(crop_square(image, (5, 5, 48))).tolist() == [76]


def test_crop_square_outside_the_frame_repeats_the_edge() -> None:
    image = np.zeros((50, 50, 3), np.uint8)
    image[:, :2] = 200
    crop = crop_square(image, (-24.0, 0.0, 48.0))
    assert (crop[:, :26] == 200).all()
    assert (crop[:, 27:] == 0).all()


@given(
    x=st.floats(-300, 300),
    y=st.floats(-300, 300),
    side=st.floats(0.5, 400),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
)
def test_crop_square_any_square_returns_a_crop(
    x: float, y: float, side: float, height: int, width: int
) -> None:
    crop = crop_square(np.full((height, width, 3), 120, np.uint8), (x, y, side))
    assert (crop.shape, crop.dtype) == ((48, 48), np.uint8)
    assert (crop == 120).all()
