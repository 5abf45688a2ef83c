"""Stacked bands of shares that sum to 1: expressions, or head directions."""

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
"""Name and patch properties of each band, the lowest first."""


def expression_band_styles() -> BandStyles:
    """The bands of the seven expressions, in stacking order."""
    return [
        (
            emotion_noun(emotion),
            {"facecolor": colour, "edgecolor": "white", "hatch": EXPRESSION_HATCHES.get(emotion)},
        )
        for emotion, colour in EXPRESSION_COLOURS.items()
    ]


def head_band_styles() -> BandStyles:
    """The bands of ``ClassTimeline.head_shares``, in the same order."""
    facing, turned = HEAD_COLOURS
    return [
        (_("to the front"), {"facecolor": facing, "edgecolor": "white"}),
        (_("turned away"), {"facecolor": turned, "edgecolor": "white"}),
        (_("seen, not readable"), state_style(ColumnState.UNKNOWN)),
        (_("not seen"), state_style(ColumnState.ABSENT)),
    ]


def draw_bands(ax: Axes, edges_s: Floats, shares: Floats, styles: BandStyles) -> None:
    """Stack ``shares`` ``(C, N)`` over the time columns; rows of NaN stay empty."""
    base = np.where(np.isnan(shares[:, 0]), np.nan, 0.0)
    for band, (__, look) in enumerate(styles):
        top = base + shares[:, band]
        _draw_steps(ax, top, edges_s, baseline=base, fill=True, **{**look, "linewidth": 0})
        if band:
            # A white seam separates bands in greyscale prints; around narrow columns it would blur them.
            _draw_steps(ax, base, edges_s, baseline=None, fill=False, edgecolor="white", linewidth=0.35)
        base = top


def _draw_steps(ax: Axes, values: Floats, edges_s: Floats, **look: Any) -> None:
    """As ``Axes.stairs``, without its slow update of the data limits."""
    ax.add_artist(StepPatch(values, edges_s, **look))


def band_handles(styles: BandStyles) -> list[Patch]:
    """Legend entries, the topmost band first."""
    return [Patch(label=name, **{**look, "linewidth": 0}) for name, look in reversed(styles)]
