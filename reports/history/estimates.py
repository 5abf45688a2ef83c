"""A mean over students, and the difference of two, with their intervals. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.records import Level

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """``value`` over ``people`` students, with the ends of its interval; None of a single student, who has no
    spread, and where nothing is kept about students."""

    value: float
    low: float | None
    high: float | None
    people: int

    @property
    def clear(self) -> bool:
        """Whether the interval of a difference leaves zero out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def mean_over(values: Sequence[float | None], confidence: float = CONFIDENCE) -> Estimate | None:
    """The mean of shares 0..1 in which each student counts once, with Student's t interval cut to 0..1; the
    unknown are left out. None if all are."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    found = _estimate(float(np.mean(known)), _error(known), len(known) - 1.0, len(known), confidence)
    low, high = found.low, found.high
    if low is None or high is None:
        return found
    return Estimate(found.value, max(0.0, low), min(1.0, high), found.people)


def paired(
    pairs: Sequence[tuple[float | None, float | None]], confidence: float = CONFIDENCE
) -> Estimate | None:
    """The mean change of the students of whom both are known, second less first, with the interval of the
    paired t test. None if there are none."""
    changes = [after - before for before, after in pairs if before is not None and after is not None]
    if not changes:
        return None
    return _estimate(float(np.mean(changes)), _error(changes), len(changes) - 1.0, len(changes), confidence)


def unpaired(
    before: Sequence[float | None], after: Sequence[float | None], confidence: float = CONFIDENCE
) -> Estimate | None:
    """The difference of two means, second less first, of different students, with Welch's interval (1947,
    Biometrika 34, 28-35). None if one of the two is unknown."""
    one, other = ([value for value in values if value is not None] for values in (before, after))
    if not one or not other:
        return None
    people, change = len(one) + len(other), float(np.mean(other) - np.mean(one))
    if min(len(one), len(other)) < 2:
        return Estimate(change, None, None, people)
    parts = [_error(values) ** 2 for values in (one, other)]
    spread = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (one, other), strict=True))
    freedom = sum(parts) ** 2 / spread if spread else people - 2.0
    return _estimate(change, math.sqrt(sum(parts)), freedom, people, confidence)


def level_change(before: Level, after: Level) -> Estimate:
    """How a student's share changed: the two intervals joined by Newcombe's square-and-add (1998,
    Statistics in Medicine 17, 873-890, method 10)."""
    change = after.share - before.share
    down = math.hypot(after.share - after.low, before.high - before.share)
    up = math.hypot(after.high - after.share, before.share - before.low)
    return Estimate(change, change - down, change + up, 1)


def _error(values: Sequence[float]) -> float:
    """The standard error of the mean; 0 of a single value."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _estimate(value: float, error: float, freedom: float, people: int, confidence: float) -> Estimate:
    if freedom < 1:
        return Estimate(value, None, None, people)
    # Here and not above: most of the history prints no interval, and scipy takes a third of a second.
    from scipy.special import stdtrit

    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * error
    return Estimate(value, value - half, value + half, people)
