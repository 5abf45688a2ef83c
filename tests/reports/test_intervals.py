from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.intervals import neighbour_correlation, share_interval, wilson

bins = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 1.0, 2.5, 5.0])), min_size=1, max_size=40)


def _arrays(pairs):
    return np.array([hit for hit, _ in pairs]), np.array([weight for _, weight in pairs])


@settings(max_examples=50)
@given(pairs=bins)
def test_the_interval_holds_the_share_and_stays_in_bounds(pairs):
    hits, weights = _arrays(pairs)
    interval = share_interval(hits, weights)
    if weights.sum() == 0:
        assert interval is None
        return
    assert 0 <= interval.low <= interval.share <= interval.high <= 1
    assert 1 <= interval.effective_bins <= np.count_nonzero(weights) + 1e-9
    assert interval.share == pytest.approx(weights[hits].sum() / weights.sum())


@settings(max_examples=50)
@given(pairs=bins)
def test_unknown_bins_at_the_ends_change_nothing(pairs):
    hits, weights = _arrays(pairs)
    padded = share_interval(np.r_[True, hits, False], np.r_[0.0, weights, 0.0])
    plain = share_interval(hits, weights)
    if plain is None:
        assert padded is None
    else:
        assert astuple(padded) == pytest.approx(astuple(plain))


@settings(max_examples=50)
@given(pairs=bins)
def test_more_confidence_is_a_wider_interval(pairs):
    hits, weights = _arrays(pairs)
    if weights.sum() == 0:
        return
    narrow, wide = share_interval(hits, weights, 0.8), share_interval(hits, weights, 0.99)
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_wilson_against_a_published_value():
    # 81 of 263 at 95 %: 0.2553 to 0.3662 (Newcombe 1998, Statistics in Medicine 17, table I, method 3).
    low, high = wilson(81 / 263, 263, 0.95)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_the_same_share_in_long_stretches_is_worth_less():
    alternating = np.tile([True, False], 30)
    stretches = np.repeat([True, False], 30)
    loose, tight = (share_interval(hits, np.ones(60)) for hits in (stretches, alternating))
    assert (loose.share, tight.share) == pytest.approx((0.5, 0.5))
    assert loose.effective_bins < 10
    assert tight.effective_bins == pytest.approx(60)  # a negative correlation does not make more of the data


def test_somebody_always_sad_for_a_minute_is_no_certainty():
    interval = share_interval(np.ones(12, bool), np.full(12, 5.0))
    assert (interval.share, interval.high) == pytest.approx((1, 1))
    assert interval.low < 0.5


def test_a_gap_breaks_the_neighbourhood():
    hits = np.array([True, True, False, False])
    known = np.ones(4, bool)
    apart = neighbour_correlation(np.insert(hits, 2, False), np.insert(known, 2, False))
    assert apart > neighbour_correlation(hits, known)


def test_nothing_known_means_half_correlated():
    assert neighbour_correlation(np.zeros(3, bool), np.zeros(3, bool)) == 0.5


def _chains(share, correlation, count, chains, rng):
    state = rng.random(chains) < share
    for _ in range(count):
        yield state
        state = rng.random(chains) < share * (1 - correlation) + correlation * state


@pytest.mark.parametrize(
    ("share", "correlation", "count"), [(0.5, 0.0, 60), (0.5, 0.5, 60), (0.2, 0.5, 15), (0.5, 0.8, 600)]
)
def test_the_interval_holds_the_truth_as_often_as_it_says(share, correlation, count):
    rng = np.random.default_rng(4)
    chains = np.array(list(_chains(share, correlation, count, 300, rng))).T
    intervals = [share_interval(hits, np.ones(count)) for hits in chains]
    covered = np.mean([i.low <= share <= i.high for i in intervals])
    assert covered >= 0.91


def test_wilson_alone_would_be_far_too_sure():
    rng = np.random.default_rng(4)
    chains = np.array(list(_chains(0.5, 0.8, 600, 300, rng))).T
    naive = [wilson(hits.mean(), 600, 0.95) for hits in chains]
    assert np.mean([low <= 0.5 <= high for low, high in naive]) < 0.7
