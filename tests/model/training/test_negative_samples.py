from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from model.training.augmentation import (
    NEGATIVE_KINDS,
    negative_sample,
    noise_image,
    shuffled_image,
    wall_image,
)
from tests.helpers.made_up_faces import draw_faces


@pytest.mark.parametrize("kind", NEGATIVE_KINDS)
def test_negative_kinds_keep_shape_and_vary(
    kind: Callable[..., np.ndarray],
) -> None:
    face = draw_faces(1)[0]
    before = face.copy()
    drawn = [kind(face, np.random.default_rng(seed)) for seed in range(5)]
    assert {(image.shape, image.dtype) for image in drawn} == {((48, 48), np.dtype(np.uint8))}
    assert len({image.tobytes() for image in drawn}) == 5
    np.testing.assert_array_equal(face, before)


def test_shuffled_image_keeps_the_pixels() -> None:
    face = draw_faces(1)[0]
    mixed = shuffled_image(face, np.random.default_rng(0))
    assert sorted(mixed.ravel()) == sorted(face.ravel())
    assert (mixed != face).any()


def test_wall_image_is_flatter_than_noise() -> None:
    face, rng = draw_faces(1)[0], np.random.default_rng(0)
    assert np.median([wall_image(face, rng).std() for _ in range(20)]) < 40
    assert np.median([noise_image(face, rng).std() for _ in range(20)]) > 50


def test_negative_sample_draws_every_kind() -> None:
    face = np.full((48, 48), 77, np.uint8)
    face[:24] = 99
    drawn = [negative_sample(face, np.random.default_rng(seed)) for seed in range(60)]
    patches = sum(set(np.unique(image)) == {77, 99} for image in drawn)
    assert 8 < patches < 35
