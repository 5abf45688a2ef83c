"""The numbers behind the charts as tables of text, with coarser time steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reports.charts.heatmap import HeatMapRow, direction_row, sadness_row
from reports.charts.resampling import ColumnState, TimeColumns, class_states, make_round_time_columns
from reports.charts.style import EXPRESSION_COLOURS
from reports.text.formatting import NO_VALUE, emotion_noun, format_duration, format_media_time, format_percent
from reports.text.i18n import N_, _, translate_word
from reports.timeline.classroom import ClassTimeline
from reports.timeline.student import StudentTimeline

MAX_STEPS = 12
"""Columns or rows of a table: five minutes each for a lecture of up to an hour."""

_STATE_TEXTS = {
    ColumnState.NOT_WATCHED: N_("not watched"),
    ColumnState.ABSENT: N_("not seen"),
    ColumnState.TOO_FEW: N_("too few"),
}


@dataclass(frozen=True)
class ChartTable:
    """The first cell of each row is its heading."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def class_timeline_table(timeline: ClassTimeline, *, expressions: bool) -> ChartTable:
    """The panels of the class chart, one row per time step."""
    cols = make_round_time_columns(timeline.grid, MAX_STEPS)
    series = [
        *cols.means(timeline.head_shares, timeline.grid.watched_s).T,
        cols.means(timeline.closed_share, np.maximum(timeline.students_seen, 1)),
    ]
    headings = [
        _("From"),
        _("to the front"),
        _("turned away"),
        _("not readable"),
        _("not seen"),
        _("eyes closed"),
    ]
    if expressions:
        means = cols.means(timeline.probabilities, timeline.students_usable)
        series += [means[:, emotion] for emotion in EXPRESSION_COLOURS]
        headings += [emotion_noun(emotion) for emotion in EXPRESSION_COLOURS]
    states = class_states(timeline, cols, ~np.isnan(series[0]))
    rows = [
        (format_media_time(cols.edges_s[c]), *(_cell(values[c], int(states[c])) for values in series))
        for c in range(len(states))
    ]
    caption = _("The class, means over %(step)s", step=_format_step(cols))
    return ChartTable(caption, tuple(headings), tuple(rows))


def sadness_table(lines: Sequence[StudentTimeline]) -> ChartTable:
    """The heat map of sadness, one row per student."""
    return _student_table(lines, sadness_row, _("Resemblance to sadness"))


def direction_table(lines: Sequence[StudentTimeline]) -> ChartTable:
    """The heat map of head directions, one row per student."""
    return _student_table(lines, direction_row, _("Head turned from the front"))


def _student_table(
    lines: Sequence[StudentTimeline], row: Callable[[StudentTimeline, TimeColumns], HeatMapRow], what: str
) -> ChartTable:
    cols = make_round_time_columns(lines[0].grid, MAX_STEPS)
    rows = []
    for line in lines:
        values = row(line, cols)
        cells = (_cell(value, int(state)) for value, state in zip(values.values, values.states, strict=True))
        rows.append((line.pseudonym, *cells))
    headings = (_("Student"), *(format_media_time(at_s) for at_s in cols.edges_s[:-1]))
    caption = _("%(what)s, means over %(step)s, starting at", what=what, step=_format_step(cols))
    return ChartTable(caption, headings, tuple(rows))


def _cell(value: float, state: int) -> str:
    if state == ColumnState.KNOWN:
        return NO_VALUE if np.isnan(value) else format_percent(float(value))
    return (
        translate_word(_STATE_TEXTS[ColumnState(state)]) if ColumnState(state) in _STATE_TEXTS else NO_VALUE
    )


def _format_step(columns: TimeColumns) -> str:
    return format_duration(float(columns.edges_s[1] - columns.edges_s[0]))
