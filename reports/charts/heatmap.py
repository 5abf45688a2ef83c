"""Every student over time: how much an expression resembled sadness, or the head was turned away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from model.emotions import Emotion
from reports.charts.columns import Columns, State, columns, direction_states, expression_states
from reports.charts.style import (
    LEVELS,
    WIDTH_IN,
    Chart,
    draw_cells,
    draw_states,
    house_style,
    state_handles,
    time_axis,
)
from reports.timeline import Floats, Ints, StudentTimeline
from reports.words import count

MOST_ROWS = 40
"""Rows in one chart: at 4.3 mm each, forty and the axis fill two thirds of an A4 page."""

_ROW_IN, _LEGEND_IN = 0.17, 1.4
_NAME_CHARACTERS = 18

Row = tuple[Floats, Ints]


def sadness_maps(lines: Sequence[StudentTimeline], bold: frozenset[int] = frozenset()) -> list[Chart]:
    """Charts of ``MOST_ROWS`` students each: the mean probability of *sad*, in steps.

    Students whose id is in ``bold`` have their name set in bold.
    """
    return _maps(lines, bold, _sadness_row, "resembling sadness", "Expression resembling sadness")


def direction_maps(lines: Sequence[StudentTimeline]) -> list[Chart]:
    """The same for the share of time that the head was turned from the front: the rarer case is the
    darker one, so that the eye finds it."""
    return _maps(lines, frozenset(), _direction_row, "turned from the front", "Head turned from the front")


def _sadness_row(line: StudentTimeline, cols: Columns) -> Row:
    return cols.means(line.probabilities[:, Emotion.SAD], line.usable_s), expression_states(line, cols)


def _direction_row(line: StudentTimeline, cols: Columns) -> Row:
    poses = np.maximum(line.pose_samples, 1)
    return cols.means(1 - line.facing_samples / poses, line.pose_samples), direction_states(line, cols)


def _maps(
    lines: Sequence[StudentTimeline],
    bold: frozenset[int],
    row: Callable[[StudentTimeline, Columns], Row],
    legend: str,
    title: str,
) -> list[Chart]:
    starts = range(0, len(lines), MOST_ROWS)
    return [_map(lines[start : start + MOST_ROWS], bold, row, legend, title) for start in starts]


def _map(
    lines: Sequence[StudentTimeline],
    bold: frozenset[int],
    row: Callable[[StudentTimeline, Columns], Row],
    legend: str,
    title: str,
) -> Chart:
    cols = columns(lines[0].grid)
    rows = [row(line, cols) for line in lines]
    # A small class gets taller rows, up to the height that the legend takes anyway.
    row_in = min(max(_ROW_IN, _LEGEND_IN / len(lines)), 2 * _ROW_IN)
    height_in = 0.5 + max(len(lines) * row_in, _LEGEND_IN)
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, height_in))
        rows_in = len(lines) * row_in
        ax = figure.add_axes((0.16, 1 - (rows_in + 0.06) / height_in, 0.63, rows_in / height_in))
        for place, (values, states) in enumerate(rows):
            _draw_row(ax, cols.edges_s, place, values, states)
        _names(ax, lines, bold)
        time_axis(ax, float(cols.edges_s[-1]))
        states = np.concatenate([states for _, states in rows])
        figure.legend(
            handles=[*_level_handles(), *state_handles(states)],
            title=legend,
            title_fontsize=7,
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(0.8, 1.0),
            fontsize=7,
        )
    told = f"{title}, a row for each of {count(len(lines), 'student')} over time."
    return Chart(figure, f"{told} The same figures are in the table of everyone.")


def _draw_row(ax: Axes, edges_s: Floats, place: int, values: Floats, states: Ints) -> None:
    bottom, height = place - 0.44, 0.88
    draw_states(ax, edges_s, states, bottom, height)
    bounds = np.array([bound for bound, _ in LEVELS])
    levels = np.searchsorted(bounds, np.nan_to_num(values), side="right")
    for level, (_, colour) in enumerate(LEVELS):
        cells = np.flatnonzero((states == State.KNOWN) & (levels == level))
        draw_cells(ax, edges_s, cells, bottom, height, facecolor=colour, linewidth=0)


def _names(ax: Axes, lines: Sequence[StudentTimeline], bold: frozenset[int]) -> None:
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.set_yticks(range(len(lines)), [_short(line.pseudonym) for line in lines])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    for label, line in zip(ax.get_yticklabels(), lines, strict=True):
        label.set_parse_math(False)  # a "$" in a name is a dollar
        label.set_fontweight("bold" if line.student_id in bold else "normal")


def _level_handles() -> list[Patch]:
    bounds = [0.0, *(min(bound, 1.0) for bound, _ in LEVELS)]
    return [
        Patch(facecolor=colour, label=f"{low * 100:.0f}–{high * 100:.0f} %")
        for (low, high), (_, colour) in zip(pairwise(bounds), LEVELS, strict=True)
    ]


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"
