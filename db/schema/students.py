"""Students, the roster and students' names."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import CASCADE, Base


class StudentRow(Base):
    """A student of a class: on the roster, or, with ``session_id``, known only by a seat in that session."""

    __tablename__ = "students"
    __table_args__ = (
        UniqueConstraint("session_id", "pseudonym"),
        # UNIQUE treats NULLs as distinct, so students of the roster need a partial index.
        Index(
            "uq_students_roster",
            "class_group_id",
            "pseudonym",
            unique=True,
            sqlite_where=text("session_id IS NULL"),
            postgresql_where=text("session_id IS NULL"),
        ),
        Index(None, "pseudonym"),
        Index(None, "class_group_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    class_group_id: Mapped[int] = mapped_column(ForeignKey("class_groups.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    pseudonym: Mapped[str]


class RosterEntryRow(Base):
    """A roster student's seat, and whether the student consents to being recorded."""

    __tablename__ = "roster_entries"

    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE), primary_key=True)
    seat_label: Mapped[str | None]
    consent: Mapped[bool]
    changed_at: Mapped[datetime]


class StudentNameRow(Base):
    """A student's name. The only table with names; only ``db.roster`` uses it."""

    __tablename__ = "student_names"

    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE), primary_key=True)
    name: Mapped[str]
