"""Rate limit for guesses at passwords and codes. Pure: the caller passes the time."""

from __future__ import annotations

import threading
from collections import OrderedDict

from monitor.runtime.backoff import doubled_pause_s

FREE_ATTEMPTS = 5
"""Consecutive failures without a delay: users mistype."""

FREE_ATTEMPTS_PER_ADDRESS = 30
"""More, because a staff room may share one address."""

FIRST_DELAY_S, MAX_DELAY_S = 2.0, 900.0
"""Each further failure doubles the delay; at the maximum, about a hundred guesses per day are possible."""

RESET_AFTER_S = 3600.0
"""Failures are forgotten after this time without a new one."""

MAX_KEYS = 10_000
"""Keys in memory; the least recently used are dropped."""


class RateLimiter:
    """Counts failures per key (an account name, an address) and delays attempts after ``free_attempts``
    failures, by at most ``max_delay_s``. Times are monotonic seconds. Thread-safe."""

    def __init__(self, free_attempts: int = FREE_ATTEMPTS, max_delay_s: float = MAX_DELAY_S) -> None:
        self._free_attempts, self._max_delay_s = free_attempts, max_delay_s
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def acquire(self, key: str, now_s: float) -> float:
        """Register an attempt and return 0, or return the seconds to wait, without registering it.

        A registered attempt counts as a failure until ``record_success``, so that concurrent attempts are
        limited too.
        """
        with self._lock:
            count, last_s = self._failures.get(key, (0, now_s))
            if now_s - last_s > RESET_AFTER_S:
                count = 0
            if count >= self._free_attempts:
                pause_s = doubled_pause_s(FIRST_DELAY_S, self._max_delay_s, count - self._free_attempts)
                if last_s + pause_s > now_s:
                    return last_s + pause_s - now_s
            self._failures.pop(key, None)
            self._failures[key] = (count + 1, now_s)
            while len(self._failures) > MAX_KEYS:
                self._failures.popitem(last=False)
            return 0.0

    def record_success(self, key: str, *, reset: bool = True) -> None:
        """The last attempt succeeded: it no longer counts, and with ``reset`` neither do earlier failures."""
        with self._lock:
            count, last_s = self._failures.pop(key, (0, 0.0))
            if count > 1 and not reset:
                self._failures[key] = (count - 1, last_s)
