"""A mean over students, and the difference of two, with their intervals. Pure.

Whether something rises or falls over the weeks, robustly. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from db.records import ShareEstimate
from reports.text.formatting import format_decimal, format_percent
from reports.text.i18n import N_, _, translate_word

ESTIMATE_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """``value_at`` over ``student_count`` students, with the ends of its interval; None of a single student, who has no
    spread, and where nothing is kept about students."""

    value: float
    low: float | None
    high: float | None
    student_count: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval of a difference leaves zero out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def estimate_mean(values: Sequence[float | None], confidence: float = ESTIMATE_CONFIDENCE) -> Estimate | None:
    """The mean of shares 0..1 in which each student counts once, with Student's t interval cut to 0..1; the
    unknown are left out. None if all are."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    found = _make_estimate(
        float(np.mean(known)), _standard_error(known), len(known) - 1.0, len(known), confidence
    )
    low, high = found.low, found.high
    if low is None or high is None:
        return found
    return Estimate(found.value, max(0.0, low), min(1.0, high), found.student_count)


def estimate_paired_difference(
    pairs: Sequence[tuple[float | None, float | None]], confidence: float = ESTIMATE_CONFIDENCE
) -> Estimate | None:
    """The mean change of the students of whom both are known, second less first, with the interval of the
    paired t test. None if there are none."""
    changes = [after - before for before, after in pairs if before is not None and after is not None]
    if not changes:
        return None
    return _make_estimate(
        float(np.mean(changes)), _standard_error(changes), len(changes) - 1.0, len(changes), confidence
    )


def estimate_unpaired_difference(
    before: Sequence[float | None], after: Sequence[float | None], confidence: float = ESTIMATE_CONFIDENCE
) -> Estimate | None:
    """The difference of two means, second less first, of different students, with Welch's interval (1947,
    Biometrika 34, 28-35). None if one of the two is unknown."""
    one, other = ([value for value in values if value is not None] for values in (before, after))
    if not one or not other:
        return None
    people, change = len(one) + len(other), float(np.mean(other) - np.mean(one))
    if min(len(one), len(other)) < 2:
        return Estimate(change, None, None, people)
    parts = [_standard_error(values) ** 2 for values in (one, other)]
    spread = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (one, other), strict=True))
    freedom = sum(parts) ** 2 / spread if spread else people - 2.0
    return _make_estimate(change, math.sqrt(sum(parts)), freedom, people, confidence)


def estimate_share_change(before: ShareEstimate, after: ShareEstimate) -> Estimate:
    """How a student's share changed: the two intervals joined by Newcombe's square-and-add (1998,
    Statistics in Medicine 17, 873-890, method 10)."""
    change = after.share - before.share
    down = math.hypot(after.share - after.low, before.high - before.share)
    up = math.hypot(after.high - after.share, before.share - before.low)
    return Estimate(change, change - down, change + up, 1)


def _standard_error(values: Sequence[float]) -> float:
    """The standard error of the mean; 0 of a single value."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _make_estimate(
    value: float, standard_error: float, degrees_of_freedom: float, student_count: int, confidence: float
) -> Estimate:
    if degrees_of_freedom < 1:
        return Estimate(value, None, None, student_count)
    # Here and not above: most of the history prints no interval, and scipy takes a third of a second.
    from scipy.special import stdtrit

    half = float(stdtrit(degrees_of_freedom, 0.5 + confidence / 2)) * standard_error
    return Estimate(value, value - half, value + half, student_count)


MIN_SESSIONS = 5
"""With four, even a perfect order comes by chance in 2 of 24 cases: no interval of 95 % can leave zero out.
Of five it is 2 of 120 (Kendall 1938)."""
_WEEK_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Trend:
    """The median slope over all pairs of ``sessions`` (Theil 1950; Sen 1968), shares a week, with its
    interval; None where there are too few sessions or all are of one time. ``start_share`` is the line's value at
    ``start_at``, the first session."""

    sessions: int
    slope_per_week: float | None = None
    low: float | None = None
    high: float | None = None
    start_at: datetime | None = None
    start_share: float | None = None

    @property
    def direction(self) -> str | None:
        """``rising`` or ``falling`` where the interval leaves zero out, else ``not clear``; None without a
        trend."""
        if self.low is None or self.high is None:
            return None
        return N_("rising") if self.low > 0 else N_("falling") if self.high < 0 else N_("not clear")

    @property
    def text(self) -> str:
        """``+2 points a week (−1 to +4), not clear``, or that there are too few."""
        if self.slope_per_week is None or self.low is None or self.high is None:
            return _(
                "not enough sessions to tell a trend (%(sessions)s of %(needed)s)",
                sessions=self.sessions,
                needed=MIN_SESSIONS,
            )
        return _(
            "%(slope)s\u00a0points a week (%(confidence)s interval %(low)s to %(high)s), %(direction)s",
            slope=_format_points(self.slope_per_week),
            confidence=format_percent(ESTIMATE_CONFIDENCE),
            low=_format_points(self.low),
            high=_format_points(self.high),
            direction=translate_word(self.direction or ""),
        )

    @property
    def short_text(self) -> str:
        """``+2 (−1 to +4)``, with an arrow where it is clear; ``3 of 5`` sessions where there are too few."""
        if self.slope_per_week is None or self.low is None or self.high is None:
            return _("%(sessions)s of %(needed)s sessions", sessions=self.sessions, needed=MIN_SESSIONS)
        arrow = {"rising": " ↑", "falling": " ↓"}.get(self.direction or "", "")
        ends = _("%(low)s to %(high)s", low=_format_points(self.low), high=_format_points(self.high))
        return f"{_format_points(self.slope_per_week)} ({ends}){arrow}"

    def value_at(self, at: datetime) -> float | None:
        """The line at a moment."""
        if self.slope_per_week is None or self.start_at is None or self.start_share is None:
            return None
        return self.start_share + self.slope_per_week * (at - self.start_at).total_seconds() / _WEEK_S


def compute_trend(levels: Sequence[tuple[datetime, float]]) -> Trend:
    """The trend of shares 0..1 at aware times, in any order. Each session counts once."""
    ordered = sorted(levels)
    if len(ordered) < MIN_SESSIONS or ordered[0][0] == ordered[-1][0]:
        return Trend(min(len(ordered), MIN_SESSIONS - 1))
    # Here and not above: scipy.stats takes more than a second to import.
    from scipy.stats import theilslopes

    first = ordered[0][0]
    weeks = np.array([(moment - first).total_seconds() / _WEEK_S for moment, __ in ordered])
    slope, level, low, high = theilslopes([share for __, share in ordered], weeks, ESTIMATE_CONFIDENCE)
    return Trend(len(ordered), float(slope), float(low), float(high), first, float(level))


def _format_points(change: float) -> str:
    """Points with one decimal, as a change of a week is small."""
    rounded = round(change * 100, 1)
    return f"{'−' if rounded < 0 else '+' if rounded else ''}{format_decimal(abs(rounded))}"
