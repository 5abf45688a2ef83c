from __future__ import annotations

import time

from monitor.runtime.clock import MAX_STEP_S, SuspendAwareClock, suspend_aware_s


def test_the_steady_clock_goes_on_and_counts_at_least_what_the_monotonic_one_does():
    began_s, monotonic_s = suspend_aware_s(), time.monotonic()
    time.sleep(0.01)
    passed_s = time.monotonic() - monotonic_s
    assert suspend_aware_s() - began_s >= passed_s > 0


def test_time_that_nobody_was_awake_to_see_does_not_use_up_patience():
    now = [100.0]
    awake = SuspendAwareClock(lambda: now[0])
    now[0] += 3
    assert awake() == 3
    now[0] += 3600
    assert awake() == 3 + MAX_STEP_S
    now[0] += 0.5
    assert awake() == 3.5 + MAX_STEP_S
