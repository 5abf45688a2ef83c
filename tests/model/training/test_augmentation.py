from __future__ import annotations

import numpy as np
import pytest

from model.training.augmentation import (
    AugmentSettings,
    augment_batch,
    augment_face,
    change_contrast,
    downscale_face,
    draw_mixup,
    erase_box,
    flip,
    mix_rows,
    transform,
)
from tests.helpers.made_up_faces import draw_faces


def dot(x: int, y: int) -> np.ndarray:
    image = np.zeros((48, 48), np.uint8)
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    return image


def centroid(image: np.ndarray) -> tuple[float, float]:
    y, x = np.mgrid[:48, :48]
    return float((x * image).sum() / image.sum()), float((y * image).sum() / image.sum())


def test_flip_mirrors_left_to_right() -> None:
    assert centroid(flip(dot(10, 20))) == pytest.approx((37, 20))


@pytest.mark.parametrize(
    ("angle_deg", "scale", "shift_px", "expected"),
    [
        (0, 1.0, (0, 0), (33.5, 23.5)),
        (0, 1.0, (3, -2), (36.5, 21.5)),
        (90, 1.0, (0, 0), (23.5, 13.5)),  # counter-clockwise: from the right to the top
        (0, 0.5, (0, 0), (28.5, 23.5)),
        (180, 1.2, (0, 0), (11.5, 23.5)),
    ],
)
def test_transform_rotates_scales_and_shifts(
    angle_deg: float, scale: float, shift_px: tuple[float, float], expected: tuple[float, float]
) -> None:
    image = np.zeros((48, 48), np.uint8)
    image[22:26, 32:36] = 255  # centred ten pixels to the right of the image centre
    assert centroid(transform(image, angle_deg, scale, shift_px)) == pytest.approx(expected, abs=0.2)


def test_transform_repeats_the_edge() -> None:
    grey = np.full((48, 48), 90, np.uint8)
    assert (transform(grey, 10, 0.9, (3, 3)) == 90).all()


def test_change_contrast_keeps_the_mean_and_clips() -> None:
    image = np.tile(np.array([100, 140], np.uint8), (48, 24))
    assert np.unique(change_contrast(image, 0.5)).tolist() == [110, 130]
    assert np.unique(change_contrast(image, 10)).tolist() == [0, 255]


def test_erase_box_fills_a_copy() -> None:
    image = draw_faces(1)[0]
    before = image.copy()
    erased = erase_box(image, (4, 6, 14, 20))
    assert len(np.unique(erased[6:20, 4:14])) == 1
    changed = np.argwhere(erased != image)
    assert changed.min(axis=0).tolist() >= [6, 4]
    assert changed.max(axis=0).tolist() <= [19, 13]
    np.testing.assert_array_equal(image, before)


def test_downscale_face_loses_detail_and_keeps_brightness() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (48, 24))
    small = downscale_face(stripes, 16)
    assert small.shape == (48, 48)
    assert small.std() < 0.5 * stripes.std()
    assert small.mean() == pytest.approx(stripes.mean(), abs=4)


def test_augment_batch_is_determined_by_the_seed() -> None:
    images, settings = draw_faces(4), AugmentSettings()
    first = augment_batch(images, np.random.default_rng(1), settings)
    np.testing.assert_array_equal(first, augment_batch(images, np.random.default_rng(1), settings))
    assert (first != augment_batch(images, np.random.default_rng(2), settings)).any()


def test_augment_batch_keeps_shape_and_input() -> None:
    images = draw_faces(30)
    before = images.copy()
    varied = augment_batch(
        images, np.random.default_rng(0), AugmentSettings(erase_share=1, downscale_share=1)
    )
    assert (varied.shape, varied.dtype) == (images.shape, np.uint8)
    np.testing.assert_array_equal(images, before)


def test_draw_mixup_share_and_partners() -> None:
    settings = AugmentSettings(mixup_share=0.5, mixup_alpha=1.0)
    drawn = [draw_mixup(8, np.random.default_rng(seed), settings) for seed in range(60)]
    shares = [share for _, share in drawn]
    assert 0.5 <= min(shares) < 0.6
    assert 15 < shares.count(1.0) < 45
    assert all(sorted(partners.tolist()) == list(range(8)) for partners, _ in drawn)


def test_mix_rows_is_a_weighted_mean() -> None:
    values = np.array([[0.0], [10.0]], np.float32)
    assert mix_rows(values, np.array([1, 0]), 0.75).tolist() == [[2.5], [7.5]]
    assert mix_rows(values, np.array([1, 0]), 1.0).tolist() == [[0], [10]]
    assert values.tolist() == [[0], [10]]


def test_augment_face_all_off_only_mirrors() -> None:
    off = AugmentSettings(shift_px=0, rotate_deg=0, scale=0, contrast=0, erase_share=0, downscale_share=0)
    image = draw_faces(1)[0]
    seen = [augment_face(image, np.random.default_rng(seed), off) for seed in range(20)]
    same = [np.abs(face.astype(int) - image).max() <= 1 for face in seen]
    mirrored = [np.abs(face.astype(int) - image[:, ::-1]).max() <= 1 for face in seen]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert 0 < sum(mirrored) < 20
