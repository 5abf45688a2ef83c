from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detection.verification import (
    AGREED,
    CHECK_AFTER,
    CHECK_DOUBTFUL_AFTER,
    CHECK_YOUNG_AFTER,
    CONFIRMING_LOOKS,
    DOUBTFUL,
    EARLY_LOOKS,
    LEAST_BELIEF,
    LEAST_CONFIRMED,
    MANY_LOOKS,
    SURELY,
    SURELY_LONG,
    Belief,
)

SETTLED = 1 + len(CHECK_YOUNG_AFTER)
"""Looks after which a face is no longer young."""


def believed(first: float, *scores: float, second: float = 0.0) -> Belief:
    belief = Belief(first)
    for score in scores:
        belief = belief.after(score, second)
    return belief


@pytest.mark.parametrize(
    ("scores", "mean"),
    [
        ((0.6,), 0.6),
        # The first detection was chosen for its score, so the passes alone count.
        ((0.6, 0.2), 0.2),
        ((0.6, 0.2, 0.1), 0.15),
        ((0.9, 0.5, 0.5, 0.5, 0.5, 1.0), 0.6),
        # From here on the newest has a fifth of the weight, however many there were.
        ((*[0.5] * 10, 1.0), 0.6),
        ((*[0.5] * 100, 0.0), 0.4),
    ],
)
def test_the_mean_is_plain_at_first_and_then_runs(scores: tuple[float, ...], mean: float) -> None:
    assert believed(*scores).mean == pytest.approx(mean)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_the_mean_stays_within_the_scores(scores: list[float]) -> None:
    belief = believed(*scores)
    assert min(scores) - 1e-9 <= belief.mean <= max(scores) + 1e-9
    assert belief.looks == len(scores)


@pytest.mark.parametrize(
    ("belief", "after"),
    [
        *[(Belief(0.9, looks=1 + index), after) for index, after in enumerate(CHECK_YOUNG_AFTER)],
        (Belief(0.9, looks=SETTLED, is_confirmed=True), CHECK_AFTER),
        (Belief(DOUBTFUL, looks=SETTLED, is_confirmed=True), CHECK_AFTER),
        (Belief(DOUBTFUL, looks=100), CHECK_DOUBTFUL_AFTER),
        (Belief(DOUBTFUL - 0.01, looks=100, is_confirmed=True), CHECK_DOUBTFUL_AFTER),
    ],
)
def test_another_look_is_due_after_a_while_sooner_where_there_is_doubt(belief: Belief, after: int) -> None:
    waited = 0
    while belief.overdue < 0:
        belief, waited = belief.later(), waited + 1
    assert waited == after
    assert belief.later().overdue == 1
    assert belief.after(1.0).overdue < 0


@pytest.mark.parametrize(
    ("belief", "is_lost"),
    [
        (Belief(0.0, looks=EARLY_LOOKS - 1), False),
        (Belief(LEAST_BELIEF - 0.01, looks=EARLY_LOOKS), True),
        (Belief(LEAST_BELIEF, looks=EARLY_LOOKS), False),
        (Belief(0.9, looks=100), False),
    ],
)
def test_what_is_hardly_believed_after_some_looks_is_lost(belief: Belief, is_lost: bool) -> None:
    assert belief.is_lost is is_lost


def test_a_detection_that_does_not_repeat_is_dropped_within_three_seconds_at_two_samples_a_second() -> None:
    belief, samples = Belief(0.67), 0
    while not belief.is_lost:
        belief, samples = belief.later(), samples + 1
        if belief.overdue >= 0:
            belief = belief.after(0.1)
    assert samples <= 6


@pytest.mark.parametrize(
    ("score", "second", "is_confirmed"),
    [
        (0.8, 0.8, True),
        (0.8, 0.0, True),
        (SURELY - 0.01, AGREED - 0.01, False),
        (SURELY - 0.01, AGREED, True),
        (LEAST_CONFIRMED - 0.01, 0.9, False),
    ],
)
def test_a_face_is_confirmed_by_both_networks_or_by_one_that_is_sure(
    score: float, second: float, is_confirmed: bool
) -> None:
    passes = [score] * CONFIRMING_LOOKS
    assert not believed(0.9, *passes[:-1], second=second).is_confirmed, "too few passes"
    assert believed(0.9, *passes, second=second + 1e-9).is_confirmed is is_confirmed


def test_a_confirmed_face_stays_so_while_it_is_followed() -> None:
    assert believed(0.9, *[0.8] * CONFIRMING_LOOKS, *[0.4] * 20).is_confirmed


@pytest.mark.parametrize(("score", "is_confirmed"), [(SURELY_LONG + 0.01, True), (SURELY_LONG - 0.01, False)])
def test_a_half_hidden_head_is_confirmed_after_many_passes(score: float, is_confirmed: bool) -> None:
    assert not believed(0.9, *[score] * (MANY_LOOKS - 1)).is_confirmed
    assert believed(0.9, *[score] * MANY_LOOKS).is_confirmed is is_confirmed
