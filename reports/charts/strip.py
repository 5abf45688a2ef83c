"""One student over the lesson: the seven expressions, and where sadness led."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from model.emotions import Emotion
from reports.charts.bands import band_handles, draw_bands, expression_looks
from reports.charts.columns import State, columns, expression_states
from reports.charts.style import (
    COLOURS,
    INK,
    WIDTH_IN,
    Chart,
    draw_cells,
    draw_states,
    house_style,
    percent_axis,
    state_handles,
    time_axis,
)
from reports.timeline import StudentTimeline
from reports.words import percent


def student_strip(line: StudentTimeline) -> Chart:
    """The mean probabilities of one student in bands; above them a bar wherever sadness leads the band
    of a column, which is what the flag counts (bin by bin)."""
    cols = columns(line.grid)
    states = expression_states(line, cols)
    means = cols.means(line.probabilities, line.usable_s)
    means[states != State.KNOWN] = np.nan
    led = np.flatnonzero(np.nan_to_num(means).argmax(axis=1) == Emotion.SAD)
    led = led[states[led] == State.KNOWN]
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, 1.55))
        ax = figure.add_axes((0.09, 0.26, 0.70, 0.62))
        looks = expression_looks()
        draw_bands(ax, cols.edges_s, means[:, list(COLOURS)], looks)
        draw_states(ax, cols.edges_s, states)
        draw_cells(ax, cols.edges_s, led, 1.04, 0.07, facecolor=INK, linewidth=0, clip_on=False)
        percent_axis(ax)
        time_axis(ax, float(cols.edges_s[-1]))
        ax.set_ylabel("resembling")
        figure.legend(
            handles=[
                Patch(facecolor=INK, label="sadness leads"),
                *band_handles(looks),
                *state_handles(states),
            ],
            loc="upper left",
            bbox_to_anchor=(0.8, 1.02),
            fontsize=6.5,
            labelspacing=0.25,
        )
    return Chart(figure, _in_words(line))


def _in_words(line: StudentTimeline) -> str:
    usable_s = float(line.usable_s.sum())
    share = line.led_s(Emotion.SAD) / usable_s if usable_s else None
    return (
        f"{line.pseudonym} over time: seen {percent(line.coverage)} of the watched time, "
        f"readable {percent(line.usable_share)} of that; an expression resembling sadness led "
        f"{percent(share)} of the readable time."
    )
