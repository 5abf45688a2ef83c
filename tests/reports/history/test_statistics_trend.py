from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.history.statistics import MIN_SESSIONS, compute_trend

START = datetime(2026, 1, 12, 9, tzinfo=UTC)


def weekly(*shares: float):
    return [(START + timedelta(weeks=week), share) for week, share in enumerate(shares)]


def told(found) -> str:
    return found.text.replace("\N{NO-BREAK SPACE}", " ")


def test_steady_rise_is_rising():
    found = compute_trend(weekly(0.1, 0.15, 0.2, 0.25, 0.3))
    assert (found.sessions, found.slope_per_week, found.direction) == (5, pytest.approx(0.05), "rising")
    assert found.value_at(START + timedelta(weeks=2)) == pytest.approx(0.2)
    assert told(found) == "+5 points per week (95 % interval +5 to +5), rising"
    assert found.short_text == "+5 (+5 to +5) ↑"
    assert compute_trend(weekly(0.3, 0.25, 0.2, 0.15, 0.1)).direction == "falling"


def test_trend_is_robust_against_one_outlier():
    assert compute_trend(weekly(0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1)).slope_per_week == 0.0


def test_alternating_shares_are_not_clear():
    found = compute_trend(weekly(0.2, 0.4, 0.1, 0.5, 0.2, 0.3))
    assert found.direction == "not clear"
    assert found.low < 0 < found.high


def test_too_few_sessions_have_no_trend():
    found = compute_trend(weekly(0.1, 0.2, 0.3))
    assert (found.slope_per_week, found.direction, found.value_at(START)) == (None, None, None)
    assert told(found) == "not enough lessons for a trend (3 of 5)"
    assert found.short_text == "3 of 5 lessons"
    assert compute_trend([]).sessions == 0


def test_min_sessions_is_the_smallest_number_with_clear_trends():
    """Kendall: a perfect order of four has a probability of 2 in 24 by chance."""
    assert MIN_SESSIONS == 5
    assert compute_trend(weekly(0.1, 0.2, 0.35, 0.4, 0.6)).direction == "rising"


@given(st.lists(st.floats(0, 1), min_size=5, max_size=9), st.randoms())
def test_trend_ignores_order_and_interval_contains_slope(shares, random):
    levels = weekly(*shares)
    shuffled = random.sample(levels, len(levels))
    assert compute_trend(shuffled) == compute_trend(levels)
    found = compute_trend(levels)
    assert found.low <= found.slope_per_week <= found.high
