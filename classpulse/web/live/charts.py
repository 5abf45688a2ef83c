"""The class over the last minutes, as the columns and bands of two charts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from db.records import GapRecord, MarkerRecord, Mode, SessionRecord, StudentRecord, TimelineBin
from model.emotions import Emotion
from reports.charts.resampling import Columns, columns, round_columns
from reports.timeline.classroom import ClassTimeline, aggregate_timeline, class_timeline
from reports.timeline.gaps import Unseen, unseen
from reports.timeline.student import Floats, Grid, session_grid, student_timelines

WINDOW_S, LEAST_S = 600.0, 120.0
"""So much is shown, up to now; less at the beginning, but never less than the latter."""

WIDTH = 600.0
"""Of a chart, in its own units."""

MOST_ROWS = 12
"""Of the table with the same data."""

HEADS = ("front", "turned", "unreadable", "unseen")
"""The bands of ``ClassTimeline.head_shares``, the lowest first."""

STACKED = (
    Emotion.SAD, Emotion.FEAR, Emotion.ANGRY, Emotion.DISGUST, Emotion.SURPRISE, Emotion.HAPPY,
    Emotion.NEUTRAL,
)  # fmt: skip
"""The expressions in the order of the report's charts (``reports.charts.style.COLOURS``)."""

FACES = (*(emotion.label for emotion in STACKED), "unreadable", "unseen")


@dataclass(frozen=True)
class Column:
    """From ``start_s`` to ``end_s`` (media seconds): ``shares`` of the class by band, 0..1, None where there
    is nothing to show: not watched, or (``few``) fewer people than may be shown."""

    start_s: float
    end_s: float
    shares: tuple[float, ...] | None
    few: bool = False


@dataclass(frozen=True)
class Chart:
    """One chart: its bands' names from the bottom up, its columns, and the same in coarser ``rows``."""

    bands: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Column, ...]

    def path(self, band: int, x: Callable[[float], float]) -> str:
        """The band as an SVG path; ``x`` of media seconds, y in 0..100 from the top."""
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
class Curves:
    """The last minutes up to ``until_s``: charts of heads and, unless the mode computes none, of expressions;
    ``gaps`` and ``markers`` that lie in them."""

    until_s: float
    heads: Chart
    faces: Chart | None
    gaps: tuple[Unseen, ...]
    markers: tuple[MarkerRecord, ...]

    @property
    def left_s(self) -> float:
        """Media time of the left edge; negative in the first ``LEAST_S``."""
        return self.until_s - self._shown_s

    def x(self, media_s: float) -> float:
        """Where a moment is in a chart, 0..``WIDTH``."""
        return WIDTH * min(1.0, max(0.0, (media_s - self.left_s) / self._shown_s))

    @property
    def _shown_s(self) -> float:
        return min(WINDOW_S, max(LEAST_S, self.until_s))


def curves(
    session: SessionRecord,
    students: Sequence[StudentRecord],
    bins: Iterable[TimelineBin],
    gaps: Iterable[GapRecord] = (),
    markers: Iterable[MarkerRecord] = (),
) -> Curves:
    """The curves of a session that is running, from what is stored of its last minutes."""
    known = {student.id for student in students}
    # A student may be renamed or handed to the roster between two reads.
    rows = [row for row in bins if row.student_id is None or row.student_id in known]
    unwatched = unseen(((gap.start_s, gap.end_s, gap.reason) for gap in gaps), session.end_s)
    spans = tuple((gap.start_s, gap.end_s) for gap in unwatched)
    if session.mode == Mode.AGGREGATE:
        whole = aggregate_timeline(session, rows, spans)
    else:
        lines = student_timelines(session, students, rows, spans)
        whole = class_timeline(lines, lines[0].grid if lines else session_grid(session, rows, spans))
    left_s = session.end_s - WINDOW_S
    first = max(0, int(left_s // session.bin_s))
    faces = None
    if session.mode != Mode.BEHAVIOUR:
        order = [*STACKED, 7, 8]
        faces = _chart(FACES, whole, whole.face_shares[:, order], first, session.end_s)
    return Curves(
        session.end_s,
        _chart(HEADS, whole, whole.head_shares, first, session.end_s),
        faces,
        tuple(gap for gap in unwatched if gap.end_s > left_s),
        tuple(marker for marker in markers if marker.at_s >= left_s),
    )


def _chart(bands: tuple[str, ...], whole: ClassTimeline, shares: Floats, first: int, until_s: float) -> Chart:
    grid = Grid(whole.grid.bin_s, whole.grid.watched_s[first:])
    if not len(grid.watched_s):
        return Chart(bands, (), ())
    enough = (whole.people_seen[first:] >= whole.least_people).astype(np.int64)

    def cut(cols: Columns) -> tuple[Column, ...]:
        means = cols.means(shares[first:], grid.watched_s)
        few = (cols.sums(grid.watched_s) > 0) & (cols.sums(enough) == 0)
        edges_s = cols.edges_s + first * grid.bin_s
        return tuple(
            Column(
                float(edges_s[n]),
                min(float(edges_s[n + 1]), until_s),
                None if np.isnan(means[n]).any() else tuple(float(share) for share in means[n]),
                few=bool(few[n]),
            )
            for n in range(len(means))
        )

    return Chart(bands, cut(columns(grid)), cut(round_columns(grid, MOST_ROWS)))
