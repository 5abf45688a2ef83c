"""Seat plans, and the seats that a session masked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import CASCADE, Base


class SeatPlanRow(Base):
    """The seat plan of a class, drawn on a frame of ``frame_width`` x ``frame_height`` pixels.

    ``reference_view`` holds the keypoints that identify the camera's view
    (``monitor.registration.landmarks``), no image.
    """

    __tablename__ = "seat_plans"
    __table_args__ = (CheckConstraint("frame_width > 0 AND frame_height > 0", "frame"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_group_id: Mapped[int] = mapped_column(ForeignKey("class_groups.id", ondelete=CASCADE), unique=True)
    frame_width: Mapped[int]
    frame_height: Mapped[int]
    created_at: Mapped[datetime]
    reference_view: Mapped[bytes]


class PlannedSeatRow(Base):
    """A seat of a plan. The box is where the face appears, in pixels of the plan's frame."""

    __tablename__ = "planned_seats"
    __table_args__ = (
        UniqueConstraint("plan_id", "label"),
        CheckConstraint("x2 > x1 AND y2 > y1", "box"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("seat_plans.id", ondelete=CASCADE))
    label: Mapped[str]
    x1: Mapped[float]
    y1: Mapped[float]
    x2: Mapped[float]
    y2: Mapped[float]


class OptedOutSeatRow(Base):
    """A seat that was masked in a session; nothing else is stored about the student."""

    __tablename__ = "opted_out_seats"
    __table_args__ = (UniqueConstraint("session_id", "label"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    label: Mapped[str]
