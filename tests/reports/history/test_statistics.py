from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import ShareEstimate
from reports.history.statistics import (
    estimate_mean,
    estimate_paired_difference,
    estimate_share_change,
    estimate_unpaired_difference,
)

SHARES = st.lists(st.none() | st.floats(0, 1), max_size=12)


def test_estimate_mean_has_t_interval():
    # Four values, mean 0.5, standard deviation 0.2582, t(3) = 3.1824.
    found = estimate_mean([0.2, 0.4, None, 0.6, 0.8])
    assert (found.value, found.student_count) == (pytest.approx(0.5), 4)
    assert (found.low, found.high) == (pytest.approx(0.0891, abs=1e-4), pytest.approx(0.9109, abs=1e-4))


def test_estimate_mean_of_one_and_none():
    assert estimate_mean([None, 0.25]).low is None
    assert estimate_mean([]) is estimate_mean([None]) is None


def test_paired_difference_uses_own_changes():
    """A large spread between students with equal changes: significant only if paired."""
    pairs = [(0.1, 0.2), (0.5, 0.61), (0.8, 0.89), (0.3, None)]
    own = estimate_paired_difference(pairs)
    assert (own.value, own.student_count, own.excludes_zero) == (pytest.approx(0.1), 3, True)
    apart = estimate_unpaired_difference([one for one, _ in pairs[:3]], [other for _, other in pairs[:3]])
    assert (apart.value, apart.excludes_zero) == (pytest.approx(0.1), False)


def test_unpaired_difference_has_welch_interval():
    # Worked by hand: means 2 and 5 tenths; variances 0.01 and 0.04; 3 and 3 values; freedom 2.94, t = 3.22.
    found = estimate_unpaired_difference([0.1, 0.2, 0.3], [0.3, 0.5, 0.7])
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - 3.2156 * (0.01 / 3 + 0.04 / 3) ** 0.5, abs=2e-3)
    assert estimate_unpaired_difference([], [0.5]) is None
    assert estimate_unpaired_difference([0.5], [0.75, 0.25]).low is None


def test_share_change_combines_intervals_by_newcombe():
    found = estimate_share_change(ShareEstimate(0.2, 0.1, 0.4), ShareEstimate(0.6, 0.5, 0.8))
    assert found.value == pytest.approx(0.4)
    assert found.low == pytest.approx(0.4 - (0.1**2 + 0.2**2) ** 0.5)
    assert found.high == pytest.approx(0.4 + (0.2**2 + 0.1**2) ** 0.5)


@given(SHARES, SHARES)
def test_estimate_interval_contains_value(before, after):
    whole = estimate_mean(before)
    if whole is not None and whole.low is not None:
        assert 0 <= whole.low <= whole.value + 1e-12 <= whole.high + 2e-12 <= 1 + 2e-12
    difference = estimate_unpaired_difference(before, after)
    if difference is not None and difference.low is not None:
        assert difference.low - 1e-12 <= difference.value <= difference.high + 1e-12
