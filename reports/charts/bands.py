"""Seven expressions as stacked bands."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from reports.charts.style import COLOURS
from reports.timeline import Floats
from reports.words import NOUNS


def draw_bands(ax: Axes, edges_s: Floats, means: Floats) -> None:
    """Stack the seven columns of ``means`` ``(C, 7)``; rows of NaN stay empty."""
    base = np.where(np.isnan(means[:, 0]), np.nan, 0.0)
    for emotion, colour in COLOURS.items():
        top = base + means[:, emotion]
        # White seams keep neighbours apart in a grey print.
        ax.stairs(top, edges_s, baseline=base, fill=True, facecolor=colour, edgecolor="white", linewidth=0.3)
        base = top


def band_handles() -> list[Patch]:
    """Legend entries in the order of the bands, the topmost first."""
    return [
        Patch(facecolor=colour, label=NOUNS[emotion]) for emotion, colour in reversed(list(COLOURS.items()))
    ]
