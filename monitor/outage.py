"""Stretches without a fresh picture, told as gaps about once a second. Pure: the clock is given."""

from __future__ import annotations

from monitor.domain import Gap, GapReason

TELL_S = 1.0
"""How often a gap that goes on is given again."""


class Outage:
    """What is missing of a live session at present. Times are media seconds.

    A reason that changes ends one gap and begins the next, so gaps never overlap.
    """

    def __init__(self) -> None:
        self.reason: GapReason | None = None
        """Of the gap that is open; None while there is none."""
        self._start_s = 0.0
        self._end_s = 0.0

    def tell(self, reason: GapReason, since_s: float, now_s: float) -> list[Gap]:
        """There is nothing to look at since ``since_s``; the gaps to hand on now, often none.

        ``since_s`` counts where a gap begins; one that goes on keeps its start.
        """
        if reason is self.reason:
            return self._grown(now_s) if now_s - self._end_s >= TELL_S else []
        before: list[Gap] = []
        if self.reason is not None:
            # What is told late (somebody resumed while the loop looked on) is no second gap over the first.
            now_s = max(now_s, self._end_s)
            change_s = min(max(since_s, self._end_s), now_s)
            before = self._grown(change_s)
            since_s = change_s
        self.reason = reason
        self._start_s = self._end_s = min(since_s, now_s)
        return before + self._grown(now_s)

    def end(self, now_s: float) -> list[Gap]:
        """There is something to look at, or nobody looks any more: the open gap with its end."""
        last = [] if self.reason is None else self._grown(now_s)
        self.reason = None
        return last

    def _grown(self, end_s: float) -> list[Gap]:
        assert self.reason is not None
        self._end_s = max(end_s, self._end_s)
        return [Gap(self._start_s, self._end_s, self.reason)]
