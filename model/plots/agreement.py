"""Confusion matrix of two label sets, and histogram of the raters' agreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from model.emotions import EMOTIONS
from model.plots.style import (
    COLOUR_STEPS,
    INK,
    SEQUENTIAL,
    SMALL_PT,
    TEXT_PT,
    WIDTH_IN,
    new_figure,
    style_axes,
)


def matrix_figure(counts: NDArray[np.int64], rows: str, columns: str) -> Figure:
    """Counts (7, 7) as shares of their rows, with the counts; ``rows`` and ``columns`` are axis labels."""
    figure = new_figure(WIDTH_IN, 3.9)
    draw_matrix(figure.subplots(), counts, rows, columns)
    return figure


def draw_matrix(ax: Axes, counts: NDArray[np.int64], rows: str, columns: str) -> None:
    """Draw the matrix of ``matrix_figure`` on axes; cells without a face stay empty."""
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    ax.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto", interpolation="none")
    for (row, column), share in np.ndenumerate(shares):
        if counts[row, column]:
            place: dict[str, Any] = {"ha": "center", "color": "#FFFFFF" if share > 0.6 else INK}
            ax.text(column, row, _format_share(share), va="bottom", fontsize=TEXT_PT, **place)
            ax.text(column, row + 0.06, f"{counts[row, column]:,}", va="top", fontsize=SMALL_PT - 1, **place)
    ax.set_xticks(range(len(EMOTIONS)), EMOTIONS)
    ax.set_yticks(
        range(len(EMOTIONS)),
        [f"{name} ({total:,})" for name, total in zip(EMOTIONS, totals[:, 0], strict=True)],
    )
    ax.set_xlabel(columns)
    ax.set_ylabel(rows)
    style_axes(ax)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)


def leading_vote_figure(leading: Sequence[int]) -> Figure:
    """Bars: number of faces by tenths of raters, 0 to 10, who gave the leading answer, ``leading`` (11,)."""
    figure = new_figure(WIDTH_IN, 1.9)
    ax = figure.subplots()
    counts, total = np.asarray(leading), max(sum(leading), 1)
    tenths = np.arange(len(counts))
    # Zero and one of ten almost never lead; an empty end of the axis carries no information.
    shown = tenths >= min(np.flatnonzero(counts), default=1)
    bars = ax.bar(tenths[shown], counts[shown], width=0.75, color=COLOUR_STEPS[3])
    notes = [_format_share(count / total) for count in counts[shown]]
    ax.bar_label(bars, notes, fontsize=SMALL_PT, color=INK, padding=1.5)
    ax.set_xticks(tenths[shown])
    ax.set_xlabel("raters of ten who gave the leading answer")
    ax.set_ylabel("faces")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.margins(y=0.12)
    style_axes(ax, grid="y")
    return figure


def _format_share(share: float) -> str:
    """A percentage; a share that is not 0 is never rounded to 0."""
    return "<1 %" if 0 < share < 0.005 else f"{share * 100:.0f} %"
