"""Shares that make a whole, as stacked bands: seven expressions, or where the heads were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, StepPatch

from reports.charts.resampling import ColumnState
from reports.charts.style import EXPRESSION_COLOURS, EXPRESSION_HATCHES, HEAD_COLOURS, state_style
from reports.text.formatting import emotion_noun
from reports.text.i18n import _
from reports.timeline.student import Floats

BandStyles = Sequence[tuple[str, Mapping[str, Any]]]
"""Name and look of each band, the lowest first."""


def expression_band_styles() -> BandStyles:
    """The bands of the seven expressions, in the order in which they are stacked."""
    return [
        (
            emotion_noun(emotion),
            {"facecolor": colour, "edgecolor": "white", "hatch": EXPRESSION_HATCHES.get(emotion)},
        )
        for emotion, colour in EXPRESSION_COLOURS.items()
    ]


def head_band_styles() -> BandStyles:
    """The bands of ``ClassTimeline.head_shares``, in its order."""
    facing, turned = HEAD_COLOURS
    return [
        (_("to the front"), {"facecolor": facing, "edgecolor": "white"}),
        (_("turned away"), {"facecolor": turned, "edgecolor": "white"}),
        (_("seen, not readable"), state_style(ColumnState.UNKNOWN)),
        (_("not seen"), state_style(ColumnState.ABSENT)),
    ]


def draw_bands(ax: Axes, edges_s: Floats, shares: Floats, styles: BandStyles) -> None:
    """Stack the columns of ``shares`` ``(C, N)``; rows of NaN stay empty."""
    base = np.where(np.isnan(shares[:, 0]), np.nan, 0.0)
    for band, (__, look) in enumerate(styles):
        top = base + shares[:, band]
        _draw_steps(ax, top, edges_s, baseline=base, fill=True, **{**look, "linewidth": 0})
        if band:
            # A seam along the band alone keeps neighbours apart in a grey print; around narrow columns it
            # would be a haze.
            _draw_steps(ax, base, edges_s, baseline=None, fill=False, edgecolor="white", linewidth=0.35)
        base = top


def _draw_steps(ax: Axes, values: Floats, edges_s: Floats, **look: Any) -> None:
    """What ``Axes.stairs`` draws; that also measures every step, which takes longer than all the rest."""
    ax.add_artist(StepPatch(values, edges_s, **look))


def band_handles(styles: BandStyles) -> list[Patch]:
    """Legend entries in the order of the bands, the topmost first."""
    return [Patch(label=name, **{**look, "linewidth": 0}) for name, look in reversed(styles)]
