"""A seat plan as a drawing: boxes, labels and pseudonyms, no picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from db.records import RosterEntry, SeatPlan
from monitor.domain import Box
from monitor.plan import grown
from reports.charts.style import FAINT, INK, WIDTH_IN, Chart, house_style
from reports.charts.svg import to_svg

DPI = 200
_MARGIN = (1.0, 1.5, 1.0, 1.5)

_LOOKS: Mapping[bool | None, dict[str, Any]] = {
    None: {"facecolor": "#FFFFFF", "edgecolor": FAINT, "linestyle": ":"},
    True: {"facecolor": "#CBE0EF", "edgecolor": INK},
    False: {"facecolor": "#D9D9D9", "edgecolor": INK, "hatch": "/////"},
}
"""By consent; None where nobody of the roster sits."""


def plan_svg(plan: SeatPlan, sitting: Mapping[str, RosterEntry]) -> bytes:
    """The drawing as SVG; ``sitting`` has the people of the roster by label."""
    with house_style():
        return to_svg(_chart(plan, sitting)).encode("utf-8")


def plan_png(plan: SeatPlan, sitting: Mapping[str, RosterEntry]) -> bytes:
    """The same as PNG."""
    buffer = io.BytesIO()
    with house_style():
        _chart(plan, sitting).figure.savefig(buffer, format="png", dpi=DPI)
    return buffer.getvalue()


def _chart(plan: SeatPlan, sitting: Mapping[str, RosterEntry]) -> Chart:
    left, top, right, low = _around(plan)
    figure = Figure(figsize=(WIDTH_IN, WIDTH_IN * (low - top) / (right - left) + 0.3), layout="constrained")
    ax = figure.add_subplot(xlim=(left, right), ylim=(low, top), aspect="equal")
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel("as the camera sees it; hatched: opted out, masked; dotted: nobody of the roster")
    ax.spines[["top", "right"]].set_visible(True)
    for seat in plan.seats:
        x1, y1, x2, y2 = seat.box_xyxy
        entry = sitting.get(seat.label)
        ax.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, **_LOOKS[entry.consent if entry else None]))
        middle = (x1 + x2) / 2
        _write(ax, seat.label, (middle, y1), 1, va="bottom", fontsize=6, weight="bold")
        if entry is not None:
            _write(ax, entry.pseudonym, (middle, y2), -2, va="top", fontsize=5)
    return Chart(figure, f"Seat plan of class {plan.class_name} with {len(plan.seats)} seats")


def _write(ax: Axes, text: str, at_xy: tuple[float, float], up_pt: float, **look: Any) -> None:
    ax.annotate(text, at_xy, (0, up_pt), textcoords="offset points", ha="center", **look)


def _around(plan: SeatPlan) -> Box:
    """The part of the picture that has seats, with room for their texts."""
    edges = np.array([grown(seat.box_xyxy, _MARGIN) for seat in plan.seats])
    (left, top), (right, low) = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
    return float(left), float(top), float(right), float(low)
