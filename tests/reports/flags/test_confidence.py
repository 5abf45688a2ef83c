from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.flags.confidence import block_length, difference_interval, share_interval, wilson_interval

scored = st.tuples(st.floats(-1, 2), st.sampled_from([0.0, 1.0, 2.5, 5.0]))
bins = st.lists(scored, min_size=1, max_size=40)
pairs = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.0, 2.0, 5.0])), min_size=1)


def _arrays(rows):
    return tuple(np.array(column, np.float64) for column in zip(*rows, strict=True))


@settings(max_examples=50)
@given(rows=bins)
def test_share_interval_contains_share_and_stays_in_bounds(rows):
    scores, weights = _arrays(rows)
    interval = share_interval(scores, weights)
    if weights.sum() == 0:
        assert interval is None
        return
    assert 0 <= interval.low <= interval.share <= interval.high <= 1
    assert 1 <= interval.effective_bins <= np.count_nonzero(weights) + 1e-9
    assert interval.share == pytest.approx(np.clip(weights @ scores / weights.sum(), 0, 1))


@settings(max_examples=50)
@given(rows=bins)
def test_share_interval_ignores_unknown_bins(rows):
    scores, weights = _arrays(rows)
    padded = share_interval(np.r_[9.0, scores, -9.0], np.r_[0.0, weights, 0.0])
    plain = share_interval(scores, weights)
    assert (padded is None) == (plain is None)
    if plain is not None:
        assert astuple(padded) == pytest.approx(astuple(plain))


@settings(max_examples=50)
@given(rows=bins)
def test_higher_confidence_gives_wider_interval(rows):
    scores, weights = _arrays(rows)
    if weights.sum() == 0:
        return
    narrow, wide = share_interval(scores, weights, 0.8), share_interval(scores, weights, 0.99)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


@settings(max_examples=100)
@given(rows=bins, rises=st.lists(st.floats(0, 1), min_size=40, max_size=40))
def test_share_interval_is_monotone_in_scores(rows, rises):
    scores, weights = _arrays(rows)
    if weights.sum() == 0:
        return
    before = share_interval(scores, weights)
    after = share_interval(scores + np.array(rises[: len(scores)]), weights)
    assert after.low >= before.low - 1e-9
    assert after.high >= before.high - 1e-9


@settings(max_examples=50)
@given(rows=pairs)
def test_difference_interval_contains_mean(rows):
    scores, others, weights = _arrays(rows)
    found = difference_interval(scores, others, weights)
    if weights.sum() == 0:
        assert found is None
        return
    assert found.low <= found.share <= found.high
    assert found.share == pytest.approx(weights @ (scores - others) / weights.sum())


def test_difference_interval_to_zero_is_share_interval():
    scores = np.random.default_rng(0).random(60)
    alone = difference_interval(scores, np.zeros(60), np.ones(60))
    assert astuple(alone) == pytest.approx(astuple(share_interval(scores, np.ones(60))))


def test_difference_interval_of_equal_scores_contains_zero():
    group_work = np.repeat([0.0, 1.0], 60)
    found = difference_interval(group_work, group_work * 0.9, np.ones(120))
    assert found.low < 0.1
    assert found.share == pytest.approx(0.05)


def test_wilson_interval_matches_published_value():
    # 81 of 263 at 95 %: 0.2553 to 0.3662 (Newcombe 1998, Statistics in Medicine 17, table I, method 3).
    low, high = wilson_interval(81 / 263, 263, 0.95)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(("count", "length"), [(1, 1), (8, 2), (9, 3), (27, 3), (60, 4), (600, 9)])
def test_block_length_is_cube_root(count, length):
    assert block_length(count) == length


def test_long_runs_widen_the_interval():
    alternating, stretches = np.tile([1.0, 0.0], 300), np.repeat([1.0, 0.0], 300)
    loose, tight = (share_interval(scores, np.ones(600)) for scores in (stretches, alternating))
    assert (loose.share, tight.share) == pytest.approx((0.5, 0.5))
    assert loose.high - loose.low > tight.high - tight.low


def test_constant_minute_has_wide_interval():
    interval = share_interval(np.ones(12), np.full(12, 5.0))
    assert (interval.share, interval.high) == pytest.approx((1, 1))
    assert interval.low < 0.6


def test_share_interval_is_reproducible():
    scores = np.random.default_rng(3).random(100)
    assert share_interval(scores, np.ones(100)) == share_interval(scores.copy(), np.ones(100))


def _chains(share, correlation, count, chains, rng):
    state = rng.random(chains) < share
    for _ in range(count):
        yield state
        state = rng.random(chains) < share * (1 - correlation) + correlation * state


@pytest.mark.parametrize(
    ("share", "correlation", "count", "least"),
    [(0.5, 0.0, 60, 0.95), (0.5, 0.5, 60, 0.93), (0.2, 0.5, 15, 0.89), (0.5, 0.8, 600, 0.89)],
)
def test_share_interval_covers_true_share(share, correlation, count, least):
    rng = np.random.default_rng(4)
    chains = np.array(list(_chains(share, correlation, count, 300, rng))).T
    # Corrected misclassifications: scores of 1.6 and -0.2 instead of 1 and 0.
    misread = rng.random(chains.shape) < 0.3
    scores = np.where(chains, 1.6, -0.2) * ~misread + np.where(chains, -0.4, 0.46666667) * misread
    intervals = [share_interval(row, np.ones(count)) for row in scores]
    assert scores[chains].mean() == pytest.approx(1, abs=0.05)
    assert np.mean([i.low <= share <= i.high for i in intervals]) >= least
