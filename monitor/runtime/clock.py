"""Clocks that nobody sets, for how long something took."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAP_S = 10.0
"""More time than this between two looks at a ``WakingClock`` was not spent waiting: the computer slept,
or the program was held up. A live source looks five times a second."""


def steady_s() -> float:
    """Seconds since some moment, never set back; also the time that the computer slept is counted.

    A lecture goes on while its computer sleeps, and ``time.monotonic`` does not on Linux and macOS. Where
    there is no ``CLOCK_BOOTTIME`` it has to do.
    """
    return _STEADY()


def _boot_time_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_STEADY: Callable[[], float] = _boot_time_s if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class WakingClock:
    """The seconds of another clock in which somebody was awake to look: of a leap only ``LEAP_S`` counts.

    For patience and budgets: an hour of sleep must not use up the time in which a camera is sought. Not
    thread-safe.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._looked_s = clock()
        self._awake_s = 0.0

    def __call__(self) -> float:
        """Seconds, from 0 at the making of the clock."""
        now_s = self._clock()
        self._awake_s += min(now_s - self._looked_s, LEAP_S)
        self._looked_s = now_s
        return self._awake_s
