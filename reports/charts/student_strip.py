"""One student over the lesson: the seven expressions, where sadness led, and where the head was."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from model.emotions import Emotion
from reports.charts.bands import Looks, band_handles, draw_bands, expression_looks, head_looks
from reports.charts.resampling import Columns, State, class_states, columns, expression_states
from reports.charts.style import (
    COLOURS,
    INK,
    WIDTH_IN,
    Chart,
    draw_cells,
    draw_states,
    draw_unseen,
    house_style,
    percent_axis,
    shown_states,
    state_handles,
    time_axis,
)
from reports.text.formatting import percent
from reports.text.i18n import _
from reports.text.names import isolated
from reports.timeline.classroom import class_timeline
from reports.timeline.student import Ints, StudentTimeline

_EXPRESSIONS_IN, _HEADS_IN, _GAP_IN, _FOOT_IN, _TOP_IN = 0.95, 0.5, 0.24, 0.4, 0.14
"""Heights: of the panels, the gap between them, the axis of time, and the bar above."""


def student_strip(line: StudentTimeline, *, expressions: bool = True) -> Chart:
    """The mean probabilities of one student in bands, above them a bar wherever sadness leads the band of a
    column; below, or without ``expressions`` alone, where the head was."""
    cols = columns(line.grid)
    drawn = _EXPRESSIONS_IN + _GAP_IN if expressions else 0.0
    height_in = _FOOT_IN + _HEADS_IN + drawn + _TOP_IN
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, height_in))
        if expressions:
            above = (_FOOT_IN + _HEADS_IN + _GAP_IN) / height_in
            ax = figure.add_axes((0.09, above, 0.70, _EXPRESSIONS_IN / height_in))
            _draw_expressions(ax, line, cols)
            time_axis(ax, float(cols.edges_s[-1]))
            ax.set_xlabel("")
            ax.tick_params(axis="x", labelbottom=False, length=0)
        heads = figure.add_axes((0.09, _FOOT_IN / height_in, 0.70, _HEADS_IN / height_in))
        _draw_heads(heads, line, cols)
        time_axis(heads, float(cols.edges_s[-1]))
        figure.align_ylabels(figure.axes)
    return Chart(figure, _in_words(line, expressions=expressions))


def _draw_expressions(ax: Axes, line: StudentTimeline, cols: Columns) -> None:
    states = expression_states(line, cols)
    means = cols.means(line.probabilities, line.usable_s)
    means[states != State.KNOWN] = np.nan
    led = np.flatnonzero(np.nan_to_num(means).argmax(axis=1) == Emotion.SAD)
    led = led[states[led] == State.KNOWN]
    looks = expression_looks()
    draw_bands(ax, cols.edges_s, means[:, list(COLOURS)], looks)
    draw_states(ax, cols.edges_s, states)
    draw_unseen(ax, line.grid)
    draw_cells(ax, cols.edges_s, led, 1.04, 0.07, facecolor=INK, linewidth=0, clip_on=False)
    percent_axis(ax)
    ax.set_ylabel(_("resembling"))
    _legend(ax, looks, shown_states(states, line.grid), Patch(facecolor=INK, label=_("sadness leads")))


def _draw_heads(ax: Axes, line: StudentTimeline, cols: Columns) -> None:
    alone = class_timeline([line], line.own_grid)
    shares = cols.means(alone.head_shares, line.watched_s)
    states = class_states(alone, cols, ~np.isnan(shares[:, 0]))
    looks = head_looks()
    draw_bands(ax, cols.edges_s, shares, looks)
    draw_states(ax, cols.edges_s, states)
    draw_unseen(ax, line.grid)
    percent_axis(ax)
    ax.set_ylabel(_("head"))
    _legend(ax, looks, shown_states(states, line.grid))


def _legend(ax: Axes, looks: Looks, states: Ints, *first: Patch) -> None:
    named = {name for name, _ in looks}
    unknown = [handle for handle in state_handles(states) if handle.get_label() not in named]
    ax.legend(
        handles=[*first, *band_handles(looks), *unknown],
        loc="upper left",
        bbox_to_anchor=(1.015, 1.12),
        fontsize=6,
        labelspacing=0.2,
        borderaxespad=0.0,
    )


def _in_words(line: StudentTimeline, *, expressions: bool) -> str:
    told = _(
        "%(name)s over time: seen %(share)s of the watched time",
        name=isolated(line.pseudonym),
        share=percent(line.coverage),
    )
    if line.facing_share is not None:
        told += _(
            ", the head to the front in %(share)s of the moments that could be read",
            share=percent(line.facing_share),
        )
    if not expressions:
        return f"{told}."
    usable_s = float(line.usable_s.sum())
    share = line.led_s(Emotion.SAD) / usable_s if usable_s else None
    return told + _(
        "; readable %(usable)s of the seen time; an expression resembling sadness led %(share)s of the "
        "readable time.",
        usable=percent(line.usable_share),
        share=percent(share),
    )
