"""Clocks for durations: monotonic, including suspend, and excluding it."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_STEP_S = 10.0
"""A longer time between two readings of a ``SuspendAwareClock`` was not spent waiting: the computer was
suspended or the program was blocked. A live source reads it five times per second."""


def suspend_aware_s() -> float:
    """Monotonic seconds since an arbitrary moment, including time in suspend.

    A lesson continues while the computer is suspended, and ``time.monotonic`` stops then on Linux and macOS.
    It is the fallback where ``CLOCK_BOOTTIME`` does not exist.
    """
    return _MONOTONIC()


def _boot_time_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_MONOTONIC: Callable[[], float] = _boot_time_s if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class SuspendAwareClock:
    """Seconds of another clock without its jumps: each step counts for at most ``MAX_STEP_S``.

    For timeouts and budgets: an hour in suspend must not use up the time for reconnecting. Not thread-safe.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_s = clock()
        self._awake_s = 0.0

    def __call__(self) -> float:
        """Seconds since the clock was created."""
        now_s = self._clock()
        self._awake_s += min(now_s - self._last_s, MAX_STEP_S)
        self._last_s = now_s
        return self._awake_s
