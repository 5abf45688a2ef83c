"""Shares that make a whole, as stacked bands: seven expressions, or where the heads were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, StepPatch

from reports.charts.resampling import State
from reports.charts.style import COLOURS, HATCH_OF, HEADS, state_look
from reports.text.formatting import noun
from reports.text.i18n import _
from reports.timeline.student import Floats

Looks = Sequence[tuple[str, Mapping[str, Any]]]
"""Name and look of each band, the lowest first."""


def expression_looks() -> Looks:
    """The bands of the seven expressions, in the order in which they are stacked."""
    return [
        (noun(emotion), {"facecolor": colour, "edgecolor": "white", "hatch": HATCH_OF.get(emotion)})
        for emotion, colour in COLOURS.items()
    ]


def head_looks() -> Looks:
    """The bands of ``ClassTimeline.head_shares``, in its order."""
    facing, turned = HEADS
    return [
        (_("to the front"), {"facecolor": facing, "edgecolor": "white"}),
        (_("turned away"), {"facecolor": turned, "edgecolor": "white"}),
        (_("seen, not readable"), state_look(State.UNKNOWN)),
        (_("not seen"), state_look(State.ABSENT)),
    ]


def draw_bands(ax: Axes, edges_s: Floats, shares: Floats, looks: Looks) -> None:
    """Stack the columns of ``shares`` ``(C, N)``; rows of NaN stay empty."""
    base = np.where(np.isnan(shares[:, 0]), np.nan, 0.0)
    for band, (__, look) in enumerate(looks):
        top = base + shares[:, band]
        _steps(ax, top, edges_s, baseline=base, fill=True, **{**look, "linewidth": 0})
        if band:
            # A seam along the band alone keeps neighbours apart in a grey print; around narrow columns it
            # would be a haze.
            _steps(ax, base, edges_s, baseline=None, fill=False, edgecolor="white", linewidth=0.35)
        base = top


def _steps(ax: Axes, values: Floats, edges_s: Floats, **look: Any) -> None:
    """What ``Axes.stairs`` draws; that also measures every step, which takes longer than all the rest."""
    ax.add_artist(StepPatch(values, edges_s, **look))


def band_handles(looks: Looks) -> list[Patch]:
    """Legend entries in the order of the bands, the topmost first."""
    return [Patch(label=name, **{**look, "linewidth": 0}) for name, look in reversed(looks)]
