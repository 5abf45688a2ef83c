from __future__ import annotations

import numpy as np
import pytest

from monitor.geometry import compose_similarities, identity, inverse, rescale, scale_factor, transform_points

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
