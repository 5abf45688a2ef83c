"""Flags and their reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import CASCADE, Base


class FlagRow(Base):
    """A flag decision and its review."""

    __tablename__ = "flags"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id", "kind"),
        CheckConstraint("outcome IN ('flagged', 'not_flagged', 'insufficient_data')", "outcome"),
        CheckConstraint("review IN ('open', 'confirmed', 'dismissed')", "review"),
        Index(None, "student_id"),
        Index(None, "outcome", "session_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
    kind: Mapped[str]
    outcome: Mapped[str]
    numbers: Mapped[dict[str, Any]]
    review: Mapped[str]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    note: Mapped[str | None]
