"""The class timeline, from the students' timelines or from the bins of ``mode: aggregate``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from db.records import SessionRecord, TimelineBin
from model.emotions import EMOTIONS, Emotion
from reports.timeline.student import (
    BinGrid,
    Floats,
    Ints,
    Spans,
    StudentTimeline,
    bin_index,
    build_session_grid,
)

MIN_CLASS_SIZE = 5
"""Minimum students for a class figure in ``mode: aggregate``: from a mean of four, three students that
know their own values can infer the fourth."""


@dataclass(frozen=True, eq=False)
class ClassTimeline:
    """The class over the grid; all arrays ``(B,)`` but ``probabilities`` ``(B, 7)``; NaN is unknown.

    ``students_seen``: students seen in the bin. ``seen_share``, ``head_pose_share``, ``usable_share``: seen
    time, time with a head direction and time with an expression, by watched time, 0..1. ``probabilities``:
    mean over students, weighted by usable time; ``students_usable``: how many it rests on. ``facing_share``:
    samples facing the front by samples with a head direction. ``closed_share``: samples with closed eyes by
    samples with a known eye state. Bins with fewer students than ``min_students`` are NaN except
    ``students_seen``.
    """

    grid: BinGrid
    student_count: int
    students_seen: Ints
    students_usable: Ints
    seen_share: Floats
    probabilities: Floats
    head_pose_share: Floats
    facing_share: Floats
    closed_share: Floats
    usable_share: Floats
    min_students: int = 1

    @property
    def expression_shares(self) -> dict[Emotion, float]:
        """Mean probability of each expression over the session, weighted by students, summing to 1; empty
        if no expression was computed."""
        known = self.students_usable > 0
        if not known.any():
            return {}
        means = np.average(self.probabilities[known], axis=0, weights=self.students_usable[known])
        return {emotion: float(means[emotion]) for emotion in Emotion}

    @property
    def mean_seen_share(self) -> float | None:
        """Mean share of the watched time that a student was seen, 0..1."""
        return _weighted_mean(self.seen_share, self.grid.watched_s)

    @property
    def head_shares(self) -> Floats:
        """``(B, 4)`` shares of the class facing the front, turned away, seen without a head direction, and
        not seen; rows sum to 1 or are NaN."""
        facing = self.head_pose_share * np.nan_to_num(self.facing_share)
        parts = (
            facing,
            self.head_pose_share - facing,
            self.seen_share - self.head_pose_share,
            1 - self.seen_share,
        )
        return np.asarray(np.clip(np.stack(parts, axis=1), 0, 1))

    @property
    def face_shares(self) -> Floats:
        """``(B, 9)`` shares of the class with each of the seven expressions, seen without an expression,
        and not seen; rows sum to 1 or are NaN."""
        expressions = np.nan_to_num(self.probabilities) * self.usable_share[:, None]
        rest = np.stack([self.seen_share - self.usable_share, 1 - self.seen_share], axis=1)
        return np.asarray(np.clip(np.hstack([expressions, rest]), 0, 1))

    @property
    def mean_facing_share(self) -> float | None:
        """Share of heads facing the front over the session, weighted by students seen, 0..1."""
        return _weighted_mean(self.facing_share, self.students_seen)


def class_timeline(timelines: Sequence[StudentTimeline], grid: BinGrid) -> ClassTimeline:
    """The class from its students' timelines on ``grid``."""
    count = len(grid.watched_s)
    seen_s = np.array([line.seen_s for line in timelines]).reshape(len(timelines), count)
    weights = np.array([line.usable_s for line in timelines]).reshape(len(timelines), count)
    means = np.array([line.probabilities for line in timelines]).reshape(len(timelines), count, len(EMOTIONS))
    posed_s = np.array([line.head_pose_s for line in timelines]).reshape(len(timelines), count)
    poses, facing, eyes, closed = (
        np.array([getattr(line, name) for line in timelines]).reshape(len(timelines), count).sum(axis=0)
        for name in ("pose_samples", "facing_samples", "eye_samples", "closed_samples")
    )
    weighted = (np.nan_to_num(means) * weights[:, :, None]).sum(axis=0)
    watched_s = np.array([line.watched_s for line in timelines]).reshape(len(timelines), count).sum(axis=0)
    return ClassTimeline(
        grid=grid,
        student_count=len(timelines),
        students_seen=(seen_s > 0).sum(axis=0),
        students_usable=(weights > 0).sum(axis=0),
        seen_share=np.minimum(_divide(seen_s.sum(axis=0), watched_s), 1.0),
        probabilities=_divide(weighted, weights.sum(axis=0)[:, None]),
        head_pose_share=np.minimum(_divide(posed_s.sum(axis=0), watched_s), 1.0),
        facing_share=_divide(facing, poses),
        closed_share=_divide(closed, eyes),
        usable_share=np.minimum(_divide(weights.sum(axis=0), watched_s), 1.0),
    )


def aggregate_timeline(
    session: SessionRecord, bins: Iterable[TimelineBin], unobserved_spans: Spans = ()
) -> ClassTimeline:
    """The class from the bins of ``mode: aggregate`` (``student_id`` None). Its size is the largest number
    of students in any bin."""
    rows = [row for row in bins if row.student_id is None]
    grid = build_session_grid(session, rows, unobserved_spans)
    count = len(grid.watched_s)
    people, (seen_s, posed_s, usable_s) = np.zeros(count, np.int64), np.zeros((3, count))
    means = np.full((count, len(EMOTIONS)), np.nan)
    facing, closed = np.full(count, np.nan), np.full(count, np.nan)
    for row in rows:
        cell = bin_index(row, session.bin_s)
        people[cell] = row.student_count if row.seen_samples else 0
        seen_s[cell] = row.seen_s
        posed_s[cell] = row.seen_s * min(row.pose_samples / max(row.seen_samples, 1), 1.0)
        usable_s[cell] = row.seen_s * min(row.usable_samples / max(row.seen_samples, 1), 1.0)
        if people[cell] >= MIN_CLASS_SIZE:
            means[cell] = np.nan if row.probabilities is None else row.probabilities
            facing[cell] = row.facing_samples / row.pose_samples if row.pose_samples else np.nan
            closed[cell] = row.closed_samples / row.eye_samples if row.eye_samples else np.nan
    largest = int(people.max(initial=0))
    enough = grid.is_watched & (people >= MIN_CLASS_SIZE)

    def share(of_s: Floats) -> Floats:
        return np.where(enough, np.minimum(_divide(of_s, grid.watched_s * largest), 1.0), np.nan)

    return ClassTimeline(
        grid=grid,
        student_count=largest,
        students_seen=people,
        students_usable=np.where(np.isnan(means[:, 0]), 0, people),
        seen_share=share(seen_s),
        probabilities=means,
        head_pose_share=share(posed_s),
        facing_share=facing,
        closed_share=closed,
        usable_share=share(usable_s),
        min_students=MIN_CLASS_SIZE,
    )


def _divide(amount: Floats | Ints, whole: Floats | Ints) -> Floats:
    """``amount / whole``, NaN where ``whole`` is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, amount / whole, np.nan)


def _weighted_mean(values: Floats, weights: Floats | Ints) -> float | None:
    known = ~np.isnan(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else None
