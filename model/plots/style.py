"""Common style of the plots, and figures as PNG. Colours stay ordered for all types of colour vision and in
grey."""

from __future__ import annotations

import io
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

WIDTH_IN = 6.85
"""The width of A4 between margins of 18 mm, as in the report."""

TEXT_PT, SMALL_PT = 7.5, 6.5
DPI = 200
INK, FAINT = "#222222", "#767676"

COLOUR_STEPS = ("#F5F9FC", "#CBE0EF", "#67A6CF", "#2F7DB5", "#0B3F6B")
"""One hue from light to dark."""

SEQUENTIAL = LinearSegmentedColormap.from_list("classpulse", COLOUR_STEPS)


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure. Without pyplot, which keeps every figure alive and looks for a display."""
    return Figure(figsize=(width_in, height_in), layout="constrained")


def style_axes(ax: Axes, *, grid: Literal["x", "y"] | None = None) -> Axes:
    """Style axes: small text, thin lines, no frame at the top and right; ``grid`` draws faint lines for an
    axis."""
    ax.spines[["top", "right"]].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set(color=FAINT, linewidth=0.6)
    ax.tick_params(labelsize=TEXT_PT, labelcolor=INK, color=FAINT, width=0.6)
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.set(fontsize=TEXT_PT, color=INK)
    if grid is not None:
        ax.grid(axis=grid, color="#E6E6E6", linewidth=0.5)
        ax.set_axisbelow(True)
    return ax


def figure_to_png(figure: Figure) -> bytes:
    """The figure as PNG."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    return content.getvalue()
