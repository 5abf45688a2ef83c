"""Drawings of a seat plan: a chart of boxes, labels and pseudonyms, and an anonymised still for editing."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from db.records import PlannedSeat, RosterEntry, SeatPlan
from monitor.geometry import expand_box
from monitor.types import Box, ImageBGR
from reports.charts.style import FAINT, INK, WIDTH_IN, FigureWithAlt, chart_style
from reports.charts.svg import to_svg

CHART_DPI = 200
_MARGIN = (1.0, 1.5, 1.0, 1.5)

_SEAT_STYLES: Mapping[bool | None, dict[str, Any]] = {
    None: {"facecolor": "#FFFFFF", "edgecolor": FAINT, "linestyle": ":"},
    True: {"facecolor": "#CBE0EF", "edgecolor": INK},
    False: {"facecolor": "#D9D9D9", "edgecolor": INK, "hatch": "/////"},
}
"""By consent; None for a seat without a student of the roster."""


def render_plan_svg(plan: SeatPlan, students_by_seat: Mapping[str, RosterEntry]) -> bytes:
    """The chart as SVG; ``students_by_seat``: roster entries by seat label."""
    with chart_style():
        return to_svg(_chart(plan, students_by_seat)).encode("utf-8")


def render_plan_png(plan: SeatPlan, students_by_seat: Mapping[str, RosterEntry]) -> bytes:
    """The chart as PNG."""
    buffer = io.BytesIO()
    with chart_style():
        _chart(plan, students_by_seat).figure.savefig(buffer, format="png", dpi=CHART_DPI)
    return buffer.getvalue()


def _chart(plan: SeatPlan, students_by_seat: Mapping[str, RosterEntry]) -> FigureWithAlt:
    left, top, right, low = _plan_bounds(plan)
    figure = Figure(figsize=(WIDTH_IN, WIDTH_IN * (low - top) / (right - left) + 0.3), layout="constrained")
    ax = figure.add_subplot(xlim=(left, right), ylim=(low, top), aspect="equal")
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel("camera view; hatched: opted out, masked; dotted: no student of the roster")
    ax.spines[["top", "right"]].set_visible(True)
    for seat in plan.seats:
        x1, y1, x2, y2 = seat.box_xyxy
        entry = students_by_seat.get(seat.label)
        ax.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, **_SEAT_STYLES[entry.consent if entry else None]))
        middle = (x1 + x2) / 2
        _annotate(ax, seat.label, (middle, y1), 1, va="bottom", fontsize=6, weight="bold")
        if entry is not None:
            _annotate(ax, entry.pseudonym, (middle, y2), -2, va="top", fontsize=5)
    return FigureWithAlt(figure, f"Seat plan of class {plan.class_name} with {len(plan.seats)} seats")


def _annotate(ax: Axes, text: str, at_xy: tuple[float, float], up_pt: float, **style: Any) -> None:
    ax.annotate(text, at_xy, (0, up_pt), textcoords="offset points", ha="center", **style)


def _plan_bounds(plan: SeatPlan) -> Box:
    """The part of the frame that has seats, with margins for the labels."""
    edges = np.array([expand_box(seat.box_xyxy, _MARGIN) for seat in plan.seats])
    (left, top), (right, low) = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
    return float(left), float(top), float(right), float(low)


BLOCKS_PER_FACE = 3
"""Pixelation of the whole image, in blocks per width of a median face, for faces that were not detected.
People recognise familiar faces from about 7 blocks (Yip and Sinha 2002)."""

MIN_BLOCK_PX = 8
DIM_FACTOR = 0.55
HEAD_MARGIN = (0.3, 0.4, 0.3, 0.2)
"""Margins around a detected face that are filled with one colour, hair included, in face widths and
heights."""

_BOX_BGR, _TEXT_BGR = (0, 215, 255), (255, 255, 255)


def render_anonymised_plan(still_bgr: ImageBGR, seats: Sequence[PlannedSeat]) -> bytes:
    """A PNG of the still, pixelated and dimmed, with the faces of ``seats`` filled and boxes and labels on
    top."""
    widths = [seat.box_xyxy[2] - seat.box_xyxy[0] for seat in seats]
    block = max(MIN_BLOCK_PX, round(float(np.median(widths)) / BLOCKS_PER_FACE) if widths else 0)
    image = cv2.convertScaleAbs(_pixelate(still_bgr, block), alpha=DIM_FACTOR)
    for seat in seats:
        x1, y1, x2, y2 = (max(0, round(edge)) for edge in expand_box(seat.box_xyxy, HEAD_MARGIN))
        head = image[y1:y2, x1:x2]
        head[:] = head.mean(axis=(0, 1))
    for seat in seats:
        x1, y1, x2, y2 = (round(edge) for edge in seat.box_xyxy)
        cv2.rectangle(image, (x1, y1), (x2, y2), _BOX_BGR, 2)
        scale = max(0.35, (x2 - x1) / 60)
        label_xy = (x1, y1 - 4 if y1 > 20 else y2 + round(24 * scale))
        cv2.putText(image, seat.label, label_xy, cv2.FONT_HERSHEY_SIMPLEX, scale, _TEXT_BGR, 1, cv2.LINE_AA)
    return bytes(cv2.imencode(".png", image)[1])


def _pixelate(image_bgr: ImageBGR, block: int) -> ImageBGR:
    height, width = image_bgr.shape[:2]
    size = (max(1, width // block), max(1, height // block))
    small = cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
