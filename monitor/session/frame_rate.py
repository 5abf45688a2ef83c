"""The rate of analysed frames, and notes when it is too low. Pure.

Frames that arrive while another is analysed are dropped, except the latest, so a slow machine analyses fewer
frames, but none late.
"""

from __future__ import annotations

from collections.abc import Iterable

WINDOW_S = 30.0
"""The rate is an average over this time, seconds, so that one slow frame does not matter."""

SLOW_SHARE, RECOVERED_SHARE = 0.8, 0.9
"""The rate is low below the first share of the target and normal again from the second. Two limits, so that a
rate near one of them is not reported again and again."""


class FrameRateMonitor:
    """The reached rate, in media seconds; ``target_fps`` is the configured one.

    One thread adds; ``fps`` may be called from any, because what it reads is replaced and never changed.
    """

    def __init__(self, target_fps: float) -> None:
        self.target_fps = target_fps
        self.is_slow = False
        self._first_s: float | None = None
        self._samples: tuple[float, ...] = ()
        self._gaps: tuple[tuple[float, float], ...] = ()
        self._noted_s = float("-inf")

    def add_sample(self, at_s: float) -> str | None:
        """Add a frame analysed at ``at_s``; returns a note for the timeline, if there is one."""
        if self._first_s is None:
            self._first_s = at_s
        oldest_s = at_s - WINDOW_S
        self._samples = (*(sample_s for sample_s in self._samples if sample_s > oldest_s), at_s)
        self._gaps = tuple(gap for gap in self._gaps if gap[1] > oldest_s)
        return self._rate_note(at_s)

    def add_gap(self, start_s: float, end_s: float) -> None:
        """Add a gap, or extend the one that began at ``start_s``; gaps do not lower the rate."""
        self._gaps = (*(gap for gap in self._gaps if gap[0] != start_s), (start_s, end_s))

    def fps(self, now_s: float) -> float:
        """Frames analysed per second over the last ``WINDOW_S`` before ``now_s``, without gaps; 0 in a
        gap."""
        first_s, samples = self._first_s, self._samples
        if first_s is None:
            return 0.0
        analysed_s = self._analysed_s(now_s, first_s)
        # The first frame opens the window, so it stands for the period before it.
        period_s = 1 / self.target_fps
        counted_s = min(WINDOW_S, analysed_s + period_s) if first_s > now_s - WINDOW_S else analysed_s
        return sum(sample_s > now_s - WINDOW_S for sample_s in samples) / counted_s if counted_s > 0 else 0.0

    def _analysed_s(self, now_s: float, first_s: float) -> float:
        from_s = max(first_s, now_s - WINDOW_S)
        return max(0.0, now_s - from_s - _overlap(self._gaps, from_s, now_s))

    def _rate_note(self, now_s: float) -> str | None:
        """No note before half a window was analysed (models load, the camera reconnects), and at most one per
        window."""
        if self._first_s is None or now_s - self._noted_s < WINDOW_S:
            return None
        if self._analysed_s(now_s, self._first_s) < WINDOW_S / 2:
            return None
        fps = self.fps(now_s)
        share = fps / self.target_fps
        if (share >= RECOVERED_SHARE) if self.is_slow else (share < SLOW_SHARE):
            self.is_slow = not self.is_slow
            self._noted_s = now_s
            state = "sampling rate low" if self.is_slow else "sampling rate back to normal"
            return f"{state}: {fps:.1f} of {self.target_fps:g} frames/s over the last {WINDOW_S:.0f} s"
        return None


def _overlap(intervals: Iterable[tuple[float, float]], from_s: float, until_s: float) -> float:
    return sum(max(0.0, min(end_s, until_s) - max(start_s, from_s)) for start_s, end_s in intervals)
