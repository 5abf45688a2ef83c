"""Distributions of brightness and contrast by split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from model.plots.style import FAINT, INK, SMALL_PT, TEXT_PT, WIDTH_IN, new_figure, style_axes

_LINE_STYLES = (("#0B3F6B", "-"), ("#D55E00", "--"), ("#009E73", ":"), ("#767676", "-."))
"""Colours of Okabe and Ito with our dark blue; dashes distinguish the lines in greyscale."""

Histograms = Mapping[str, Sequence[int]]
"""Counts by split, one per bin."""


def brightness_figure(
    means: Histograms,
    mean_edges: NDArray[np.int64],
    stds: Histograms,
    std_edges: NDArray[np.int64],
    bounds: tuple[float, float, float],
) -> Figure:
    """Two distributions side by side, each split as shares of its faces.

    ``bounds`` are the grey levels that separate dark (below), bright (above) and flat (below) faces.
    """
    figure = new_figure(WIDTH_IN, 2.3)
    left, right = figure.subplots(1, 2)
    dark, bright, flat = bounds
    _draw_distributions(left, means, mean_edges, "mean grey level, 0 black to 255 white")
    _draw_distributions(right, stds, std_edges, "standard deviation of grey levels")
    right.set_ylabel("")
    _draw_bound(left, dark, "dark", to_left=True)
    _draw_bound(left, bright, "bright")
    _draw_bound(right, flat, "flat", to_left=True)
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=4, frameon=False, fontsize=TEXT_PT)
    return figure


def _draw_distributions(ax: Axes, histograms: Histograms, edges: NDArray[np.int64], title: str) -> None:
    for (name, counts), (colour, dashes) in zip(histograms.items(), _LINE_STYLES, strict=False):
        shares = np.asarray(counts) / max(sum(counts), 1) * 100
        ax.stairs(shares, edges, color=colour, linestyle=dashes, linewidth=1.2, label=name)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(bottom=0)
    ax.set_xlabel(title)
    ax.set_ylabel("% of the split's faces")
    style_axes(ax, grid="y")


def _draw_bound(ax: Axes, value: float, name: str, *, to_left: bool = False) -> None:
    ax.axvline(value, color=FAINT, linewidth=0.7, linestyle=(0, (2, 2)))
    side, shift = ("right", -3) if to_left else ("left", 3)
    place: dict[str, Any] = {"xycoords": ax.get_xaxis_transform(), "textcoords": "offset points"}
    ax.annotate(name, (value, 0.97), (shift, 0), ha=side, va="top", fontsize=SMALL_PT, color=INK, **place)
