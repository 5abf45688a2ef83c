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
    # White seams keep neighbours apart in a grey print; around narrow columns they would be a haze.
    seam = 0.3 if len(means) <= 40 else 0.0
    base = np.where(np.isnan(means[:, 0]), np.nan, 0.0)
    for emotion, colour in COLOURS.items():
        top = base + means[:, emotion]
        ax.stairs(top, edges_s, baseline=base, fill=True, facecolor=colour, edgecolor="white", linewidth=seam)
        base = top


def band_handles() -> list[Patch]:
    """Legend entries in the order of the bands, the topmost first."""
    return [
        Patch(facecolor=colour, label=NOUNS[emotion]) for emotion, colour in reversed(list(COLOURS.items()))
    ]
