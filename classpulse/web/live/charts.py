"""Two stacked charts of the class over the last minutes: head direction and expressions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from db.records import AnalysisMode, GapRecord, MarkerRecord, SessionRecord, StudentRecord, TimelineBin
from model.emotions import Emotion
from reports.charts.resampling import TimeColumns, make_round_time_columns, make_time_columns
from reports.timeline.classroom import ClassTimeline, aggregate_timeline, class_timeline
from reports.timeline.gaps import UnobservedInterval, find_unobserved_intervals
from reports.timeline.student import BinGrid, Floats, build_session_grid, build_student_timelines

WINDOW_S, MIN_WINDOW_S = 600.0, 120.0
"""The charts show the last ``WINDOW_S``; at the beginning of a lesson less, but at least ``MIN_WINDOW_S``."""

CHART_WIDTH = 600.0
"""Width of a chart, SVG units."""

MAX_TABLE_ROWS = 12
"""Rows of the table with the same data."""

HEAD_BANDS = ("front", "turned", "unreadable", "unseen")
"""The bands of ``ClassTimeline.head_shares``, from the bottom up."""

STACKING_ORDER = (
    Emotion.SAD, Emotion.FEAR, Emotion.ANGRY, Emotion.DISGUST, Emotion.SURPRISE, Emotion.HAPPY,
    Emotion.NEUTRAL,
)  # fmt: skip
"""The order of the report's charts (``reports.charts.style.EXPRESSION_COLOURS``)."""

EXPRESSION_BANDS = (*(emotion.label for emotion in STACKING_ORDER), "unreadable", "unseen")


@dataclass(frozen=True)
class ChartColumn:
    """``shares`` of the class per band (0..1) from ``start_s`` to ``end_s`` (media seconds); None if nothing
    was observed or, with ``below_minimum``, too few students were seen."""

    start_s: float
    end_s: float
    shares: tuple[float, ...] | None
    below_minimum: bool = False


@dataclass(frozen=True)
class BandChart:
    """One chart: names of the bands from the bottom up, columns, and coarser ``rows`` for the table."""

    bands: tuple[str, ...]
    columns: tuple[ChartColumn, ...]
    rows: tuple[ChartColumn, ...]

    def path(self, band: int, x: Callable[[float], float]) -> str:
        """The band as an SVG path. ``x`` maps media seconds to x coordinates; y is 0..100 from the top."""
        parts = []
        for column in self.columns:
            if column.shares is None or column.shares[band] <= 0:
                continue
            below = sum(column.shares[:band])
            top, bottom = 100 * (1 - below - column.shares[band]), 100 * (1 - below)
            left, right = x(column.start_s), x(column.end_s)
            parts.append(f"M{left:.1f} {top:.1f}H{right:.1f}V{bottom:.1f}H{left:.1f}Z")
        return "".join(parts)


@dataclass(frozen=True)
class LiveCharts:
    """Charts of the last minutes up to ``until_s`` with the gaps and markers in them. ``expressions`` is None
    if the mode computes none."""

    until_s: float
    heads: BandChart
    expressions: BandChart | None
    gaps: tuple[UnobservedInterval, ...]
    markers: tuple[MarkerRecord, ...]

    @property
    def left_s(self) -> float:
        """Media time of the left edge; negative in the first ``MIN_WINDOW_S``."""
        return self.until_s - self._shown_s

    def x(self, media_s: float) -> float:
        """The x coordinate of a media time, 0..``CHART_WIDTH``."""
        return CHART_WIDTH * min(1.0, max(0.0, (media_s - self.left_s) / self._shown_s))

    @property
    def _shown_s(self) -> float:
        return min(WINDOW_S, max(MIN_WINDOW_S, self.until_s))


def live_charts(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    bins: Iterable[TimelineBin],
    gaps: Iterable[GapRecord] = (),
    markers: Iterable[MarkerRecord] = (),
) -> LiveCharts:
    """The charts of a running session from the stored data of its last minutes."""
    known_ids = {student.id for student in students}
    # A student may be merged into the roster between the two reads.
    rows = [row for row in bins if row.student_id is None or row.student_id in known_ids]
    unwatched = find_unobserved_intervals(
        ((gap.start_s, gap.end_s, gap.reason) for gap in gaps), session.end_s
    )
    spans = tuple((gap.start_s, gap.end_s) for gap in unwatched)
    if session.mode == AnalysisMode.AGGREGATE:
        timeline = aggregate_timeline(session, rows, spans)
    else:
        timelines = build_student_timelines(session, students, rows, spans)
        timeline = class_timeline(
            timelines, timelines[0].grid if timelines else build_session_grid(session, rows, spans)
        )
    left_s = session.end_s - WINDOW_S
    first = max(0, int(left_s // session.bin_s))
    expressions = None
    if session.mode != AnalysisMode.BEHAVIOUR:
        order = [*STACKING_ORDER, 7, 8]
        expressions = _band_chart(
            EXPRESSION_BANDS, timeline, timeline.face_shares[:, order], first, session.end_s
        )
    return LiveCharts(
        session.end_s,
        _band_chart(HEAD_BANDS, timeline, timeline.head_shares, first, session.end_s),
        expressions,
        tuple(gap for gap in unwatched if gap.end_s > left_s),
        tuple(marker for marker in markers if marker.at_s >= left_s),
    )


def _band_chart(
    bands: tuple[str, ...], timeline: ClassTimeline, shares: Floats, first: int, until_s: float
) -> BandChart:
    grid = BinGrid(timeline.grid.bin_s, timeline.grid.watched_s[first:])
    if not len(grid.watched_s):
        return BandChart(bands, (), ())
    has_minimum = (timeline.students_seen[first:] >= timeline.min_students).astype(np.int64)

    def columns_of(time_columns: TimeColumns) -> tuple[ChartColumn, ...]:
        means = time_columns.means(shares[first:], grid.watched_s)
        below_minimum = (time_columns.sums(grid.watched_s) > 0) & (time_columns.sums(has_minimum) == 0)
        edges_s = time_columns.edges_s + first * grid.bin_s
        return tuple(
            ChartColumn(
                float(edges_s[n]),
                min(float(edges_s[n + 1]), until_s),
                None if np.isnan(means[n]).any() else tuple(float(share) for share in means[n]),
                below_minimum=bool(below_minimum[n]),
            )
            for n in range(len(means))
        )

    return BandChart(
        bands, columns_of(make_time_columns(grid)), columns_of(make_round_time_columns(grid, MAX_TABLE_ROWS))
    )
