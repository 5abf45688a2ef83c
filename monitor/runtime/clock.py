"""Clocks that nobody sets, for how long something took."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_STEP_S = 10.0
"""More time than this between two looks at a ``SuspendAwareClock`` was not spent waiting: the computer slept,
or the program was held up. A live source looks five times a second."""


def suspend_aware_s() -> float:
    """Seconds since some moment, never set back; also the time that the computer slept is counted.

    A lecture goes on while its computer sleeps, and ``time.monotonic`` does not on Linux and macOS. Where
    there is no ``CLOCK_BOOTTIME`` it has to do.
    """
    return _MONOTONIC()


def _boot_time_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_MONOTONIC: Callable[[], float] = _boot_time_s if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class SuspendAwareClock:
    """The seconds of another clock in which somebody was awake to look: of a leap only ``MAX_STEP_S`` counts.

    For patience and budgets: an hour of sleep must not use up the time in which a camera is sought. Not
    thread-safe.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_s = clock()
        self._awake_s = 0.0

    def __call__(self) -> float:
        """Seconds, from 0 at the making of the clock."""
        now_s = self._clock()
        self._awake_s += min(now_s - self._last_s, MAX_STEP_S)
        self._last_s = now_s
        return self._awake_s
