"""How many pictures a second are looked at, and saying so when it is fewer than wanted. Pure.

The newest picture wins: while one is looked at, those that come are dropped, so a machine that is too slow or
too busy looks at fewer, and later ones are not late.
"""

from __future__ import annotations

from collections.abc import Iterable

WINDOW_S = 30.0
"""The rate is told over the last half minute: long enough that one slow sample is no news."""

SLOW_SHARE, RECOVERED_SHARE = 0.8, 0.9
"""Below the first share of the wanted rate it is said that fewer are looked at, from the second on that it is
enough again; between the two nothing changes, so that a rate at the border is not news each second."""


class FrameRateMonitor:
    """The rate that is reached, in media seconds. ``target_fps`` is the one asked for.

    One loop adds; ``fps`` may be asked from any thread, because what it reads is replaced and never changed.
    """

    def __init__(self, target_fps: float) -> None:
        self.target_fps = target_fps
        self.is_slow = False
        self._first_s: float | None = None
        self._samples: tuple[float, ...] = ()
        self._gaps: tuple[tuple[float, float], ...] = ()
        self._noted_s = float("-inf")

    def add_sample(self, at_s: float) -> str | None:
        """A picture of ``at_s`` was looked at; returns what is to be noted there, if anything."""
        if self._first_s is None:
            self._first_s = at_s
        oldest_s = at_s - WINDOW_S
        self._samples = (*(one for one in self._samples if one > oldest_s), at_s)
        self._gaps = tuple(gap for gap in self._gaps if gap[1] > oldest_s)
        return self._rate_note(at_s)

    def add_gap(self, start_s: float, end_s: float) -> None:
        """There was nothing to look at from ``start_s`` on, so far until ``end_s``: no fault of the pace."""
        self._gaps = (*(gap for gap in self._gaps if gap[0] != start_s), (start_s, end_s))

    def fps(self, now_s: float) -> float:
        """Pictures looked at a second over the last half minute before ``now_s``, gaps left out; 0 where
        nothing could be."""
        begun_s, samples = self._first_s, self._samples
        if begun_s is None:
            return 0.0
        looked_s = self._analysed_s(now_s, begun_s)
        # The first sample opens the time that is counted, so it stands for the period before it.
        period_s = 1 / self.target_fps
        counted_s = min(WINDOW_S, looked_s + period_s) if begun_s > now_s - WINDOW_S else looked_s
        return sum(one > now_s - WINDOW_S for one in samples) / counted_s if counted_s > 0 else 0.0

    def _analysed_s(self, now_s: float, begun_s: float) -> float:
        from_s = max(begun_s, now_s - WINDOW_S)
        return max(0.0, now_s - from_s - _overlap(self._gaps, from_s, now_s))

    def _rate_note(self, now_s: float) -> str | None:
        """Nothing before half of the window was looked at (the models are loading, the camera is just back),
        and nothing twice in one window."""
        begun_s = self._first_s
        if begun_s is None or now_s - self._noted_s < WINDOW_S:
            return None
        if self._analysed_s(now_s, begun_s) < WINDOW_S / 2:
            return None
        fps = self.fps(now_s)
        share = fps / self.target_fps
        if (share >= RECOVERED_SHARE) if self.is_slow else (share < SLOW_SHARE):
            self.is_slow = not self.is_slow
            self._noted_s = now_s
            what = "fewer pictures are looked at" if self.is_slow else "enough pictures are looked at again"
            return f"{what}: {fps:.1f} of {self.target_fps:g} a second over the last half minute"
        return None


def _overlap(intervals: Iterable[tuple[float, float]], from_s: float, until_s: float) -> float:
    return sum(max(0.0, min(end_s, until_s) - max(start_s, from_s)) for start_s, end_s in intervals)
