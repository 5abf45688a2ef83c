"""The numbers behind the charts, at coarser steps, as tables of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reports.charts.heatmap import Row, direction_row, sadness_row
from reports.charts.resampling import Columns, State, class_states, round_columns
from reports.charts.style import COLOURS
from reports.text.formatting import NONE, clock, length, noun, percent
from reports.text.i18n import N_, _, word
from reports.timeline.classroom import ClassTimeline
from reports.timeline.student import StudentTimeline

MOST_STEPS = 12
"""Five minutes each for a lecture of up to an hour."""

_STATES = {
    State.NOT_WATCHED: N_("not watched"),
    State.ABSENT: N_("not seen"),
    State.TOO_FEW: N_("too few"),
}


@dataclass(frozen=True)
class Table:
    """``rows`` begin with their heading, as ``heads`` do with that of the first column."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def class_table(whole: ClassTimeline, *, expressions: bool) -> Table:
    """The panels of the class chart, a row a step."""
    cols = round_columns(whole.grid, MOST_STEPS)
    series = [
        *cols.means(whole.head_shares, whole.grid.watched_s).T,
        cols.means(whole.closed_share, np.maximum(whole.people_seen, 1)),
    ]
    heads = [
        _("From"),
        _("to the front"),
        _("turned away"),
        _("not readable"),
        _("not seen"),
        _("eyes shut"),
    ]
    if expressions:
        means = cols.means(whole.probabilities, whole.people_usable)
        series += [means[:, emotion] for emotion in COLOURS]
        heads += [noun(emotion) for emotion in COLOURS]
    states = class_states(whole, cols, ~np.isnan(series[0]))
    rows = [
        (clock(cols.edges_s[c]), *(_cell(values[c], int(states[c])) for values in series))
        for c in range(len(states))
    ]
    return Table(_("The class, means over %(step)s", step=_step(cols)), tuple(heads), tuple(rows))


def sadness_table(lines: Sequence[StudentTimeline]) -> Table:
    """The heat map of sadness, a row a student."""
    return _student_table(lines, sadness_row, _("Resemblance to sadness"))


def direction_table(lines: Sequence[StudentTimeline]) -> Table:
    """The heat map of heads, a row a student."""
    return _student_table(lines, direction_row, _("Head turned from the front"))


def _student_table(
    lines: Sequence[StudentTimeline], row: Callable[[StudentTimeline, Columns], Row], what: str
) -> Table:
    cols = round_columns(lines[0].grid, MOST_STEPS)
    rows = []
    for line in lines:
        one = row(line, cols)
        cells = (_cell(value, int(state)) for value, state in zip(one.values, one.states, strict=True))
        rows.append((line.pseudonym, *cells))
    heads = (_("Student"), *(clock(at_s) for at_s in cols.edges_s[:-1]))
    caption = _("%(what)s, means over %(step)s, which begin at", what=what, step=_step(cols))
    return Table(caption, heads, tuple(rows))


def _cell(value: float, state: int) -> str:
    if state == State.KNOWN:
        return NONE if np.isnan(value) else percent(float(value))
    return word(_STATES[State(state)]) if State(state) in _STATES else NONE


def _step(cols: Columns) -> str:
    return length(float(cols.edges_s[1] - cols.edges_s[0]))
