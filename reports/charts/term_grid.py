"""Grid of students by sessions: the share in each, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.charts.dates import format_axis_date
from reports.charts.resampling import ColumnState
from reports.charts.style import (
    INK,
    SADNESS_LEVELS,
    WIDTH_IN,
    FigureWithAlt,
    chart_style,
    draw_cells,
    state_style,
)
from reports.text.i18n import N_, _, translate_word
from reports.text.names import isolate, shorten_name
from reports.timeline.student import Floats

MAX_TERM_GRID_ROWS = 40
_ROW_IN, _LEGEND_IN = 0.17, 1.75
_NAME_WIDTH = 18

STATE_MISSED, STATE_UNKNOWN, STATE_NOT_KEPT = ColumnState.ABSENT, ColumnState.UNKNOWN, ColumnState.TOO_FEW
_STATE_TEXTS = {
    STATE_MISSED: N_("not seen"),
    STATE_UNKNOWN: N_("not enough data"),
    STATE_NOT_KEPT: N_("not stored"),
}


@dataclass(frozen=True)
class TermGridRow:
    """One student. ``cells``: per session a share 0..1, the reason for its absence, or None before the
    student's first session. ``flagged``: indices of sessions with a flag."""

    name: str
    cells: Sequence[float | ColumnState | None]
    flagged: frozenset[int] = frozenset()


def term_grid_charts(
    rows: Sequence[TermGridRow], lessons: Sequence[datetime], alt: str, *, label: str
) -> list[FigureWithAlt]:
    """Charts of at most ``MAX_TERM_GRID_ROWS`` students each, one column per session."""
    starts = range(0, len(rows), MAX_TERM_GRID_ROWS)
    return [
        _term_grid_chart(rows[start : start + MAX_TERM_GRID_ROWS], lessons, alt, label) for start in starts
    ]


def _term_grid_chart(
    rows: Sequence[TermGridRow], lessons: Sequence[datetime], alt: str, label: str
) -> FigureWithAlt:
    row_in = min(max(_ROW_IN, _LEGEND_IN / len(rows)), 2 * _ROW_IN)
    rows_in = len(rows) * row_in
    height_in = 0.4 + max(rows_in, _LEGEND_IN)
    with chart_style():
        figure = Figure(figsize=(WIDTH_IN, height_in))
        ax = figure.add_axes((0.16, 1 - (rows_in + 0.06) / height_in, 0.63, rows_in / height_in))
        edges = np.arange(len(lessons) + 1.0)
        for index, row in enumerate(rows):
            _draw_row(ax, edges, index, row)
        _style_axes(ax, rows, lessons)
        figure.legend(
            handles=_legend_handles(rows),
            title=label,
            title_fontsize=7,
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(0.8, 1.0),
            fontsize=7,
        )
    return FigureWithAlt(figure, alt)


def _draw_row(ax: Axes, edges: Floats, index: int, row: TermGridRow) -> None:
    bottom, height = index - 0.44, 0.88
    states = np.array([cell if isinstance(cell, ColumnState) else -1 for cell in row.cells])
    for state in _STATE_TEXTS:
        cells, style = np.flatnonzero(states == state), state_style(state)
        draw_cells(ax, edges, cells, bottom, height, facecolor=style["facecolor"], linewidth=0)
        draw_cells(ax, edges, cells, bottom, height, **style | {"facecolor": "none"})
    # A cross in addition: on small screens the hatching looks like the lowest level.
    missed = np.flatnonzero(states == STATE_MISSED)
    ax.plot(missed + 0.5, [index] * len(missed), "x", color=INK, markersize=3.4, markeredgewidth=0.8)
    shares = np.array(
        [np.nan if cell is None or isinstance(cell, ColumnState) else cell for cell in row.cells]
    )
    levels = np.searchsorted([bound for bound, _ in SADNESS_LEVELS], np.nan_to_num(shares), side="right")
    for level, (__, colour) in enumerate(SADNESS_LEVELS):
        cells = np.flatnonzero(~np.isnan(shares) & (levels == level))
        draw_cells(ax, edges, cells, bottom, height, facecolor=colour, linewidth=0)
    dots = [n + 0.5 for n in sorted(row.flagged)]
    # White outline: visible on the darkest and the lightest level.
    ax.plot(dots, [index] * len(dots), "o", color=INK, markeredgecolor="white", markersize=4)


def _style_axes(ax: Axes, rows: Sequence[TermGridRow], lessons: Sequence[datetime]) -> None:
    ax.set_xlim(0, len(lessons))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_yticks(range(len(rows)), [isolate(shorten_name(row.name, _NAME_WIDTH)) for row in rows])
    for text in ax.get_yticklabels():
        text.set_parse_math(False)
    every = -(-len(lessons) // 8)
    ticks = range(0, len(lessons), every)
    ax.set_xticks([at + 0.5 for at in ticks], [format_axis_date(lessons[at]) for at in ticks])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _legend_handles(rows: Sequence[TermGridRow]) -> list[Patch | Line2D]:
    bounds = [0.0, *(min(bound, 1.0) for bound, _ in SADNESS_LEVELS)]
    handles: list[Patch | Line2D] = [
        Patch(facecolor=colour, label=f"{low * 100:.0f}–{high * 100:.0f} %")
        for (low, high), (_, colour) in zip(pairwise(bounds), SADNESS_LEVELS, strict=True)
    ]
    states = {cell for row in rows for cell in row.cells if isinstance(cell, ColumnState)}
    if STATE_MISSED in states:
        handles.append(
            Line2D(
                [],
                [],
                color=INK,
                marker="x",
                linestyle="",
                markersize=3.4,
                label=translate_word(_STATE_TEXTS[STATE_MISSED]),
            )
        )
    others = [state for state in _STATE_TEXTS if state in states and state is not STATE_MISSED]
    handles += [Patch(label=translate_word(_STATE_TEXTS[state]), **state_style(state)) for state in others]
    if any(row.flagged for row in rows):
        dot = Line2D([], [], color=INK, marker="o", linestyle="", markeredgecolor="white", markersize=4)
        dot.set_label(_("flagged"))
        handles.append(dot)
    return handles
