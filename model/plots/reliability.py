"""Reliability diagrams: confidence against agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.evaluation.metrics import ReliabilityBin
from model.plots.style import COLOUR_STEPS, FAINT, SMALL_PT, TEXT_PT, WIDTH_IN, new_figure, style_axes

MIN_FACES = 10
"""Bins with fewer faces are figure hollow: their height is due to chance."""


def reliability_figure(tables: Mapping[str, tuple[Sequence[ReliabilityBin], float]]) -> Figure:
    """One diagram per name, from its bins and its expected calibration error."""
    figure = new_figure(WIDTH_IN, 3.1)
    for ax, (name, (bins, ece)) in zip(
        figure.subplots(1, len(tables), squeeze=False)[0], tables.items(), strict=True
    ):
        draw_reliability(ax, bins)
        ax.set_title(f"{name}\nexpected calibration error {ece:.3f}", fontsize=TEXT_PT)
    return figure


def draw_reliability(ax: Axes, bins: Sequence[ReliabilityBin]) -> None:
    """Draw each bin's agreement as a bar, its mean confidence as a dot, its number of faces, and the
    diagonal."""
    ax.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (4, 3)))
    for row in bins:
        if not row.faces:
            continue
        enough = row.faces >= MIN_FACES
        ax.bar(
            (row.low + row.high) / 2,
            row.agreement,
            width=(row.high - row.low) * 0.86,
            color=COLOUR_STEPS[2] if enough else "none",
            edgecolor=COLOUR_STEPS[4],
            linewidth=0.6,
        )
        ax.plot(row.confidence, row.agreement, marker="o", markersize=3, color=COLOUR_STEPS[4])
        ax.text(
            (row.low + row.high) / 2, 0.015, f"{row.faces}", ha="center", rotation=90, fontsize=SMALL_PT - 1
        )
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_aspect("equal")
    ax.set_xlabel("probability of the leading expression")
    ax.set_ylabel("share that was right")
    style_axes(ax, grid="y")
