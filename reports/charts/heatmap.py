"""Heat maps, one row per student: resemblance to sadness, or head turned away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from model.emotions import Emotion
from reports.charts.resampling import (
    ColumnState,
    TimeColumns,
    direction_states,
    expression_states,
    make_time_columns,
)
from reports.charts.style import (
    EYES_CLOSED_COLOUR,
    SADNESS_LEVELS,
    TURNED_LEVELS,
    WIDTH_IN,
    FigureWithAlt,
    chart_style,
    draw_cells,
    draw_states,
    draw_time_axis,
    draw_unobserved,
    legend_states,
    state_handles,
)
from reports.text.formatting import format_count, format_percent, join_items
from reports.text.i18n import _
from reports.text.names import isolate, shorten_name, strip_isolates
from reports.timeline.student import BinGrid, Floats, Ints, StudentTimeline

MAX_HEAT_MAP_ROWS = 40
"""Rows of one chart: at 4.3 mm each, two thirds of an A4 page with the axis."""

_ROW_IN, _LEGEND_IN = 0.17, 1.4
_NAME_WIDTH = 18
_NAMES_WIDTH, _CELLS_WIDTH = 0.18, 0.61  # of the width
_MAX_NAMED = 3


@dataclass(frozen=True, eq=False)
class HeatMapRow:
    """One student: values ``(C,)`` 0..1, their ``ColumnState``, and the columns with a bar at the bottom."""

    values: Floats
    states: Ints
    marked: Ints

    @property
    def mean(self) -> float:
        """Mean over the known columns; 0 without any."""
        known = self.values[self.states == ColumnState.KNOWN]
        return float(known.mean()) if len(known) else 0.0


@dataclass(frozen=True)
class HeatMapKind:
    """A kind of map: its row function, colour levels, legend title and title."""

    row: Callable[[StudentTimeline, TimeColumns], HeatMapRow]
    levels: tuple[tuple[float, str], ...]
    legend: str
    title: str


def sadness_heat_maps(
    lines: Sequence[StudentTimeline], highlighted: frozenset[int] = frozenset()
) -> list[FigureWithAlt]:
    """Charts of the mean probability of *sad*, at most ``MAX_HEAT_MAP_ROWS`` students each. Names of
    students whose ID is in ``highlighted`` are bold."""
    return _heat_maps(
        lines,
        highlighted,
        HeatMapKind(sadness_row, SADNESS_LEVELS, _("resembling sadness"), _("Resemblance to sadness")),
    )


def direction_heat_maps(
    lines: Sequence[StudentTimeline], highlighted: frozenset[int] = frozenset()
) -> list[FigureWithAlt]:
    """The same for the share of time with the head turned from the front; the rarer case is darker. A bar
    at the bottom of a row marks mostly closed eyes."""
    kind = HeatMapKind(
        direction_row, TURNED_LEVELS, _("turned from the front"), _("Head turned from the front")
    )
    return _heat_maps(lines, highlighted, kind)


def sadness_row(line: StudentTimeline, columns: TimeColumns) -> HeatMapRow:
    """The mean probability of *sad* of each column."""
    values = columns.means(line.probabilities[:, Emotion.SAD], line.usable_s)
    return HeatMapRow(values, expression_states(line, columns), np.array([], np.int64))


def direction_row(line: StudentTimeline, columns: TimeColumns) -> HeatMapRow:
    """The share of known head directions away from the front of each column."""
    values = columns.means(1 - line.facing_samples / np.maximum(line.pose_samples, 1), line.pose_samples)
    seen, eyes, closed = map(columns.sums, (line.seen_samples, line.eye_samples, line.closed_samples))
    # The eye state must be known in at least half of the seen samples.
    mostly_closed = (eyes > 0) & (eyes >= seen / 2) & (closed > eyes / 2)
    return HeatMapRow(values, direction_states(line, columns), np.flatnonzero(mostly_closed))


def _heat_maps(
    lines: Sequence[StudentTimeline], highlighted: frozenset[int], kind: HeatMapKind
) -> list[FigureWithAlt]:
    starts = range(0, len(lines), MAX_HEAT_MAP_ROWS)
    return [_heat_map(lines[start : start + MAX_HEAT_MAP_ROWS], highlighted, kind) for start in starts]


def _heat_map(
    lines: Sequence[StudentTimeline], highlighted: frozenset[int], kind: HeatMapKind
) -> FigureWithAlt:
    cols = make_time_columns(lines[0].grid)
    rows = [kind.row(line, cols) for line in lines]
    # A small class gets taller rows, up to the height of the legend.
    row_in = min(max(_ROW_IN, _LEGEND_IN / len(lines)), 2 * _ROW_IN)
    rows_in = len(lines) * row_in
    height_in = 0.5 + max(rows_in, _LEGEND_IN)
    with chart_style():
        figure = Figure(figsize=(WIDTH_IN, height_in))
        ax = figure.add_axes(
            (_NAMES_WIDTH, 1 - (rows_in + 0.06) / height_in, _CELLS_WIDTH, rows_in / height_in)
        )
        for index, row in enumerate(rows):
            _draw_row(ax, cols.edges_s, index, row, kind.levels)
        # Over all rows: a gap is not a student's absence.
        draw_unobserved(ax, lines[0].grid, -0.5, len(lines))
        _draw_names(ax, lines, highlighted)
        draw_time_axis(ax, float(cols.edges_s[-1]))
        figure.legend(
            handles=_legend_handles(rows, lines[0].grid, kind.levels),
            title=kind.legend,
            title_fontsize=7,
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(0.8, 1.0),
            fontsize=7,
        )
    return FigureWithAlt(figure, _alt_text(lines, rows, kind))


def _draw_row(
    ax: Axes, edges_s: Floats, index: int, row: HeatMapRow, levels: Sequence[tuple[float, str]]
) -> None:
    bottom, height = index - 0.44, 0.88
    draw_states(ax, edges_s, row.states, bottom, height)
    bounds = np.array([bound for bound, _ in levels])
    steps = np.searchsorted(bounds, np.nan_to_num(row.values), side="right")
    for step, (__, colour) in enumerate(levels):
        cells = np.flatnonzero((row.states == ColumnState.KNOWN) & (steps == step))
        draw_cells(ax, edges_s, cells, bottom, height, facecolor=colour, linewidth=0)
    # White background: the bar would vanish on the darkest level.
    draw_cells(ax, edges_s, row.marked, index + 0.14, 0.3, facecolor="#FFFFFF", linewidth=0)
    draw_cells(ax, edges_s, row.marked, index + 0.22, 0.22, facecolor=EYES_CLOSED_COLOUR, linewidth=0)


def _draw_names(ax: Axes, lines: Sequence[StudentTimeline], highlighted: frozenset[int]) -> None:
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.set_yticks(range(len(lines)), [_shorten_label(line.pseudonym) for line in lines])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for label, line in zip(ax.get_yticklabels(), lines, strict=True):
        label.set_parse_math(False)  # "$" in a name is no math
        label.set_fontweight("bold" if line.student_id in highlighted else "normal")


def _shorten_label(name: str) -> str:
    """Shorten without isolates, or the closing one would be cut off."""
    return isolate(shorten_name(strip_isolates(name), _NAME_WIDTH))


def _legend_handles(
    rows: Sequence[HeatMapRow], grid: BinGrid, levels: Sequence[tuple[float, str]]
) -> list[Patch]:
    bounds = [0.0, *(min(bound, 1.0) for bound, _ in levels)]
    steps = [
        Patch(facecolor=colour, label=f"{low * 100:.0f}–{high * 100:.0f} %")
        for (low, high), (_, colour) in zip(pairwise(bounds), levels, strict=True)
    ]
    closed = (
        [Patch(facecolor=EYES_CLOSED_COLOUR, label=_("bar: eyes mostly closed"))]
        if any(len(row.marked) for row in rows)
        else []
    )
    states = np.concatenate([row.states for row in rows])
    return [*steps, *closed, *state_handles(legend_states(states, grid))]


def _alt_text(lines: Sequence[StudentTimeline], rows: Sequence[HeatMapRow], kind: HeatMapKind) -> str:
    text = _(
        "%(what)s over time, a row for each of %(students)s.",
        what=kind.title,
        students=format_count(len(lines), "student"),
    )
    ranked = sorted(zip(rows, lines, strict=True), key=lambda pair: -pair[0].mean)[:_MAX_NAMED]
    highest = [f"{line.pseudonym} {format_percent(row.mean)}" for row, line in ranked if row.mean > 0]
    if not highest:
        return text + " " + _("Nothing was readable.")
    return text + " " + _("Highest on average: %(names)s.", names=join_items(highest))
