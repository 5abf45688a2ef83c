"""Number of faces by label and split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from model.emotions import EMOTIONS
from model.plots.style import COLOUR_STEPS, FAINT, INK, SMALL_PT, TEXT_PT, WIDTH_IN, new_figure, style_axes

_NOTE_STYLE: dict[str, Any] = {"fontsize": SMALL_PT, "color": INK}
_BAR_STYLES = ((COLOUR_STEPS[4], ""), (COLOUR_STEPS[2], ""), (COLOUR_STEPS[1], ""), ("#FFFFFF", "////"))


def counts_figure(splits: Mapping[str, Sequence[int]]) -> Figure:
    """Stacked bars, one per label; ``splits`` maps at most four names to counts (7,)."""
    figure = new_figure(WIDTH_IN, 2.5)
    ax = figure.subplots()
    rows, ends = np.arange(len(EMOTIONS)), np.zeros(len(EMOTIONS), np.int64)
    for (name, counts), (colour, hatch) in zip(splits.items(), _BAR_STYLES, strict=False):
        look: dict[str, Any] = {"color": colour, "edgecolor": FAINT, "linewidth": 0.4, "hatch": hatch}
        ax.barh(rows, counts, left=ends, height=0.7, label=name, **look)
        ends = ends + np.asarray(counts)
    total = max(int(ends.sum()), 1)
    for row, end in zip(rows, ends, strict=True):
        note = f"{end:,} ({end / total * 100:.1f} %)"
        ax.annotate(note, (end, row), (4, 0), textcoords="offset points", va="center", **_NOTE_STYLE)
    ax.set_yticks(rows, EMOTIONS)
    ax.invert_yaxis()
    ax.set_xlim(0, max(int(ends.max()), 1) * 1.17)
    ax.set_xlabel("faces")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    style_axes(ax, grid="x")
    figure.legend(loc="outside upper left", ncols=4, frameon=False, fontsize=TEXT_PT)
    return figure
