"""Corrections of identity assignments, and the identity intervals that result."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import CASCADE, VALID_SECONDS, Base


class CorrectionRow(Base):
    """A teacher's correction of an identity assignment. Only ``undone_at`` is ever updated."""

    __tablename__ = "corrections"
    __table_args__ = (
        CheckConstraint("kind IN ('name', 'merge', 'split')", "kind"),
        CheckConstraint("(kind = 'split') = (at_s IS NOT NULL)", "a_split_has_a_time"),
        CheckConstraint(f"at_s {VALID_SECONDS}", "at_s"),
        CheckConstraint("student_id <> person_id", "two_people"),
        Index(None, "session_id"),
        Index(None, "student_id"),
        Index(None, "person_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    kind: Mapped[str]
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
    person_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
    at_s: Mapped[float | None]


class IdentityIntervalRow(Base):
    """The person that a recorded student was from ``start_s`` until before ``end_s``.

    A session that was ever corrected has intervals for every recorded student, covering all time; any other
    session has none. The intervals are derived from the corrections and rewritten with each of them.
    """

    __tablename__ = "identity_intervals"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id", "start_s"),
        CheckConstraint(f"start_s {VALID_SECONDS} AND end_s {VALID_SECONDS} AND end_s > start_s", "interval"),
        Index(None, "student_id"),
        Index(None, "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
    start_s: Mapped[float]
    end_s: Mapped[float]
    person_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
