"""Reconnect backoff."""

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


def pauses(backoff: ReconnectBackoff, now_s: float = 0.0) -> list[float]:
    """The pauses of one outage whose attempts fail at once, until the budget is spent."""
    pauses_s: list[float] = []
    while (due_s := backoff.record_failure(now_s)) is not None:
        pauses_s.append(due_s - now_s)
        now_s = due_s
    return pauses_s


def test_reconnect_pauses_double_up_to_the_maximum():
    assert pauses(ReconnectBackoff(200, lambda: 1.0))[:9] == [0.5, 1, 2, 4, 5, 5, 5, 5, 5]


@given(st.floats(1, 2000), st.integers(0, 100))
def test_attempts_fill_the_budget(budget_s, seed):
    pauses_s = pauses(ReconnectBackoff(budget_s, Random(seed).random))
    assert sum(pauses_s) == pytest.approx(budget_s)
    assert all(
        MIN_JITTER * FIRST_RECONNECT_PAUSE_S <= pause <= MAX_RECONNECT_PAUSE_S for pause in pauses_s[:-1]
    )


def test_jitter_separates_two_rooms():
    assert pauses(ReconnectBackoff(60, lambda: 0.2)) != pauses(ReconnectBackoff(60, lambda: 0.9))


def test_no_budget_allows_no_attempt():
    assert pauses(ReconnectBackoff(0.0, lambda: 1.0)) == []


def test_fresh_frame_restores_the_budget():
    backoff = ReconnectBackoff(10, lambda: 1.0)
    pauses(backoff)
    assert backoff.record_failure(100) is None
    backoff.record_frame(101)
    assert backoff.record_failure(102) is not None


def test_stable_connection_resets_the_pauses():
    backoff = ReconnectBackoff(900, lambda: 1.0)
    now_s = 0.0
    for _ in range(4):
        backoff.record_failure(now_s)
        now_s += 1
        backoff.record_frame(now_s)
    assert backoff.record_failure(now_s) == now_s + 5
    backoff.record_frame(now_s)
    backoff.record_frame(now_s + STABLE_AFTER_S)
    assert backoff.record_failure(now_s + 20) == now_s + 20 + FIRST_RECONNECT_PAUSE_S


def test_failure_with_frames_uses_no_budget():
    backoff = ReconnectBackoff(10, lambda: 1.0)
    for now_s in range(0, 10000, 100):
        assert backoff.record_failure(now_s, received_any=True) == now_s + FIRST_RECONNECT_PAUSE_S
    assert backoff.record_failure(now_s + 5.0) is not None


def test_reset_restores_pauses_and_budget():
    backoff = ReconnectBackoff(10, lambda: 1.0)
    pauses(backoff)
    backoff.reset()
    assert pauses(backoff, 1000) == [0.5, 1, 2, 4, 2.5]
