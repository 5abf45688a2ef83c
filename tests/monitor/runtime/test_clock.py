from __future__ import annotations

import time

from monitor.runtime.clock import LEAP_S, WakingClock, steady_s


def test_the_steady_clock_goes_on_and_counts_at_least_what_the_monotonic_one_does():
    began_s, monotonic_s = steady_s(), time.monotonic()
    time.sleep(0.01)
    passed_s = time.monotonic() - monotonic_s
    assert steady_s() - began_s >= passed_s > 0


def test_time_that_nobody_was_awake_to_see_does_not_use_up_patience():
    now = [100.0]
    awake = WakingClock(lambda: now[0])
    now[0] += 3
    assert awake() == 3
    now[0] += 3600
    assert awake() == 3 + LEAP_S
    now[0] += 0.5
    assert awake() == 3.5 + LEAP_S
