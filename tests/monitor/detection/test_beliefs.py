from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detection.beliefs import (
    CHECK_AFTER,
    CHECK_DOUBTFUL_AFTER,
    DOUBTFUL,
    EARLY_LOOKS,
    LEAST_BELIEF,
    Belief,
)


def believed(first: float, *scores: float) -> Belief:
    belief = Belief(first)
    for score in scores:
        belief = belief.after(score)
    return belief


@pytest.mark.parametrize(
    ("scores", "mean"),
    [
        ((0.6,), 0.6),
        ((0.6, 0.2), 0.4),
        ((0.6, 0.2, 0.1), 0.3),
        ((0.5, 0.5, 0.5, 0.5, 1.0), 0.6),
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
        (Belief(0.9), CHECK_DOUBTFUL_AFTER),
        (Belief(0.9, looks=EARLY_LOOKS - 1), CHECK_DOUBTFUL_AFTER),
        (Belief(0.9, looks=EARLY_LOOKS), CHECK_AFTER),
        (Belief(DOUBTFUL, looks=EARLY_LOOKS), CHECK_AFTER),
        (Belief(DOUBTFUL - 0.01, looks=100), CHECK_DOUBTFUL_AFTER),
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
