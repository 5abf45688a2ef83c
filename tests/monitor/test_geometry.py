from __future__ import annotations

import numpy as np
import pytest

from monitor.geometry import enlarged, identity, inverse, moved, times, zoom

TURN = np.array([[0.0, -2.0, 5.0], [2.0, 0.0, -1.0]])
SHIFT = np.array([[1.0, 0.0, 10.0], [0.0, 1.0, 20.0]])
POINTS = np.array([(0.0, 0.0), (3.0, 4.0), (-1.0, 2.0)])


def test_one_after_the_other_and_back() -> None:
    np.testing.assert_allclose(moved(times(TURN, SHIFT), POINTS), moved(TURN, moved(SHIFT, POINTS)))
    np.testing.assert_allclose(times(inverse(TURN), TURN), identity(), atol=1e-12)
    np.testing.assert_array_equal(moved(identity(), POINTS), POINTS)


def test_lines_become_longer_by_the_zoom() -> None:
    assert zoom(TURN) == pytest.approx(2.0)
    one, other = moved(TURN, POINTS)[:2]
    assert np.hypot(*(one - other)) == pytest.approx(2 * 5.0)


def test_between_enlarged_pictures() -> None:
    """What takes small pixels to small ones takes large ones, three and four times as many, to large ones."""
    large = enlarged(TURN, 3.0, 4.0)
    np.testing.assert_allclose(moved(large, 3.0 * POINTS), 4.0 * moved(TURN, POINTS))
