"""One student over the session: expressions, columns led by sadness, head directions."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from model.emotions import Emotion
from reports.charts.bands import (
    BandStyles,
    band_handles,
    draw_bands,
    expression_band_styles,
    head_band_styles,
)
from reports.charts.resampling import (
    ColumnState,
    TimeColumns,
    class_states,
    expression_states,
    make_time_columns,
)
from reports.charts.style import (
    EXPRESSION_COLOURS,
    INK,
    WIDTH_IN,
    FigureWithAlt,
    chart_style,
    draw_cells,
    draw_percent_axis,
    draw_states,
    draw_time_axis,
    draw_unobserved,
    legend_states,
    state_handles,
)
from reports.text.formatting import format_percent
from reports.text.i18n import _
from reports.text.names import isolate
from reports.timeline.classroom import class_timeline
from reports.timeline.student import Ints, StudentTimeline

_EXPRESSIONS_IN, _HEADS_IN, _GAP_IN, _FOOT_IN, _TOP_IN = 0.95, 0.5, 0.24, 0.4, 0.14
"""Heights of the panels, the gap between them, the time axis, and the bar above."""


def student_strip(line: StudentTimeline, *, expressions: bool = True) -> FigureWithAlt:
    """Mean probabilities as bands (if ``expressions``), with a bar above columns that sadness leads, and head
    directions."""
    cols = make_time_columns(line.grid)
    height_in = _FOOT_IN + _HEADS_IN + _TOP_IN + (_EXPRESSIONS_IN + _GAP_IN if expressions else 0.0)
    with chart_style():
        figure = Figure(figsize=(WIDTH_IN, height_in))
        if expressions:
            bottom = (_FOOT_IN + _HEADS_IN + _GAP_IN) / height_in
            ax = figure.add_axes((0.09, bottom, 0.70, _EXPRESSIONS_IN / height_in))
            _draw_expressions(ax, line, cols)
            draw_time_axis(ax, float(cols.edges_s[-1]))
            ax.set_xlabel("")
            ax.tick_params(axis="x", labelbottom=False, length=0)
        heads = figure.add_axes((0.09, _FOOT_IN / height_in, 0.70, _HEADS_IN / height_in))
        _draw_heads(heads, line, cols)
        draw_time_axis(heads, float(cols.edges_s[-1]))
        figure.align_ylabels(figure.axes)
    return FigureWithAlt(figure, _alt_text(line, expressions=expressions))


def _draw_expressions(ax: Axes, line: StudentTimeline, columns: TimeColumns) -> None:
    states = expression_states(line, columns)
    means = columns.means(line.probabilities, line.usable_s)
    means[states != ColumnState.KNOWN] = np.nan
    led = np.flatnonzero(np.nan_to_num(means).argmax(axis=1) == Emotion.SAD)
    led = led[states[led] == ColumnState.KNOWN]
    styles = expression_band_styles()
    draw_bands(ax, columns.edges_s, means[:, list(EXPRESSION_COLOURS)], styles)
    draw_states(ax, columns.edges_s, states)
    draw_unobserved(ax, line.grid)
    draw_cells(ax, columns.edges_s, led, 1.04, 0.07, facecolor=INK, linewidth=0, clip_on=False)
    draw_percent_axis(ax)
    ax.set_ylabel(_("resembling"))
    _draw_legend(ax, styles, legend_states(states, line.grid), Patch(facecolor=INK, label=_("sadness leads")))


def _draw_heads(ax: Axes, line: StudentTimeline, columns: TimeColumns) -> None:
    alone = class_timeline([line], line.own_grid)
    shares = columns.means(alone.head_shares, line.watched_s)
    states = class_states(alone, columns, ~np.isnan(shares[:, 0]))
    styles = head_band_styles()
    draw_bands(ax, columns.edges_s, shares, styles)
    draw_states(ax, columns.edges_s, states)
    draw_unobserved(ax, line.grid)
    draw_percent_axis(ax)
    ax.set_ylabel(_("head"))
    _draw_legend(ax, styles, legend_states(states, line.grid))


def _draw_legend(ax: Axes, styles: BandStyles, states: Ints, *first: Patch) -> None:
    named = {name for name, _ in styles}
    unknown = [handle for handle in state_handles(states) if handle.get_label() not in named]
    ax.legend(
        handles=[*first, *band_handles(styles), *unknown],
        loc="upper left",
        bbox_to_anchor=(1.015, 1.12),
        fontsize=6,
        labelspacing=0.2,
        borderaxespad=0.0,
    )


def _alt_text(line: StudentTimeline, *, expressions: bool) -> str:
    text = _(
        "%(name)s over time: seen %(share)s of the watched time",
        name=isolate(line.pseudonym),
        share=format_percent(line.coverage),
    )
    if line.facing_share is not None:
        text += _(
            ", facing the front for %(share)s of the readable time",
            share=format_percent(line.facing_share),
        )
    if not expressions:
        return f"{text}."
    usable_s = float(line.usable_s.sum())
    share = line.leading_s(Emotion.SAD) / usable_s if usable_s else None
    return text + _(
        "; readable for %(usable)s of the seen time; sadness leads for %(share)s of the readable time.",
        usable=format_percent(line.usable_share),
        share=format_percent(share),
    )
