"""The class over time: expressions, or head direction, above the share of students seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.charts.bands import band_handles, draw_bands
from reports.charts.columns import class_states, columns
from reports.charts.style import (
    FAINT,
    FRONT,
    WIDTH_IN,
    Chart,
    draw_states,
    house_style,
    percent_axis,
    state_handles,
    time_axis,
)
from reports.class_timeline import ClassTimeline
from reports.timeline import Floats, Ints
from reports.words import NOUNS, count, percent


def expression_chart(whole: ClassTimeline) -> Chart:
    """Bands of the mean probabilities of the seven expressions over the lesson, sadness lowest."""
    cols = columns(whole.grid)
    means = cols.means(whole.probabilities, whole.people_usable)
    with house_style():
        figure, top, bottom = _panels(height_in=2.5)
        states = class_states(whole, cols, ~np.isnan(means[:, 0]))
        draw_bands(top, cols.edges_s, means)
        _finish(top, bottom, cols.edges_s, states, cols.means(whole.seen_share, whole.grid.watched_s))
        top.set_ylabel("expression resembling")
        _legend(figure, band_handles(), states)
    parts = [f"{NOUNS[emotion]} {percent(share)}" for emotion, share in whole.expression_shares.items()]
    told = f"Means over the lesson: {', '.join(parts)}." if parts else "None was readable."
    return Chart(figure, f"Expressions of the class over time. {told} {_seen_in_words(whole)}")


def direction_chart(whole: ClassTimeline) -> Chart:
    """The share of readable heads that faced the front over the lesson."""
    cols = columns(whole.grid)
    facing = cols.means(whole.facing_share, np.maximum(whole.people_seen, 1))
    with house_style():
        figure, top, bottom = _panels(height_in=2.3)
        states = class_states(whole, cols, ~np.isnan(facing))
        top.stairs(facing, cols.edges_s, fill=True, color=FRONT, linewidth=0)
        _finish(top, bottom, cols.edges_s, states, cols.means(whole.seen_share, whole.grid.watched_s))
        top.set_ylabel("facing the front")
        _legend(figure, [Patch(facecolor=FRONT, label="facing the front")], states)
    mean = whole.mean_facing_share
    told = "None was readable." if mean is None else f"{percent(mean)} on average."
    return Chart(figure, f"Share of heads facing the front over time. {told} {_seen_in_words(whole)}")


def _panels(height_in: float) -> tuple[Figure, Axes, Axes]:
    figure = Figure(figsize=(WIDTH_IN, height_in))
    # The right fifth is the legend's: below the time axis it would push the panels apart.
    top, bottom = figure.subplots(
        2,
        1,
        sharex=True,
        height_ratios=[3.2, 1],
        gridspec_kw={
            "left": 0.09,
            "right": 0.79,
            "top": 0.97,
            "bottom": 0.4 / height_in,
            "hspace": 0.18,
        },
    )
    return figure, top, bottom


def _finish(top: Axes, bottom: Axes, edges_s: Floats, states: Ints, seen_share: Floats) -> None:
    draw_states(top, edges_s, states)
    bottom.stairs(seen_share, edges_s, fill=True, color="#9A9A9A", linewidth=0)
    percent_axis(top)
    percent_axis(bottom)
    bottom.set_yticks([0, 1])
    bottom.set_ylabel("seen")
    top.tick_params(axis="x", length=0)
    time_axis(bottom, float(edges_s[-1]))
    for ax in (top, bottom):
        ax.axhline(0, color=FAINT, linewidth=0.6)
    top.figure.align_ylabels([top, bottom])


def _legend(figure: Figure, handles: Sequence[Patch], states: Ints) -> None:
    figure.legend(
        handles=[*handles, *state_handles(states)], loc="upper left", bbox_to_anchor=(0.8, 1.0), fontsize=7
    )


def _seen_in_words(whole: ClassTimeline) -> str:
    mean = whole.mean_seen_share
    if mean is None:
        return ""
    return f"On average {percent(mean)} of {count(whole.people, 'student')} were seen."
