"""Bins merged into columns of visible width.

The 720 five-second bins of an hour would be a fifth of a millimetre each on 130 mm of paper, and make large
files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from reports.timeline.classroom import ClassTimeline
from reports.timeline.student import BinGrid, Floats, Ints, StudentTimeline

MAX_CHART_COLUMNS = 120

ROUND_LENGTHS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600)
"""Column lengths of tables, seconds."""


class ColumnState(IntEnum):
    """What is known about a student in a column."""

    NOT_WATCHED = 0
    ABSENT = 1
    UNKNOWN = 2
    KNOWN = 3
    TOO_FEW = 4
    """Class only: fewer students than may be shown."""


@dataclass(frozen=True, eq=False)
class TimeColumns:
    """``C`` columns of ``bins_per_column`` bins each, with ``edges_s`` ``(C + 1,)`` in media seconds."""

    edges_s: Floats
    bins_per_column: int

    def sums(self, values: Floats | Ints) -> Floats:
        """``(B, ...)`` summed to ``(C, ...)``; NaN counts as 0."""
        count = len(self.edges_s) - 1
        padding = [(0, count * self.bins_per_column - len(values))] + [(0, 0)] * (values.ndim - 1)
        padded = np.pad(np.nan_to_num(values.astype(np.float64)), padding)
        return np.asarray(padded.reshape(count, self.bins_per_column, *values.shape[1:]).sum(axis=1))

    def means(self, values: Floats, weights: Floats | Ints) -> Floats:
        """``(B, ...)`` averaged to ``(C, ...)`` with weights ``(B,)``; NaN if these sum to 0."""
        shape = (-1,) + (1,) * (values.ndim - 1)
        known = ~np.isnan(values.reshape(len(values), -1)).any(axis=1)
        weights = np.where(known, weights, 0.0)
        whole = self.sums(weights).reshape(shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(whole > 0, self.sums(values * weights.reshape(shape)) / whole, np.nan)


def make_time_columns(grid: BinGrid, max_columns: int = MAX_CHART_COLUMNS) -> TimeColumns:
    """At most ``max_columns`` columns for a grid of at least one bin."""
    return _make_columns(grid, -(-len(grid.watched_s) // max_columns))


def make_round_time_columns(grid: BinGrid, max_columns: int) -> TimeColumns:
    """At most ``max_columns`` columns of a round length (a minute, five, ten), for tables."""
    fitting = (step for step in ROUND_LENGTHS_S if step * max_columns >= len(grid.watched_s) * grid.bin_s)
    return _make_columns(grid, max(1, round(next(fitting, ROUND_LENGTHS_S[-1]) / grid.bin_s)))


def _make_columns(grid: BinGrid, bins_per_column: int) -> TimeColumns:
    bins = len(grid.watched_s)
    count = -(-bins // bins_per_column)
    edges = np.minimum(np.arange(count + 1) * bins_per_column, bins) * grid.bin_s
    return TimeColumns(edges, bins_per_column)


def expression_states(line: StudentTimeline, columns: TimeColumns) -> Ints:
    """``(C,)`` the ``ColumnState`` of most of each column's watched time, for expressions."""
    return _majority_states(line, columns, columns.sums(line.usable_s))


def direction_states(line: StudentTimeline, columns: TimeColumns) -> Ints:
    """``(C,)`` the same for the head direction."""
    return _majority_states(line, columns, columns.sums(line.head_pose_s))


def class_states(timeline: ClassTimeline, columns: TimeColumns, is_known: NDArray[np.bool_]) -> Ints:
    """``(C,)`` the state of the class; ``is_known`` ``(C,)``: columns with a value."""
    unwatched = columns.sums(timeline.grid.watched_s) == 0
    unseen = columns.sums(timeline.students_seen) == 0
    many = columns.sums((timeline.students_seen >= timeline.min_students).astype(np.int64)) > 0
    choices = [ColumnState.KNOWN, ColumnState.NOT_WATCHED, ColumnState.ABSENT, ColumnState.UNKNOWN]
    states = np.select([is_known, unwatched, unseen, many], choices, ColumnState.TOO_FEW)
    return np.asarray(states, np.int64)


def _majority_states(line: StudentTimeline, columns: TimeColumns, known_s: Floats) -> Ints:
    watched_s, seen_s = columns.sums(line.watched_s), columns.sums(line.seen_s)
    spans = np.stack([watched_s - seen_s, seen_s - known_s, known_s])
    # Reversed: argmax resolves ties in favour of the state that knows more.
    states = ColumnState.KNOWN - spans[::-1].argmax(axis=0)
    return np.where(watched_s > 0, states, ColumnState.NOT_WATCHED).astype(np.int64)
