"""How fast somebody may guess. Pure: the clock is given."""

from __future__ import annotations

import threading
from collections import OrderedDict

FREE_ATTEMPTS = 5
"""So many failures in a row cost nothing: people mistype."""

FREE_ATTEMPTS_PER_ADDRESS = 30
"""A whole staff room may share one address; it has as many names to guess at."""

FIRST_DELAY_S, MAX_DELAY_S = 2.0, 900.0
"""Each failure after them doubles the wait, up to a quarter of an hour: at most a hundred guesses a day."""

RESET_AFTER_S = 3600.0
"""Failures are forgotten after so long without one."""

MAX_KEYS = 10_000
"""Names that are kept in memory; the longest unused go first."""


class RateLimiter:
    """Counts failures by key (a name, an address), of which ``free_attempts`` cost nothing; no wait is longer than
    ``max_delay_s``. Times are steady seconds. For any number of threads."""

    def __init__(self, free_attempts: int = FREE_ATTEMPTS, max_delay_s: float = MAX_DELAY_S) -> None:
        self._free_attempts, self._max_delay_s = free_attempts, max_delay_s
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def acquire(self, key: str, now_s: float) -> float:
        """Begin a try: 0 where it may go on, and then it counts as a failure until ``record_success`` is said, so
        that many tries at once are not all the first; else the seconds to wait, and nothing is counted."""
        with self._lock:
            count, last_s = self._failures.get(key, (0, now_s))
            if now_s - last_s > RESET_AFTER_S:
                count = 0
            if count >= self._free_attempts:
                pause_s = min(self._max_delay_s, FIRST_DELAY_S * 2.0 ** min(count - self._free_attempts, 20))
                if last_s + pause_s > now_s:
                    return last_s + pause_s - now_s
            self._failures.pop(key, None)
            self._failures[key] = (count + 1, now_s)
            while len(self._failures) > MAX_KEYS:
                self._failures.popitem(last=False)
            return 0.0

    def record_success(self, key: str, *, reset: bool = True) -> None:
        """It was the right one: this try was no failure, and with ``reset`` those before are forgotten."""
        with self._lock:
            count, last_s = self._failures.pop(key, (0, 0.0))
            if count > 1 and not reset:
                self._failures[key] = (count - 1, last_s)
