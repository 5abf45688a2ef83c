"""Stored bins become one timeline per student, on the session's common grid of bins.

Pure: NumPy and dataclasses. Three things are kept apart throughout, because a report that mixes
them misleads: *not watched* (no frame was sampled: a pulled cable), *absent* (frames were sampled,
the student was not in them) and *unknown* (the student was seen, but the face did not tell).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from db.records import ONLINE_SOURCE, SessionRecord, StudentRecord, TimelineBin
from model.emotions import EMOTIONS, Emotion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Spans = Sequence[tuple[float, float]]
"""Stretches of media time ``(start_s, end_s)``, by time; none lies in another."""

NO_EXPRESSION = -1
"""In ``StudentTimeline.leading``: no expression in this bin."""


@dataclass(frozen=True, eq=False)
class BinGrid:
    """The bins that all timelines of a session share: ``watched_s`` ``(B,)`` is how much of each
    bin of ``bin_s`` seconds sampled frames cover, 0 where nothing was watched. ``unobserved_spans`` is where that is
    known to the moment, because there was nothing to look at."""

    bin_s: float
    watched_s: Floats
    unobserved_spans: Spans = ()

    @property
    def start_s(self) -> Floats:
        """``(B,)`` media time at which each bin starts."""
        return np.arange(len(self.watched_s)) * self.bin_s

    @property
    def is_watched(self) -> NDArray[np.bool_]:
        """``(B,)`` whether any frame was sampled."""
        return np.greater(self.watched_s, 0)


@dataclass(frozen=True, eq=False)
class StudentTimeline:
    """One student over the session's grid of ``B`` bins.

    All arrays have shape ``(B,)`` but ``probabilities`` ``(B, 7)``, float64, which is NaN where no
    sample was usable, as ``yaw_deg`` and ``pitch_deg`` are where no direction was read. Bins before the
    student first appeared count as not seen. ``unreadable_reasons`` totals the reasons for samples without an
    expression. ``own_watched_s`` is how much of each bin this student was watched, where that is not the
    same for all: in an online lesson nobody is watched before they have joined, nor after they have left.
    ``pose_counts`` counts the usable samples of each bin at each head pose (``model.poses``), ``(B,)`` each; all
    are 0 in bins whose poses are not known.
    """

    student_id: int
    pseudonym: str
    grid: BinGrid
    seen_s: Floats
    samples: Ints
    seen_samples: Ints
    usable_samples: Ints
    pose_samples: Ints
    facing_samples: Ints
    yaw_deg: Floats
    pitch_deg: Floats
    eye_samples: Ints
    closed_samples: Ints
    probabilities: Floats
    unreadable_reasons: Mapping[str, int]
    own_watched_s: Floats | None = None
    pose_counts: Mapping[str, Ints] = field(default_factory=dict)

    @property
    def watched_s(self) -> Floats:
        """``(B,)`` how much of each bin this student was watched, seconds."""
        return self.grid.watched_s if self.own_watched_s is None else self.own_watched_s

    @property
    def own_grid(self) -> BinGrid:
        """The grid with this student's own watched time."""
        return replace(self.grid, watched_s=self.watched_s)

    @property
    def leading_expression(self) -> Ints:
        """``(B,)`` the index of the most probable expression, ``NO_EXPRESSION`` where there is none."""
        known = self.usable_samples > 0
        return np.where(known, np.nan_to_num(self.probabilities).argmax(axis=1), NO_EXPRESSION)

    @property
    def usable_s(self) -> Floats:
        """``(B,)`` seconds seen with an expression: the usable share of the seen samples."""
        return np.divide(self.seen_s * self.usable_samples, np.maximum(self.seen_samples, 1))

    @property
    def head_pose_s(self) -> Floats:
        """``(B,)`` seconds seen with a head direction: the same of the samples with one."""
        share = self.pose_samples / np.maximum(self.seen_samples, 1)
        return np.asarray(self.seen_s * np.minimum(share, 1.0))

    @property
    def coverage(self) -> float:
        """Seen time by watched time, 0..1; 0 if nothing was watched."""
        return _share(self.seen_s.sum(), self.watched_s.sum())

    @property
    def usable_share(self) -> float:
        """Usable time by seen time, 0..1; 0 if never seen."""
        return _share(self.usable_s.sum(), self.seen_s.sum())

    @property
    def facing_share(self) -> float | None:
        """Samples facing the front by samples with a head direction; None if there are none."""
        poses = int(self.pose_samples.sum())
        return int(self.facing_samples.sum()) / poses if poses else None

    @property
    def dominant_expression(self) -> Emotion | None:
        """The expression that led for most usable time; None if there was none."""
        led_s = [self.leading_s(emotion) for emotion in Emotion]
        return Emotion(int(np.argmax(led_s))) if max(led_s) > 0 else None

    def leading_s(self, emotion: Emotion) -> float:
        """Usable seconds in the bins that this expression led."""
        return float(self.usable_s[self.leading_expression == emotion].sum())

    @property
    def first_seen_s(self) -> float | None:
        """Media time of the first bin with the student; None if never seen."""
        bins = np.flatnonzero(self.seen_s > 0)
        return float(self.grid.start_s[bins[0]]) if len(bins) else None


def build_session_grid(
    session: SessionRecord, bins: Iterable[TimelineBin], unobserved_spans: Spans = ()
) -> BinGrid:
    """The grid from the session's start to its last sample.

    A bin's watched time is what the stored rows say. Rows begin with the first student, so watched
    time of the session that no row accounts for lies before it, where the room was still empty;
    it is spread over those bins, but for what of them is ``unobserved_spans``. A gap after that has no rows and stays
    unwatched, as does what comes before the first in an online lesson.
    """
    rows = list(bins)
    cells = [bin_index(row, session.bin_s) for row in rows]
    count = max([int(np.ceil(session.end_s / session.bin_s - 1e-6)), *(cell + 1 for cell in cells)])
    if count == 0 and session.watched_s > 0:
        count = 1  # a single frame at 0 s
    watched_s = np.zeros(count)
    for cell, row in zip(cells, rows, strict=True):
        watched_s[cell] = max(watched_s[cell], row.watched_s)
    leading = min(cells, default=count)
    if leading and session.source != ONLINE_SOURCE:
        unaccounted_s = max(0.0, session.watched_s - float(watched_s.sum()))
        seeable_s = session.bin_s - overlap_s(unobserved_spans, session.bin_s, leading)
        watched_s[:leading] = seeable_s * min(1.0, unaccounted_s / max(float(seeable_s.sum()), 1e-9))
    return BinGrid(session.bin_s, watched_s, tuple(unobserved_spans))


def overlap_s(spans: Spans, bin_s: float, count: int) -> Floats:
    """``(count,)`` how much of each bin lies in the spans, seconds."""
    starts = np.arange(count) * bin_s
    covered = np.zeros(count)
    for start_s, end_s in spans:
        covered += np.clip(np.minimum(starts + bin_s, end_s) - np.maximum(starts, start_s), 0, None)
    return np.minimum(covered, bin_s)


def bin_index(row: TimelineBin, bin_s: float) -> int:
    """The place of a stored bin on a grid of ``bin_s`` seconds."""
    return round(row.start_s / bin_s)


def build_student_timelines(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    bins: Iterable[TimelineBin],
    unobserved_spans: Spans = (),
) -> tuple[StudentTimeline, ...]:
    """A timeline for every student, in their order; bins may come in any order.

    Raises ValueError for a bin of somebody who is not in ``students``.
    """
    rows = [row for row in bins if row.student_id is not None]
    grid = build_session_grid(session, rows, unobserved_spans)
    by_student: dict[int | None, list[TimelineBin]] = {student.id: [] for student in students}
    for row in rows:
        if row.student_id not in by_student:
            raise ValueError(
                f"a bin belongs to student {row.student_id}, who is not among the students given"
            )
        by_student[row.student_id].append(row)
    own = session.source == ONLINE_SOURCE
    return tuple(
        _build_student_timeline(student, grid, by_student[student.id], has_own_watched_time=own)
        for student in students
    )


def _build_student_timeline(
    student: StudentRecord, grid: BinGrid, rows: Sequence[TimelineBin], *, has_own_watched_time: bool
) -> StudentTimeline:
    count = len(grid.watched_s)
    cells = np.array([bin_index(row, grid.bin_s) for row in rows], np.int64)
    means = np.full((count, len(EMOTIONS)), np.nan)
    unknown: Counter[str] = Counter()
    for cell, row in zip(cells, rows, strict=True):
        unknown.update(row.unreadable_reasons)
        if row.probabilities is not None:
            means[cell] = row.probabilities
    return StudentTimeline(
        student_id=student.id,
        pseudonym=student.pseudonym,
        grid=grid,
        seen_s=_scatter(count, cells, [row.seen_s for row in rows]),
        samples=_scatter_counts(count, cells, [row.samples for row in rows]),
        seen_samples=_scatter_counts(count, cells, [row.seen_samples for row in rows]),
        usable_samples=_scatter_counts(count, cells, [row.usable_samples for row in rows]),
        pose_samples=_scatter_counts(count, cells, [row.pose_samples for row in rows]),
        facing_samples=_scatter_counts(count, cells, [row.facing_samples for row in rows]),
        yaw_deg=_scatter_angles(count, cells, [row.yaw_deg for row in rows]),
        pitch_deg=_scatter_angles(count, cells, [row.pitch_deg for row in rows]),
        eye_samples=_scatter_counts(count, cells, [row.eye_samples for row in rows]),
        closed_samples=_scatter_counts(count, cells, [row.closed_samples for row in rows]),
        probabilities=means,
        unreadable_reasons=dict(sorted(unknown.items())),
        own_watched_s=_scatter(count, cells, [row.watched_s for row in rows])
        if has_own_watched_time
        else None,
        pose_counts=_scatter_pose_counts(count, cells, rows),
    )


def _scatter(count: int, cells: Ints, values: Sequence[float]) -> Floats:
    placed = np.zeros(count)
    placed[cells] = values
    return placed


def _scatter_counts(count: int, cells: Ints, values: Sequence[int]) -> Ints:
    return _scatter(count, cells, values).astype(np.int64)


def _scatter_pose_counts(count: int, cells: Ints, rows: Sequence[TimelineBin]) -> dict[str, Ints]:
    known = [row.pose_counts if sum(row.pose_counts.values()) == row.usable_samples else {} for row in rows]
    names = sorted({pose for row in known for pose in row})
    return {name: _scatter_counts(count, cells, [row.get(name, 0) for row in known]) for name in names}


def _scatter_angles(count: int, cells: Ints, values: Sequence[float | None]) -> Floats:
    placed = np.full(count, np.nan)
    placed[cells] = [np.nan if value is None else value for value in values]
    return placed


def _share(amount: float, whole: float) -> float:
    return min(1.0, float(amount / whole)) if whole > 0 else 0.0
