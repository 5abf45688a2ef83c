"""How many faces each label has, by split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from model.emotions import EMOTIONS
from model.plots.style import FAINT, INK, SMALL_PT, STEPS, TEXT_PT, WIDTH_IN, figure, tidy

_NOTE: dict[str, Any] = {"fontsize": SMALL_PT, "color": INK}
_LOOKS = ((STEPS[4], ""), (STEPS[2], ""), (STEPS[1], ""), ("#FFFFFF", "////"))


def counts_figure(splits: Mapping[str, Sequence[int]]) -> Figure:
    """Bars, one for each label, put together from the splits; ``splits``
    maps at most four names to counts (7,)."""
    drawn = figure(WIDTH_IN, 2.5)
    ax = drawn.subplots()
    rows, ends = np.arange(len(EMOTIONS)), np.zeros(len(EMOTIONS), np.int64)
    for (name, counts), (colour, hatch) in zip(splits.items(), _LOOKS, strict=False):
        look: dict[str, Any] = {"color": colour, "edgecolor": FAINT, "linewidth": 0.4, "hatch": hatch}
        ax.barh(rows, counts, left=ends, height=0.7, label=name, **look)
        ends = ends + np.asarray(counts)
    total = max(int(ends.sum()), 1)
    for row, end in zip(rows, ends, strict=True):
        note = f"{end:,} ({end / total * 100:.1f} %)"
        ax.annotate(note, (end, row), (4, 0), textcoords="offset points", va="center", **_NOTE)
    ax.set_yticks(rows, EMOTIONS)
    ax.invert_yaxis()
    ax.set_xlim(0, max(int(ends.max()), 1) * 1.17)
    ax.set_xlabel("faces")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    tidy(ax, grid="x")
    drawn.legend(loc="outside upper left", ncols=4, frameon=False, fontsize=TEXT_PT)
    return drawn
