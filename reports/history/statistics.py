"""Means over students, differences and robust trends, with confidence intervals. Pure."""

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
    """``value`` over ``student_count`` students with its interval, which is None for a single student and
    for class figures."""

    value: float
    low: float | None
    high: float | None
    student_count: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval (of a difference) does not contain zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def estimate_mean(values: Sequence[float | None], confidence: float = ESTIMATE_CONFIDENCE) -> Estimate | None:
    """The mean of students' shares 0..1 with Student's t interval, clipped to 0..1; None values are
    ignored. Returns None if all are."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    estimate = _make_estimate(
        float(np.mean(known)), _standard_error(known), len(known) - 1.0, len(known), confidence
    )
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return estimate
    return Estimate(estimate.value, max(0.0, low), min(1.0, high), estimate.student_count)


def estimate_paired_difference(
    pairs: Sequence[tuple[float | None, float | None]], confidence: float = ESTIMATE_CONFIDENCE
) -> Estimate | None:
    """The mean of second minus first over students with both values, with the paired t interval; None
    without any."""
    changes = [after - before for before, after in pairs if before is not None and after is not None]
    if not changes:
        return None
    return _make_estimate(
        float(np.mean(changes)), _standard_error(changes), len(changes) - 1.0, len(changes), confidence
    )


def estimate_unpaired_difference(
    before: Sequence[float | None], after: Sequence[float | None], confidence: float = ESTIMATE_CONFIDENCE
) -> Estimate | None:
    """The difference of two means, second minus first, of different students, with Welch's interval (1947,
    Biometrika 34, 28-35). None if either mean is unknown."""
    first, second = ([value for value in values if value is not None] for values in (before, after))
    if not first or not second:
        return None
    count, change = len(first) + len(second), float(np.mean(second) - np.mean(first))
    if min(len(first), len(second)) < 2:
        return Estimate(change, None, None, count)
    variances = [_standard_error(values) ** 2 for values in (first, second)]
    denominator = sum(
        variance**2 / (len(values) - 1) for variance, values in zip(variances, (first, second), strict=True)
    )
    degrees_of_freedom = sum(variances) ** 2 / denominator if denominator else count - 2.0
    return _make_estimate(change, math.sqrt(sum(variances)), degrees_of_freedom, count, confidence)


def estimate_share_change(before: ShareEstimate, after: ShareEstimate) -> Estimate:
    """The change of a student's share; the intervals are combined by Newcombe's square-and-add (1998,
    Statistics in Medicine 17, 873-890, method 10)."""
    change = after.share - before.share
    down = math.hypot(after.share - after.low, before.high - before.share)
    up = math.hypot(after.high - after.share, before.share - before.low)
    return Estimate(change, change - down, change + up, 1)


def _standard_error(values: Sequence[float]) -> float:
    """Standard error of the mean; 0 for a single value."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _make_estimate(
    value: float, standard_error: float, degrees_of_freedom: float, student_count: int, confidence: float
) -> Estimate:
    if degrees_of_freedom < 1:
        return Estimate(value, None, None, student_count)
    # Imported here: SciPy takes a third of a second, and most commands need no interval.
    from scipy.special import stdtrit

    half = float(stdtrit(degrees_of_freedom, 0.5 + confidence / 2)) * standard_error
    return Estimate(value, value - half, value + half, student_count)


MIN_SESSIONS = 5
"""A perfect order of four occurs by chance in 2 of 24 cases, so no 95 % interval can exclude zero; of
five, in 2 of 120 (Kendall 1938)."""
_WEEK_S = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Trend:
    """The median slope over all pairs of ``sessions`` (Theil 1950; Sen 1968), share per week, with its
    interval; None with too few sessions or if all have the same time. ``start_share``: value of the line
    at ``start_at``, the first session."""

    sessions: int
    slope_per_week: float | None = None
    low: float | None = None
    high: float | None = None
    start_at: datetime | None = None
    start_share: float | None = None

    @property
    def direction(self) -> str | None:
        """``rising`` or ``falling`` if the interval excludes zero, else ``not clear``; None without a
        trend."""
        if self.low is None or self.high is None:
            return None
        return N_("rising") if self.low > 0 else N_("falling") if self.high < 0 else N_("not clear")

    @property
    def text(self) -> str:
        """``+2 points per week (95 % interval −1 to +4), not clear``, or that there are too few sessions."""
        if self.slope_per_week is None or self.low is None or self.high is None:
            return _(
                "not enough lessons for a trend (%(sessions)s of %(needed)s)",
                sessions=self.sessions,
                needed=MIN_SESSIONS,
            )
        return _(
            "%(slope)s\u00a0points per week (%(confidence)s interval %(low)s to %(high)s), %(direction)s",
            slope=_format_points(self.slope_per_week),
            confidence=format_percent(ESTIMATE_CONFIDENCE),
            low=_format_points(self.low),
            high=_format_points(self.high),
            direction=translate_word(self.direction or ""),
        )

    @property
    def short_text(self) -> str:
        """``+2 (−1 to +4)``, with an arrow if clear; ``3 of 5 lessons`` if there are too few."""
        if self.slope_per_week is None or self.low is None or self.high is None:
            return _("%(sessions)s of %(needed)s lessons", sessions=self.sessions, needed=MIN_SESSIONS)
        arrow = {"rising": " ↑", "falling": " ↓"}.get(self.direction or "", "")
        ends = _("%(low)s to %(high)s", low=_format_points(self.low), high=_format_points(self.high))
        return f"{_format_points(self.slope_per_week)} ({ends}){arrow}"

    def value_at(self, at: datetime) -> float | None:
        """The value of the line at a time; None without a trend."""
        if self.slope_per_week is None or self.start_at is None or self.start_share is None:
            return None
        return self.start_share + self.slope_per_week * (at - self.start_at).total_seconds() / _WEEK_S


def compute_trend(levels: Sequence[tuple[datetime, float]]) -> Trend:
    """The trend of shares 0..1 at aware times, in any order."""
    ordered = sorted(levels)
    if len(ordered) < MIN_SESSIONS or ordered[0][0] == ordered[-1][0]:
        return Trend(min(len(ordered), MIN_SESSIONS - 1))
    # Imported here: scipy.stats takes more than a second.
    from scipy.stats import theilslopes

    first = ordered[0][0]
    weeks = np.array([(at - first).total_seconds() / _WEEK_S for at, __ in ordered])
    slope, intercept, low, high = theilslopes([share for __, share in ordered], weeks, ESTIMATE_CONFIDENCE)
    return Trend(len(ordered), float(slope), float(low), float(high), first, float(intercept))


def _format_points(change: float) -> str:
    """Points with one decimal; changes per week are small."""
    rounded = round(change * 100, 1)
    return f"{'−' if rounded < 0 else '+' if rounded else ''}{format_decimal(abs(rounded))}"
