"""Every student over time: how much an expression resembled sadness, or the head was turned away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from model.emotions import Emotion
from reports.charts.resampling import Columns, State, columns, direction_states, expression_states
from reports.charts.style import (
    LEVELS,
    SHUT,
    TURNED,
    WIDTH_IN,
    Chart,
    draw_cells,
    draw_states,
    draw_unseen,
    house_style,
    shown_states,
    state_handles,
    time_axis,
)
from reports.text.formatting import count, listing, percent
from reports.text.i18n import _
from reports.text.names import isolated, plain, shortened
from reports.timeline.student import Floats, Grid, Ints, StudentTimeline

MOST_ROWS = 40
"""Rows in one chart: at 4.3 mm each, forty and the axis fill two thirds of an A4 page."""

_ROW_IN, _LEGEND_IN = 0.17, 1.4
_NAME_WIDTH = 18
_NAMES, _CELLS = 0.18, 0.61  # of the width
_MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class Row:
    """One student: values ``(C,)`` 0..1, their states, and the columns to be marked at the row's foot."""

    values: Floats
    states: Ints
    marked: Ints

    @property
    def mean(self) -> float:
        """Over the columns that are known; 0 if none is."""
        known = self.values[self.states == State.KNOWN]
        return float(known.mean()) if len(known) else 0.0


@dataclass(frozen=True)
class Kind:
    """What a map shows: how a row is made of a student, its steps, and its name in words."""

    row: Callable[[StudentTimeline, Columns], Row]
    levels: tuple[tuple[float, str], ...]
    legend: str
    title: str


def sadness_maps(lines: Sequence[StudentTimeline], bold: frozenset[int] = frozenset()) -> list[Chart]:
    """Charts of ``MOST_ROWS`` students each: the mean probability of *sad*, in steps.

    Students whose id is in ``bold`` have their name set in bold.
    """
    return _maps(lines, bold, Kind(sadness_row, LEVELS, _("resembling sadness"), _("Resemblance to sadness")))


def direction_maps(lines: Sequence[StudentTimeline], bold: frozenset[int] = frozenset()) -> list[Chart]:
    """The same for the share of time that the head was turned from the front: the rarer case is the darker
    one, so that the eye finds it. A bar under a row where the eyes that could be judged were mostly shut."""
    kind = Kind(direction_row, TURNED, _("turned from the front"), _("Head turned from the front"))
    return _maps(lines, bold, kind)


def sadness_row(line: StudentTimeline, cols: Columns) -> Row:
    """The mean probability of *sad* of each column."""
    values = cols.means(line.probabilities[:, Emotion.SAD], line.usable_s)
    return Row(values, expression_states(line, cols), np.array([], np.int64))


def direction_row(line: StudentTimeline, cols: Columns) -> Row:
    """The share of readable directions away from the front of each column."""
    values = cols.means(1 - line.facing_samples / np.maximum(line.pose_samples, 1), line.pose_samples)
    seen, eyes, closed = map(cols.sums, (line.seen_samples, line.eye_samples, line.closed_samples))
    # Eyes that could seldom be judged say little of a column.
    mostly_shut = (eyes > 0) & (eyes >= seen / 2) & (closed > eyes / 2)
    return Row(values, direction_states(line, cols), np.flatnonzero(mostly_shut))


def _maps(lines: Sequence[StudentTimeline], bold: frozenset[int], kind: Kind) -> list[Chart]:
    starts = range(0, len(lines), MOST_ROWS)
    return [_map(lines[start : start + MOST_ROWS], bold, kind) for start in starts]


def _map(lines: Sequence[StudentTimeline], bold: frozenset[int], kind: Kind) -> Chart:
    cols = columns(lines[0].grid)
    rows = [kind.row(line, cols) for line in lines]
    # A small class gets taller rows, up to the height that the legend takes anyway.
    row_in = min(max(_ROW_IN, _LEGEND_IN / len(lines)), 2 * _ROW_IN)
    rows_in = len(lines) * row_in
    height_in = 0.5 + max(rows_in, _LEGEND_IN)
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, height_in))
        ax = figure.add_axes((_NAMES, 1 - (rows_in + 0.06) / height_in, _CELLS, rows_in / height_in))
        for place, row in enumerate(rows):
            _draw_row(ax, cols.edges_s, place, row, kind.levels)
        # Over all rows at once: it was nobody's absence.
        draw_unseen(ax, lines[0].grid, -0.5, len(lines))
        _names(ax, lines, bold)
        time_axis(ax, float(cols.edges_s[-1]))
        figure.legend(
            handles=_handles(rows, lines[0].grid, kind.levels),
            title=kind.legend,
            title_fontsize=7,
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(0.8, 1.0),
            fontsize=7,
        )
    return Chart(figure, _in_words(lines, rows, kind))


def _draw_row(ax: Axes, edges_s: Floats, place: int, row: Row, levels: Sequence[tuple[float, str]]) -> None:
    bottom, height = place - 0.44, 0.88
    draw_states(ax, edges_s, row.states, bottom, height)
    bounds = np.array([bound for bound, _ in levels])
    steps = np.searchsorted(bounds, np.nan_to_num(row.values), side="right")
    for step, (__, colour) in enumerate(levels):
        cells = np.flatnonzero((row.states == State.KNOWN) & (steps == step))
        draw_cells(ax, edges_s, cells, bottom, height, facecolor=colour, linewidth=0)
    # Its own white ground, or it would be lost on the darkest step.
    draw_cells(ax, edges_s, row.marked, place + 0.14, 0.3, facecolor="#FFFFFF", linewidth=0)
    draw_cells(ax, edges_s, row.marked, place + 0.22, 0.22, facecolor=SHUT, linewidth=0)


def _names(ax: Axes, lines: Sequence[StudentTimeline], bold: frozenset[int]) -> None:
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.set_yticks(range(len(lines)), [_label(line.pseudonym) for line in lines])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for label, line in zip(ax.get_yticklabels(), lines, strict=True):
        label.set_parse_math(False)  # a "$" in a name is a dollar
        label.set_fontweight("bold" if line.student_id in bold else "normal")


def _label(name: str) -> str:
    """Cut without its isolates, or the last of them would be cut off."""
    return isolated(shortened(plain(name), _NAME_WIDTH))


def _handles(rows: Sequence[Row], grid: Grid, levels: Sequence[tuple[float, str]]) -> list[Patch]:
    bounds = [0.0, *(min(bound, 1.0) for bound, _ in levels)]
    steps = [
        Patch(facecolor=colour, label=f"{low * 100:.0f}–{high * 100:.0f} %")
        for (low, high), (_, colour) in zip(pairwise(bounds), levels, strict=True)
    ]
    shut = (
        [Patch(facecolor=SHUT, label=_("bar: eyes mostly shut"))] if any(len(r.marked) for r in rows) else []
    )
    states = np.concatenate([row.states for row in rows])
    return [*steps, *shut, *state_handles(shown_states(states, grid))]


def _in_words(lines: Sequence[StudentTimeline], rows: Sequence[Row], kind: Kind) -> str:
    told = _(
        "%(what)s over time, a row for each of %(students)s.",
        what=kind.title,
        students=count(len(lines), "student"),
    )
    ranked = sorted(zip(rows, lines, strict=True), key=lambda pair: -pair[0].mean)[:_MOST_NAMED]
    most = [f"{line.pseudonym} {percent(row.mean)}" for row, line in ranked if row.mean > 0]
    if not most:
        return told + " " + _("Nothing was readable.")
    return told + " " + _("Highest on average: %(names)s.", names=listing(most))
