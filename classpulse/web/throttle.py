"""How fast somebody may guess. Pure: the clock is given."""

from __future__ import annotations

from collections import OrderedDict

FREE = 5
"""So many failures in a row cost nothing: people mistype."""

FIRST_S, LONGEST_S = 2.0, 900.0
"""Each failure after them doubles the wait, up to a quarter of an hour: at most a hundred guesses a day."""

FORGET_S = 3600.0
"""Failures are forgotten after so long without one."""

MOST_KEPT = 10_000
"""Names that are kept in memory; the longest unused go first."""


class Throttle:
    """Counts failures by key (a name, an address). Times are steady seconds. One thread at a time. ``free``
    and ``longest_s`` as above."""

    def __init__(self, free: int = FREE, longest_s: float = LONGEST_S) -> None:
        self._free, self._longest_s = free, longest_s
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, key: str, now_s: float) -> float:
        """How long this key must still wait before the next try; 0 where it may now."""
        count, last_s = self._failures.get(key, (0, now_s))
        if count < self._free or now_s - last_s > FORGET_S:
            return 0.0
        pause_s = min(self._longest_s, FIRST_S * 2.0 ** min(count - self._free, 20))
        return max(0.0, last_s + pause_s - now_s)

    def failed(self, key: str, now_s: float) -> None:
        """Another failure of this key."""
        count, last_s = self._failures.pop(key, (0, now_s))
        self._failures[key] = (1 if now_s - last_s > FORGET_S else count + 1, now_s)
        while len(self._failures) > MOST_KEPT:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """It was the right one."""
        self._failures.pop(key, None)
