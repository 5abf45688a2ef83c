"""Change points of a class. Pure.

At every bin, each student's two minutes before are compared with the two minutes after. The test is a
sign-flip permutation over students (Fisher 1935, The Design of Experiments, ch. 3): without a change, a
student's differences are as likely to have the opposite sign. Each student has one sign for all bins and
measures, so bins and measures may be dependent; students must be independent. Each statistic is compared with
the largest one of every permutation (Westfall and Young 1993), which bounds the family-wise error: without
any change, at most 5 % of lectures have a change point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from model.emotions import Emotion
from reports.timeline.student import Floats, StudentTimeline

WINDOW_S = 120.0
"""Seconds on each side; a shorter change is an event, not a new phase. Heuristic, not tuned on data."""

MIN_SIDE_S = 30.0
"""Minimum known time of a student on each side. Heuristic, not tuned on data."""

MIN_STUDENTS = 6
"""Five students agree by chance in 2 of 32 sign flips, which is more than ``ALPHA``."""

MIN_CHANGE = 0.10
"""Ten points: in a large class smaller changes are significant but irrelevant. Heuristic, not tuned on
data."""

ALPHA = 0.05
MAX_CHANGE_POINTS = 3
PERMUTATIONS = 999
_SEED = 1933
"""Fixed, so that reports are reproducible."""


class ChangeMeasure(StrEnum):
    """Measures of a change point other than expressions. The values are stored in the JSON."""

    SEEN = "seen"
    FACING = "facing"
    EYES_CLOSED = "eyes_closed"


@dataclass(frozen=True)
class ChangePoint:
    """At ``at_s`` (media seconds) the mean of a share over ``students`` students (of an expression: of its
    mean probability), 0..1, went from ``before`` to ``after``. ``p_value`` is adjusted for all bins and
    measures."""

    at_s: float
    measure: ChangeMeasure | Emotion
    before: float
    after: float
    students: int
    p_value: float

    @property
    def size(self) -> float:
        """Absolute change, 0..1."""
        return abs(self.after - self.before)


@dataclass(frozen=True, eq=False)
class _BeforeAfter:
    """Means before and after each of ``C`` candidate bins, ``(S, C)``; NaN in both if one is unknown."""

    measure: ChangeMeasure | Emotion
    before: Floats
    after: Floats

    @property
    def differences(self) -> Floats:
        """``(S, C)``, 0 where unknown. Rounding errors of sums are set to 0, or they would look like
        agreement."""
        change = np.nan_to_num(self.after - self.before)
        return np.where(np.abs(change) < 1e-9, 0.0, change)


def find_change_points(
    lines: Sequence[StudentTimeline], *, expressions: bool, min_change: float = MIN_CHANGE
) -> tuple[ChangePoint, ...]:
    """The largest change points whose windows do not overlap, at most ``MAX_CHANGE_POINTS``, by time.

    ``expressions``: whether to include them. Sessions shorter than two windows have none.
    """
    width = max(1, round(WINDOW_S / lines[0].grid.bin_s)) if lines else 0
    if len(lines) < MIN_STUDENTS or len(lines[0].grid.watched_s) < 2 * width:
        return ()
    pairs = [_before_after(*series, width) for series in _series(lines, expressions)]
    p_values = _adjusted_p_values([pair.differences for pair in pairs])
    candidates = [
        change
        for pair, p in zip(pairs, p_values, strict=True)
        for change in _significant(pair, p, width, lines[0].grid.bin_s, min_change)
    ]
    return _non_overlapping(candidates, 2 * width * lines[0].grid.bin_s)


def _series(
    lines: Sequence[StudentTimeline], expressions: bool
) -> list[tuple[ChangeMeasure | Emotion, Floats, Floats]]:
    """Each measure with its values and weights (seconds), both ``(S, B)``."""
    seen_s = np.array([line.seen_s for line in lines])
    per_sample_s = seen_s / np.maximum([line.seen_samples for line in lines], 1)
    watched_s = np.array([line.watched_s for line in lines])
    poses = np.array([line.pose_samples for line in lines])
    eyes = np.array([line.eye_samples for line in lines])
    facing = np.array([line.facing_samples for line in lines]) / np.maximum(poses, 1)
    closed = np.array([line.closed_samples for line in lines]) / np.maximum(eyes, 1)
    series: list[tuple[ChangeMeasure | Emotion, Floats, Floats]] = [
        (ChangeMeasure.SEEN, np.minimum(seen_s / np.maximum(watched_s, 1e-9), 1.0), watched_s),
        (ChangeMeasure.FACING, facing, np.array([line.head_pose_s for line in lines])),
        (ChangeMeasure.EYES_CLOSED, closed, eyes * per_sample_s),
    ]
    if expressions:
        usable_s = np.array([line.usable_s for line in lines])
        means = np.array([line.probabilities for line in lines])
        series += [(emotion, means[:, :, emotion], usable_s) for emotion in Emotion]
    return series


def _before_after(
    measure: ChangeMeasure | Emotion, values: Floats, weights: Floats, width: int
) -> _BeforeAfter:
    means, enough = _windows(np.nan_to_num(values) * weights, weights, width)
    before, after = means[:, :-width], means[:, width:]
    both = enough[:, :-width] & enough[:, width:]
    return _BeforeAfter(measure, np.where(both, before, np.nan), np.where(both, after, np.nan))


def _windows(weighted: Floats, weights: Floats, width: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Means over ``width`` bins from each bin on, and whether their weight is sufficient."""
    first = np.zeros((len(weights), 1))
    sums, whole = (np.cumsum(np.hstack([first, part]), axis=1) for part in (weighted, weights))
    amount, time_s = sums[:, width:] - sums[:, :-width], whole[:, width:] - whole[:, :-width]
    enough = time_s >= MIN_SIDE_S
    means = np.divide(amount, time_s, out=np.zeros_like(amount), where=enough)
    return np.clip(means, 0, 1), enough  # shares; differences of cumulative sums have rounding errors


def _adjusted_p_values(differences: Sequence[Floats]) -> list[Floats]:
    """The adjusted p-values of all candidates, ``(C,)`` per measure."""
    signs = np.asarray(
        np.random.default_rng(_SEED).choice([-1.0, 1.0], (PERMUTATIONS, len(differences[0]))), np.float64
    )
    observed = [_statistic(np.ones((1, len(d))), d)[0] for d in differences]
    largest = np.max([_statistic(signs, d).max(axis=1) for d in differences], axis=0)
    return [
        (1 + (largest[:, None] >= statistics[None, :] - 1e-9).sum(axis=0)) / (PERMUTATIONS + 1)
        for statistics in observed
    ]


def _statistic(signs: Floats, differences: Floats) -> Floats:
    """``(P, C)``: sum over the root of the sum of squares, a monotone function of the paired t statistic,
    at most the root of the number of students; sign flips do not change the squares."""
    squares = (differences**2).sum(axis=0)
    sums = np.abs(signs @ differences)
    return np.asarray(np.divide(sums, np.sqrt(squares), out=np.zeros_like(sums), where=squares > 0))


def _significant(
    pair: _BeforeAfter, p_values: Floats, width: int, bin_s: float, min_change: float
) -> list[ChangePoint]:
    students = (~np.isnan(pair.before)).sum(axis=0)
    changes = []
    for n in np.flatnonzero((p_values <= ALPHA) & (students >= MIN_STUDENTS)):
        before, after = (float(np.nanmean(side[:, n])) for side in (pair.before, pair.after))
        if abs(after - before) >= min_change:
            at_s = float((n + width) * bin_s)
            changes.append(
                ChangePoint(at_s, pair.measure, before, after, int(students[n]), float(p_values[n]))
            )
    return changes


def _non_overlapping(candidates: Sequence[ChangePoint], min_distance_s: float) -> tuple[ChangePoint, ...]:
    kept: list[ChangePoint] = []
    for change in sorted(candidates, key=lambda change: (-change.size, change.at_s)):
        if len(kept) < MAX_CHANGE_POINTS and all(
            abs(change.at_s - accepted.at_s) >= min_distance_s for accepted in kept
        ):
            kept.append(change)
    return tuple(sorted(kept, key=lambda change: change.at_s))
