"""Classes and sessions, with the markers and gaps on a session's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import CASCADE, VALID_SECONDS, Base


class ClassGroupRow(Base):
    """A class; its name is unique."""

    __tablename__ = "class_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class SessionRow(Base):
    """One session, with the settings and versions that its numbers depend on."""

    __tablename__ = "class_sessions"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'finished', 'interrupted')", "status"),
        CheckConstraint("(status = 'running') = (ended_at IS NULL)", "running_has_no_end"),
        CheckConstraint("bin_s > 0", "bin_s"),
        CheckConstraint(f"end_s {VALID_SECONDS} AND watched_s {VALID_SECONDS}", "seconds"),
        CheckConstraint("frames_sampled >= 0 AND frames_dropped >= 0", "frames"),
        Index(None, "class_group_id", "started_at"),
        Index(None, "room", "started_at"),
        Index(None, "started_at"),
        Index(None, "status"),
        # An id is never reused, even after an erasure: the audit log and old reports refer to it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    class_group_id: Mapped[int] = mapped_column(ForeignKey("class_groups.id"))
    source: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    last_written_at: Mapped[datetime]
    status: Mapped[str]
    status_reason: Mapped[str]
    mode: Mapped[str]
    expected_s: Mapped[float | None]
    bin_s: Mapped[float]
    end_s: Mapped[float]
    watched_s: Mapped[float]
    frames_sampled: Mapped[int]
    frames_dropped: Mapped[int]
    settings: Mapped[dict[str, Any]]
    versions: Mapped[dict[str, Any]]
    pid: Mapped[int]
    process_started: Mapped[float]
    room: Mapped[str | None]
    small_faces: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class MarkerRow(Base):
    """A note on the timeline ("quiz handed out")."""

    __tablename__ = "markers"
    __table_args__ = (CheckConstraint(f"at_s {VALID_SECONDS}", "at_s"), Index(None, "session_id", "at_s"))

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    at_s: Mapped[float]
    text: Mapped[str]


class GapRow(Base):
    """An interval in which nothing was observed. ``reason`` is a ``monitor.types.GapReason``."""

    __tablename__ = "gaps"
    __table_args__ = (
        UniqueConstraint("session_id", "start_s"),
        CheckConstraint(
            f"start_s {VALID_SECONDS} AND end_s {VALID_SECONDS} AND end_s >= start_s", "interval"
        ),
        CheckConstraint("reason <> ''", "reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    start_s: Mapped[float]
    end_s: Mapped[float]
    reason: Mapped[str]
