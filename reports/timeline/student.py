"""Student timelines: stored bins on the session's common grid. Pure.

Three states are distinct throughout: *not watched* (no frame was sampled), *absent* (frames were sampled, the
student was not in them) and *unknown* (the student was seen, but the face was not readable).
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
"""Intervals ``(start_s, end_s)`` of media time, in order, not overlapping."""

NO_EXPRESSION = -1
"""In ``StudentTimeline.leading_expression``: no expression in this bin."""


@dataclass(frozen=True, eq=False)
class BinGrid:
    """The bins of a session. ``watched_s`` ``(B,)``: seconds of each bin of ``bin_s`` seconds that sampled
    frames cover. ``unobserved_spans``: exact intervals without observation (gaps)."""

    bin_s: float
    watched_s: Floats
    unobserved_spans: Spans = ()

    @property
    def start_s(self) -> Floats:
        """``(B,)`` media time of the start of each bin."""
        return np.arange(len(self.watched_s), dtype=np.float64) * self.bin_s

    @property
    def is_watched(self) -> NDArray[np.bool_]:
        """``(B,)`` whether any frame was sampled."""
        return np.greater(self.watched_s, 0)


@dataclass(frozen=True, eq=False)
class StudentTimeline:
    """One student over the session's grid of ``B`` bins.

    All arrays are ``(B,)`` but ``probabilities`` ``(B, 7)``. NaN: ``probabilities`` without usable samples,
    ``yaw_deg`` and ``pitch_deg`` without head poses. Bins before the student's first appearance count as not
    seen. ``unreadable_reasons``: samples without an expression, by reason. ``own_watched_s``: watched seconds
    of this student, if they differ between students (online lessons: from joining to leaving).
    ``pose_counts``: usable samples by head pose (``model.poses``), ``(B,)`` each; 0 in bins whose poses are
    unknown.
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
        """``(B,)`` seconds of each bin that this student was watched."""
        return self.grid.watched_s if self.own_watched_s is None else self.own_watched_s

    @property
    def own_grid(self) -> BinGrid:
        """The grid with this student's own watched time."""
        return replace(self.grid, watched_s=self.watched_s)

    @property
    def leading_expression(self) -> Ints:
        """``(B,)`` index of the most probable expression, else ``NO_EXPRESSION``."""
        known = self.usable_samples > 0
        return np.where(known, np.nan_to_num(self.probabilities).argmax(axis=1), NO_EXPRESSION)

    @property
    def usable_s(self) -> Floats:
        """``(B,)`` seconds with an expression: seen time times the usable share of the seen samples."""
        return np.divide(self.seen_s * self.usable_samples, np.maximum(self.seen_samples, 1))

    @property
    def head_pose_s(self) -> Floats:
        """``(B,)`` seconds with a head direction, likewise."""
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
        """Samples facing the front by samples with a head direction; None without any."""
        poses = int(self.pose_samples.sum())
        return int(self.facing_samples.sum()) / poses if poses else None

    @property
    def dominant_expression(self) -> Emotion | None:
        """The expression that led for most usable time; None without usable time."""
        led_s = [self.leading_s(emotion) for emotion in Emotion]
        return Emotion(int(np.argmax(led_s))) if max(led_s) > 0 else None

    def leading_s(self, emotion: Emotion) -> float:
        """Usable seconds in the bins led by this expression."""
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

    The watched time of a bin is that of its rows. Rows begin with the first student, so the session's
    remaining watched time (an empty room) is spread over the bins before, outside ``unobserved_spans``. Later
    bins without rows stay unwatched, as do all bins without rows in an online lesson.
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
    """``(count,)`` seconds of each bin inside the spans."""
    starts = np.arange(count) * bin_s
    covered = np.zeros(count)
    for start_s, end_s in spans:
        covered += np.clip(np.minimum(starts + bin_s, end_s) - np.maximum(starts, start_s), 0, None)
    return np.minimum(covered, bin_s)


def bin_index(row: TimelineBin, bin_s: float) -> int:
    """The index of a stored bin on a grid of ``bin_s`` seconds."""
    return round(row.start_s / bin_s)


def build_student_timelines(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    bins: Iterable[TimelineBin],
    unobserved_spans: Spans = (),
) -> tuple[StudentTimeline, ...]:
    """One timeline per student, in the same order; ``bins`` in any order. Raises ValueError for a bin of a
    student that is not in ``students``."""
    rows = [row for row in bins if row.student_id is not None]
    grid = build_session_grid(session, rows, unobserved_spans)
    by_student: dict[int | None, list[TimelineBin]] = {student.id: [] for student in students}
    for row in rows:
        if row.student_id not in by_student:
            raise ValueError(f"a bin belongs to the unknown student {row.student_id}")
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
    reasons: Counter[str] = Counter()
    for cell, row in zip(cells, rows, strict=True):
        reasons.update(row.unreadable_reasons)
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
        unreadable_reasons=dict(sorted(reasons.items())),
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
