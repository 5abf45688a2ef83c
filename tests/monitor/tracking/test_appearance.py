from __future__ import annotations

import numpy as np
import pytest

from monitor.tracking.appearance import colour_histogram
from monitor.types import ImageBGR
from tests.helpers.faces import face

RED, BLUE, DARK_GREY = (40, 40, 200), (200, 60, 40), (60, 60, 60)


def dressed(bgr: tuple[int, int, int], gain: float = 1.0, noise: float = 8.0) -> ImageBGR:
    """An image with the colour ``bgr`` below a face at (100, 60)."""
    rng = np.random.default_rng(int(sum(bgr)))
    image = np.full((200, 200, 3), 128.0)
    image[85:] = bgr
    return np.clip(gain * (image + rng.normal(0, noise, image.shape)), 0, 255).astype(np.uint8)


def similarity(item: ImageBGR, other: ImageBGR) -> float:
    first, second = colour_histogram(item, face(100, 60)), colour_histogram(other, face(100, 60))
    assert first is not None
    assert second is not None
    return float(first @ second)


def test_same_clothing_is_similar_in_another_light() -> None:
    assert similarity(dressed(RED), dressed(RED)) == pytest.approx(1.0, abs=1e-5)
    assert similarity(dressed(RED), dressed(RED, gain=0.85)) > 0.9
    assert similarity(dressed(DARK_GREY), dressed(DARK_GREY, gain=0.9)) > 0.9


def test_different_clothing_is_not_similar() -> None:
    assert similarity(dressed(RED), dressed(BLUE)) < 0.3
    assert similarity(dressed(RED), dressed(DARK_GREY)) < 0.3


def test_descriptor_is_a_histogram_of_unit_norm() -> None:
    descriptor = colour_histogram(dressed(RED), face(100, 60))
    assert descriptor is not None
    assert descriptor.shape == (28,)
    assert descriptor.dtype == np.float32
    assert np.linalg.norm(descriptor) == pytest.approx(1.0, abs=1e-5)


def test_face_itself_does_not_count() -> None:
    painted = dressed(RED)
    painted[35:80, 80:120] = (0, 255, 0)
    assert similarity(dressed(RED), painted) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("x", "y", "width"), [(100, 170, 40), (10, 60, 40), (195, 60, 40), (100, 60, 5)])
def test_region_outside_the_frame_or_too_small_is_none(x: float, y: float, width: float) -> None:
    assert colour_histogram(dressed(RED), face(x, y, width=width)) is None
