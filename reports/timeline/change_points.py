"""The moments at which a class changed most. Pure.

Around every moment each student is compared with themself: the two minutes before against the two minutes
after. A moment is told only where the students' differences agree by more than chance allows. The test is a
sign-flip permutation of whole students (Fisher 1935, The Design of Experiments, ch. 3): if nothing happened,
a student's differences are as likely to have the opposite sign. A student keeps one sign for all moments and
measures, so that bins in a row, and measures that go together, need not be independent; students must be.
The largest statistic of each flip is what a moment is held against (Westfall and Young 1993), so that of a
hundred lectures in which nothing happened at most five name a change, however many moments were looked at.
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
"""Seconds on each side: a change that is over sooner is an event, not another phase. Not tuned."""

MIN_SIDE_S = 30.0
"""A student with less readable time on a side is not compared at that moment. Not tuned."""

MIN_STUDENTS = 6
"""Even if all five of five agree, chance does that in 2 of 32 flips, which is more than ``ALPHA``."""

MIN_CHANGE = 0.10
"""Ten points: of a large class smaller changes are certain too, but not worth a sentence. Not tuned."""

ALPHA = 0.05
MAX_CHANGE_POINTS = 3
PERMUTATIONS = 999
_SEED = 1933
"""Fixed, so that a report made again says the same."""


class ChangeMeasure(StrEnum):
    """What may change besides an expression."""

    SEEN = "seen"
    FACING = "facing"
    EYES_CLOSED = "eyes_closed"


@dataclass(frozen=True)
class ChangePoint:
    """At ``at_s`` (media seconds) the mean over ``students`` of a share (of an expression: of its mean
    probability, 0..1) went from ``before`` to ``after``; ``p_value`` is adjusted for all that was looked at."""

    at_s: float
    measure: ChangeMeasure | Emotion
    before: float
    after: float
    students: int
    p_value: float

    @property
    def size(self) -> float:
        """How far it went, 0..1, whichever way."""
        return abs(self.after - self.before)


@dataclass(frozen=True, eq=False)
class _BeforeAfter:
    """Means before and after, ``(S, C)`` for ``C`` moments; NaN on both sides where one is unknown."""

    measure: ChangeMeasure | Emotion
    before: Floats
    after: Floats

    @property
    def differences(self) -> Floats:
        """``(S, C)``, 0 where unknown. What is left over from adding up must not look like agreement."""
        change = np.nan_to_num(self.after - self.before)
        return np.where(np.abs(change) < 1e-9, 0.0, change)


def find_change_points(
    lines: Sequence[StudentTimeline], *, expressions: bool, min_change: float = MIN_CHANGE
) -> tuple[ChangePoint, ...]:
    """At most ``MAX_CHANGE_POINTS`` moments by time, whose windows do not overlap; the largest were taken first.

    ``expressions`` says whether they are looked at too. Lessons shorter than two windows have no moment.
    """
    width = max(1, round(WINDOW_S / lines[0].grid.bin_s)) if lines else 0
    if len(lines) < MIN_STUDENTS or len(lines[0].grid.watched_s) < 2 * width:
        return ()
    pairs = [_before_after(*series, width) for series in _series(lines, expressions)]
    chances = _adjusted_p_values([pair.differences for pair in pairs])
    found = [
        change
        for pair, p in zip(pairs, chances, strict=True)
        for change in _significant(pair, p, width, lines[0].grid.bin_s, min_change)
    ]
    return _non_overlapping(found, 2 * width * lines[0].grid.bin_s)


def _series(
    lines: Sequence[StudentTimeline], expressions: bool
) -> list[tuple[ChangeMeasure | Emotion, Floats, Floats]]:
    """Each measure with values and weights in seconds, both ``(S, B)``."""
    seen_s = np.array([line.seen_s for line in lines])
    per_sample_s = seen_s / np.maximum([line.seen_samples for line in lines], 1)
    watched_s = np.array([line.watched_s for line in lines])
    poses = np.array([line.pose_samples for line in lines])
    eyes = np.array([line.eye_samples for line in lines])
    facing = np.array([line.facing_samples for line in lines]) / np.maximum(poses, 1)
    shut = np.array([line.closed_samples for line in lines]) / np.maximum(eyes, 1)
    found: list[tuple[ChangeMeasure | Emotion, Floats, Floats]] = [
        (ChangeMeasure.SEEN, np.minimum(seen_s / np.maximum(watched_s, 1e-9), 1.0), watched_s),
        (ChangeMeasure.FACING, facing, np.array([line.head_pose_s for line in lines])),
        (ChangeMeasure.EYES_CLOSED, shut, eyes * per_sample_s),
    ]
    if expressions:
        usable_s = np.array([line.usable_s for line in lines])
        means = np.array([line.probabilities for line in lines])
        found += [(emotion, means[:, :, emotion], usable_s) for emotion in Emotion]
    return found


def _before_after(
    measure: ChangeMeasure | Emotion, values: Floats, weights: Floats, width: int
) -> _BeforeAfter:
    means, enough = _windows(np.nan_to_num(values) * weights, weights, width)
    before, after = means[:, :-width], means[:, width:]
    both = enough[:, :-width] & enough[:, width:]
    return _BeforeAfter(measure, np.where(both, before, np.nan), np.where(both, after, np.nan))


def _windows(weighted: Floats, weights: Floats, width: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Means over ``width`` bins from each bin on, and whether there is enough behind them."""
    first = np.zeros((len(weights), 1))
    sums, whole = (np.cumsum(np.hstack([first, part]), axis=1) for part in (weighted, weights))
    amount, time_s = sums[:, width:] - sums[:, :-width], whole[:, width:] - whole[:, :-width]
    enough = time_s >= MIN_SIDE_S
    means = np.divide(amount, time_s, out=np.zeros_like(amount), where=enough)
    return np.clip(means, 0, 1), enough  # all are shares; a difference of long sums may end beside 0 or 1


def _adjusted_p_values(differences: Sequence[Floats]) -> list[Floats]:
    """The adjusted p of every moment, ``(C,)`` for each measure."""
    signs = np.random.default_rng(_SEED).choice([-1.0, 1.0], (PERMUTATIONS, len(differences[0])))
    observed = [_statistic(np.ones((1, len(d))), d)[0] for d in differences]
    largest = np.max([_statistic(signs, d).max(axis=1) for d in differences], axis=0)
    return [
        (1 + (largest[:, None] >= one[None, :] - 1e-9).sum(axis=0)) / (PERMUTATIONS + 1) for one in observed
    ]


def _statistic(signs: Floats, differences: Floats) -> Floats:
    """``(P, C)``: sum over root of the sum of squares, which grows with the paired t and is at most the
    root of the number of students; a flip leaves the squares as they are."""
    squares = (differences**2).sum(axis=0)
    sums = np.abs(signs @ differences)
    return np.asarray(np.divide(sums, np.sqrt(squares), out=np.zeros_like(sums), where=squares > 0))


def _significant(
    pair: _BeforeAfter, p_values: Floats, width: int, bin_s: float, min_change: float
) -> list[ChangePoint]:
    students = (~np.isnan(pair.before)).sum(axis=0)
    found = []
    for place in np.flatnonzero((p_values <= ALPHA) & (students >= MIN_STUDENTS)):
        before, after = (float(np.nanmean(side[:, place])) for side in (pair.before, pair.after))
        if abs(after - before) >= min_change:
            at_s = float((place + width) * bin_s)
            found.append(
                ChangePoint(at_s, pair.measure, before, after, int(students[place]), float(p_values[place]))
            )
    return found


def _non_overlapping(candidates: Sequence[ChangePoint], min_distance_s: float) -> tuple[ChangePoint, ...]:
    kept: list[ChangePoint] = []
    for change in sorted(candidates, key=lambda change: (-change.size, change.at_s)):
        if len(kept) < MAX_CHANGE_POINTS and all(
            abs(change.at_s - one.at_s) >= min_distance_s for one in kept
        ):
            kept.append(change)
    return tuple(sorted(kept, key=lambda change: change.at_s))
