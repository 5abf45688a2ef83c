"""The numbers behind the charts, at coarser steps, as tables of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reports.charts.columns import Columns, State, class_states, round_columns
from reports.charts.heatmap import Row, direction_row, sadness_row
from reports.charts.style import COLOURS
from reports.class_timeline import ClassTimeline
from reports.timeline import StudentTimeline
from reports.words import NONE, NOUNS, clock, length, percent

MOST_STEPS = 12
"""Five minutes each for a lecture of up to an hour."""

_STATES = {State.NOT_WATCHED: "not watched", State.ABSENT: "not seen", State.TOO_FEW: "too few"}


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
    heads = ["From", "to the front", "turned away", "not readable", "not seen", "eyes shut"]
    if expressions:
        means = cols.means(whole.probabilities, whole.people_usable)
        series += [means[:, emotion] for emotion in COLOURS]
        heads += [NOUNS[emotion] for emotion in COLOURS]
    states = class_states(whole, cols, ~np.isnan(series[0]))
    rows = [
        (clock(cols.edges_s[c]), *(_cell(values[c], int(states[c])) for values in series))
        for c in range(len(states))
    ]
    return Table(f"The class, means over {_step(cols)}", tuple(heads), tuple(rows))


def sadness_table(lines: Sequence[StudentTimeline]) -> Table:
    """The heat map of sadness, a row a student."""
    return _student_table(lines, sadness_row, "Resemblance to sadness")


def direction_table(lines: Sequence[StudentTimeline]) -> Table:
    """The heat map of heads, a row a student."""
    return _student_table(lines, direction_row, "Head turned from the front")


def _student_table(
    lines: Sequence[StudentTimeline], row: Callable[[StudentTimeline, Columns], Row], what: str
) -> Table:
    cols = round_columns(lines[0].grid, MOST_STEPS)
    rows = []
    for line in lines:
        one = row(line, cols)
        cells = (_cell(value, int(state)) for value, state in zip(one.values, one.states, strict=True))
        rows.append((line.pseudonym, *cells))
    heads = ("Student", *(clock(at_s) for at_s in cols.edges_s[:-1]))
    return Table(f"{what}, means over {_step(cols)}, which begin at", heads, tuple(rows))


def _cell(value: float, state: int) -> str:
    if state == State.KNOWN:
        return NONE if np.isnan(value) else percent(float(value))
    return _STATES.get(State(state), NONE)


def _step(cols: Columns) -> str:
    return length(float(cols.edges_s[1] - cols.edges_s[0]))
