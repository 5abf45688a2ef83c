"""Monotonic clocks."""

from __future__ import annotations

import time

from monitor.runtime.clock import MAX_STEP_S, SuspendAwareClock, suspend_aware_s


def test_suspend_aware_s_advances_at_least_as_much_as_monotonic():
    start_s, monotonic_s = suspend_aware_s(), time.monotonic()
    time.sleep(0.01)
    passed_s = time.monotonic() - monotonic_s
    assert suspend_aware_s() - start_s >= passed_s > 0


def test_suspend_aware_clock_limits_jumps():
    now = [100.0]
    awake = SuspendAwareClock(lambda: now[0])
    now[0] += 3
    assert awake() == 3
    now[0] += 3600
    assert awake() == 3 + MAX_STEP_S
    now[0] += 0.5
    assert awake() == 3.5 + MAX_STEP_S
