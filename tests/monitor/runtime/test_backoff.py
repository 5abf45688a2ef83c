from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.runtime.backoff import (
    FIRST_RECONNECT_PAUSE_S,
    MAX_RECONNECT_PAUSE_S,
    MIN_JITTER,
    STABLE_AFTER_S,
    ReconnectBackoff,
)


def pauses(pacing: ReconnectBackoff, now_s: float = 0.0) -> list[float]:
    """The pauses of one outage whose tries fail at once, until the budget is spent."""
    found: list[float] = []
    while (due_s := pacing.record_failure(now_s)) is not None:
        found.append(due_s - now_s)
        now_s = due_s
    return found


def test_the_pauses_double_up_to_the_longest():
    assert pauses(ReconnectBackoff(200, lambda: 1.0))[:9] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@given(st.floats(1, 2000), st.integers(0, 100))
def test_the_tries_fill_the_budget_and_the_last_is_at_its_end(budget_s, seed):
    found = pauses(ReconnectBackoff(budget_s, Random(seed).random))
    assert sum(found) == pytest.approx(budget_s)
    assert all(MIN_JITTER * FIRST_RECONNECT_PAUSE_S <= pause <= MAX_RECONNECT_PAUSE_S for pause in found[:-1])


def test_the_dice_part_the_tries_of_two_rooms():
    assert pauses(ReconnectBackoff(60, lambda: 0.2)) != pauses(ReconnectBackoff(60, lambda: 0.9))


def test_without_a_budget_there_is_no_try():
    assert pauses(ReconnectBackoff(0.0, lambda: 1.0)) == []


def test_a_fresh_picture_fills_the_budget_again():
    pacing = ReconnectBackoff(10, lambda: 1.0)
    pauses(pacing)
    assert pacing.record_failure(100) is None
    pacing.record_frame(101)
    assert pacing.record_failure(102) is not None


def test_only_a_connection_that_holds_makes_the_pauses_small_again():
    pacing = ReconnectBackoff(900, lambda: 1.0)
    now_s = 0.0
    for _ in range(4):
        pacing.record_failure(now_s)
        now_s += 1
        pacing.record_frame(now_s)
    assert pacing.record_failure(now_s) == now_s + 8
    pacing.record_frame(now_s)
    pacing.record_frame(now_s + STABLE_AFTER_S)
    assert pacing.record_failure(now_s + 20) == now_s + 20 + FIRST_RECONNECT_PAUSE_S


def test_a_camera_that_shows_something_costs_no_budget_and_is_not_left_alone_for_long():
    pacing = ReconnectBackoff(10, lambda: 1.0)
    for now_s in range(0, 10000, 100):
        assert pacing.record_failure(now_s, received_any=True) == now_s + FIRST_RECONNECT_PAUSE_S
    assert pacing.record_failure(now_s + 5.0) is not None


def test_who_asks_anew_begins_anew():
    pacing = ReconnectBackoff(10, lambda: 1.0)
    pauses(pacing)
    pacing.reset()
    assert pauses(pacing, 1000) == [0.5, 1, 2, 4, 2.5]
