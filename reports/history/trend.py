"""Whether something rises or falls over the weeks, robustly. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from reports.language import N_, _, word
from reports.words import decimal, percent

LEAST_SESSIONS = 5
"""With four, even a perfect order comes by chance in 2 of 24 cases: no interval of 95 % can leave zero out.
Of five it is 2 of 120 (Kendall 1938)."""

CONFIDENCE = 0.95
_WEEK_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Trend:
    """The median slope over all pairs of ``sessions`` (Theil 1950; Sen 1968), shares a week, with its
    interval; None where there are too few sessions or all are of one time. ``level`` is the line's value at
    ``at``, the first session."""

    sessions: int
    per_week: float | None = None
    low: float | None = None
    high: float | None = None
    at: datetime | None = None
    level: float | None = None

    @property
    def direction(self) -> str | None:
        """``rising`` or ``falling`` where the interval leaves zero out, else ``not clear``; None without a
        trend."""
        if self.low is None or self.high is None:
            return None
        return N_("rising") if self.low > 0 else N_("falling") if self.high < 0 else N_("not clear")

    @property
    def told(self) -> str:
        """``+2 points a week (−1 to +4), not clear``, or that there are too few."""
        if self.per_week is None or self.low is None or self.high is None:
            return _(
                "not enough sessions to tell a trend (%(sessions)s of %(needed)s)",
                sessions=self.sessions,
                needed=LEAST_SESSIONS,
            )
        return _(
            "%(slope)s\u00a0points a week (%(confidence)s interval %(low)s to %(high)s), %(direction)s",
            slope=_signed(self.per_week),
            confidence=percent(CONFIDENCE),
            low=_signed(self.low),
            high=_signed(self.high),
            direction=word(self.direction or ""),
        )

    @property
    def short(self) -> str:
        """``+2 (−1 to +4)``, with an arrow where it is clear; ``3 of 5`` sessions where there are too few."""
        if self.per_week is None or self.low is None or self.high is None:
            return _("%(sessions)s of %(needed)s sessions", sessions=self.sessions, needed=LEAST_SESSIONS)
        arrow = {"rising": " ↑", "falling": " ↓"}.get(self.direction or "", "")
        ends = _("%(low)s to %(high)s", low=_signed(self.low), high=_signed(self.high))
        return f"{_signed(self.per_week)} ({ends}){arrow}"

    def value(self, moment: datetime) -> float | None:
        """The line at a moment."""
        if self.per_week is None or self.at is None or self.level is None:
            return None
        return self.level + self.per_week * (moment - self.at).total_seconds() / _WEEK_S


def trend(levels: Sequence[tuple[datetime, float]]) -> Trend:
    """The trend of shares 0..1 at aware times, in any order. Each session counts once."""
    ordered = sorted(levels)
    if len(ordered) < LEAST_SESSIONS or ordered[0][0] == ordered[-1][0]:
        return Trend(min(len(ordered), LEAST_SESSIONS - 1))
    # Here and not above: scipy.stats takes more than a second to import.
    from scipy.stats import theilslopes

    first = ordered[0][0]
    weeks = np.array([(moment - first).total_seconds() / _WEEK_S for moment, __ in ordered])
    slope, level, low, high = theilslopes([share for __, share in ordered], weeks, CONFIDENCE)
    return Trend(len(ordered), float(slope), float(low), float(high), first, float(level))


def _signed(change: float) -> str:
    """Points with one decimal, as a change of a week is small."""
    rounded = round(change * 100, 1)
    return f"{'−' if rounded < 0 else '+' if rounded else ''}{decimal(abs(rounded))}"
