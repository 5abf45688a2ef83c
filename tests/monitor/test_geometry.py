from __future__ import annotations

import numpy as np
import pytest

from monitor.geometry import (
    compose_similarities,
    contained_share,
    identity,
    inverse,
    median_box,
    rescale,
    scale_factor,
    transform_box,
    transform_points,
)
from monitor.types import Box

TURN = np.array([[0.0, -2.0, 5.0], [2.0, 0.0, -1.0]])
SHIFT = np.array([[1.0, 0.0, 10.0], [0.0, 1.0, 20.0]])
POINTS = np.array([(0.0, 0.0), (3.0, 4.0), (-1.0, 2.0)])


def test_compose_and_inverse() -> None:
    np.testing.assert_allclose(
        transform_points(compose_similarities(TURN, SHIFT), POINTS),
        transform_points(TURN, transform_points(SHIFT, POINTS)),
    )
    np.testing.assert_allclose(compose_similarities(inverse(TURN), TURN), identity(), atol=1e-12)
    np.testing.assert_array_equal(transform_points(identity(), POINTS), POINTS)


def test_scale_factor_is_the_growth_of_lengths() -> None:
    assert scale_factor(TURN) == pytest.approx(2.0)
    item, other = transform_points(TURN, POINTS)[:2]
    assert np.hypot(*(item - other)) == pytest.approx(2 * 5.0)


def test_rescale_between_enlarged_images() -> None:
    """Between images three and four times as large."""
    large = rescale(TURN, 3.0, 4.0)
    np.testing.assert_allclose(transform_points(large, 3.0 * POINTS), 4.0 * transform_points(TURN, POINTS))


def test_transform_box_keeps_the_box_upright() -> None:
    assert transform_box(TURN, (10.0, 10.0, 30.0, 40.0)) == pytest.approx((-65.0, 9.0, -25.0, 69.0))


def test_median_box_is_the_median_of_each_edge() -> None:
    boxes = [(0.0, 0.0, 10.0, 10.0), (2.0, 1.0, 12.0, 11.0), (90.0, 90.0, 99.0, 99.0)]
    assert median_box(boxes) == (2.0, 1.0, 12.0, 11.0)


@pytest.mark.parametrize(
    ("container", "share"),
    [((0, 0, 100, 100), 1.0), ((0, 0, 20, 100), 0.5), ((0, 0, 20, 20), 0.25), ((50, 50, 60, 60), 0.0)],
)
def test_contained_share_is_a_share_of_the_box(container: Box, share: float) -> None:
    assert contained_share((10, 10, 30, 30), container) == pytest.approx(share)
