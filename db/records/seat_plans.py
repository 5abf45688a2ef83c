"""Seat plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class PlannedSeat:
    """A seat of a plan: its label and the box in which the face appears, pixels of the plan's frame."""

    label: str
    box_xyxy: tuple[float, float, float, float]


@dataclass(frozen=True)
class SeatPlan:
    """The seat plan of a class on a frame of ``frame_width`` x ``frame_height`` pixels. ``reference_view``
    holds the keypoints that identify the camera's view (``monitor.registration.landmarks``)."""

    class_name: str
    frame_width: int
    frame_height: int
    created_at: datetime
    seats: tuple[PlannedSeat, ...]
    reference_view: bytes
