"""Style of all charts: colours, hatching, axes. Meaning never depends on colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator, FuncFormatter

from model.emotions import Emotion
from reports.charts.resampling import ColumnState
from reports.text.formatting import format_media_time
from reports.text.i18n import N_, _, translate_word
from reports.timeline.student import BinGrid, Floats, Ints

WIDTH_IN = 6.85
"""Width of A4 between margins of 18 mm; in a browser, charts scale to the page."""

EXPRESSION_COLOURS: Mapping[Emotion, str] = {
    Emotion.SAD: "#0072B2",
    Emotion.FEAR: "#CC79A7",
    Emotion.ANGRY: "#D55E00",
    Emotion.DISGUST: "#009E73",
    Emotion.SURPRISE: "#E69F00",
    Emotion.HAPPY: "#F0E442",
    Emotion.NEUTRAL: "#D9D9D9",
}
"""Okabe and Ito's colours (jfly.uni-koeln.de/color, 2008), with grey for neutral, in stacking order: sad
first, so that its height can be read from the baseline."""

SADNESS_LEVELS: tuple[tuple[float, str], ...] = (
    (0.10, "#EFF5FA"),
    (0.20, "#CBE0EF"),
    (0.30, "#9FC7E2"),
    (0.40, "#67A6CF"),
    (0.60, "#2F7DB5"),
    (1.01, "#0B3F6B"),
)
"""Upper bounds and colours of heat map levels: one hue from light to dark, in order for every kind of
colour vision and in greyscale. Discrete, so that a legend can list them; narrower below 40 %, the range of
a calibrated model's means."""

TURNED_LEVELS: tuple[tuple[float, str], ...] = (
    (0.10, "#F4F2F8"),
    (0.25, "#D9D6EA"),
    (0.50, "#B3AED4"),
    (0.75, "#8478B8"),
    (0.90, "#64449E"),
    (1.01, "#3F1476"),
)
"""The same for the share of time turned away, in another hue (after ColorBrewer's Purples, Harrower and
Brewer 2003) to distinguish the maps."""

INK, FAINT = "#222222", "#767676"

_RC_PARAMS: dict[Any, Any] = {
    # DejaVu Sans comes with matplotlib and is wider than the page's fonts, so texts that fit here fit on the
    # page; the SVG has no font family (reports.charts.svg).
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "hatch.linewidth": 0.45,
    "legend.frameon": False,
    "legend.handlelength": 1.3,
    "legend.handleheight": 0.9,
    "svg.fonttype": "none",
    # Without a salt, IDs in the SVG are random, and reports would not be reproducible.
    "svg.hashsalt": "classpulse",
}

_STATE_STYLES: Mapping[ColumnState, tuple[str, str, str]] = {
    ColumnState.NOT_WATCHED: (N_("not watched"), "#FFFFFF", "xxxxx"),
    ColumnState.ABSENT: (N_("not seen"), "#FFFFFF", "/////"),
    ColumnState.UNKNOWN: (N_("seen, not readable"), "#DADADA", "-----"),
    ColumnState.TOO_FEW: (N_("too few to show"), "#FFFFFF", "|||||"),
}
_MIN_WIDTH_DIVISOR = 400
"""A gap is drawn at least as wide as the session divided by this: 0.3 mm on paper."""

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


EXPRESSION_HATCHES: Mapping[Emotion, str] = {Emotion.HAPPY: "\\\\\\\\\\\\", Emotion.DISGUST: "++++++"}
"""Patterns for two colours that greyscale prints confuse: yellow with the grey of neutral, green with the
red of anger. No state uses these patterns. Dots would make the file five times as large."""

HEAD_COLOURS = ("#D3CFE6", "#54278F")
"""Facing the front and turned away, similar to the ends of ``TURNED_LEVELS``."""

EYES_CLOSED_COLOUR = "#4D4D4D"


@dataclass(frozen=True, eq=False)
class FigureWithAlt:
    """A figure with its alternative text."""

    figure: Figure
    alt: str


def chart_style() -> AbstractContextManager[None]:
    """Context with the style of all charts, needed to build and to save a figure."""
    return rc_context(dict(_RC_PARAMS))


def draw_time_axis(ax: Axes, end_s: float) -> None:
    """An x axis in media seconds with at most nine ticks, labelled in minutes or minutes:seconds."""
    step = next((s for s in _STEPS_S if end_s / s <= 8), _STEPS_S[-1])
    in_minutes = step >= 60
    ax.set_xlim(0, end_s)
    ax.xaxis.set_major_locator(FixedLocator(list(np.arange(0, end_s + 1e-6, step))))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda s, _: f"{s / 60:.0f}" if in_minutes else format_media_time(s))
    )
    ax.set_xlabel(_("minutes from the start") if in_minutes else _("minutes:seconds from the start"))


def draw_percent_axis(ax: Axes) -> None:
    """A y axis from 0 to 100 %."""
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.0f} %"))


def draw_cells(ax: Axes, edges_s: Floats, cells: Ints, bottom: float, height: float, **style: Any) -> None:
    """Rectangles over the columns ``cells`` (indices), adjacent ones merged; ``style``: patch properties.

    One compound path per row: a rectangle per cell makes files ten times as large.
    """
    if not len(cells):
        return
    runs = np.split(cells, np.flatnonzero(np.diff(cells) > 1) + 1)
    boxes = [_rectangle(edges_s[run[0]], edges_s[run[-1] + 1], bottom, bottom + height) for run in runs]
    ax.add_artist(PathPatch(Path.make_compound_path(*boxes), **style))


def draw_states(ax: Axes, edges_s: Floats, states: Ints, bottom: float = 0.0, height: float = 1.0) -> None:
    """Hatch the columns of a row that are not ``KNOWN``."""
    for state in _STATE_STYLES:
        cells, style = np.flatnonzero(states == state), state_style(state)
        # Background and hatching separately: in a PDF, the edges of pattern tiles would be visible.
        draw_cells(ax, edges_s, cells, bottom, height, facecolor=style["facecolor"], linewidth=0)
        draw_cells(ax, edges_s, cells, bottom, height, **style | {"facecolor": "none"})


def draw_unobserved(ax: Axes, grid: BinGrid, bottom: float = 0.0, height: float = 1.0) -> None:
    """Hatch the gaps with their exact bounds, but at least visibly wide."""
    min_width_s = len(grid.watched_s) * grid.bin_s / _MIN_WIDTH_DIVISOR
    for start_s, end_s in grid.unobserved_spans:
        edges_s = np.array([start_s, max(end_s, start_s + min_width_s)])
        draw_states(ax, edges_s, np.array([ColumnState.NOT_WATCHED]), bottom, height)


def legend_states(states: Ints, grid: BinGrid) -> Ints:
    """``states`` with that of ``draw_unobserved``, for the legend."""
    return np.append(states, ColumnState.NOT_WATCHED) if grid.unobserved_spans else states


def state_style(state: ColumnState) -> dict[str, Any]:
    """Patch properties of a state other than ``KNOWN``."""
    __, face, hatch = _STATE_STYLES[state]
    return {"facecolor": face, "edgecolor": "#8A8A8A", "hatch": hatch, "linewidth": 0}


def state_handles(states: Ints) -> list[Patch]:
    """Legend entries for the states other than ``KNOWN`` in ``states``."""
    return [
        Patch(label=translate_word(label), **state_style(state))
        for state, (label, __, ___) in _STATE_STYLES.items()
        if state in states
    ]


def _rectangle(left: float, right: float, bottom: float, top: float) -> Path:
    corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    return Path(corners, closed=True)
