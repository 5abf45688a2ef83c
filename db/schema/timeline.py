"""The measurements of a session: bins, seats and tracks of its students."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import CASCADE, PROBABILITIES, VALID_SECONDS, Base, all_or_none_check


class TimelineBinRow(Base):
    """A few seconds of one student, or of the whole class where ``student_id`` is NULL.

    The values are checked here as well as in Python, because a wrong mean would go unnoticed later.
    """

    __tablename__ = "timeline_bins"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id", "start_s"),
        # UNIQUE treats NULLs as distinct: without this, each write of a class bin would add a row. A
        # placeholder student for the class would appear in every list of students.
        Index(
            "uq_timeline_bins_class",
            "session_id",
            "start_s",
            unique=True,
            sqlite_where=text("student_id IS NULL"),
            postgresql_where=text("student_id IS NULL"),
        ),
        # Erasing a student would otherwise scan all bins.
        Index(None, "student_id"),
        CheckConstraint(f"start_s {VALID_SECONDS}", "start_s"),
        CheckConstraint(f"seen_s {VALID_SECONDS} AND watched_s {VALID_SECONDS}", "seconds"),
        CheckConstraint(
            # seen_samples of a class bin counts students, samples counts frames: no upper bound there.
            "usable_samples >= 0 AND usable_samples <= seen_samples"
            " AND samples >= 0 AND (student_id IS NULL OR seen_samples <= samples)",
            "samples",
        ),
        CheckConstraint("facing_samples >= 0 AND facing_samples <= pose_samples", "pose_samples"),
        CheckConstraint("closed_samples >= 0 AND closed_samples <= eye_samples", "eye_samples"),
        CheckConstraint("student_count >= 0", "student_count"),
        CheckConstraint(all_or_none_check(), "all_or_none"),
        # The sum is 1 within the float32 rounding of seven means; a NULL sum passes.
        CheckConstraint(f"abs({' + '.join(PROBABILITIES)} - 1.0) < 0.001", "sum"),
        *(CheckConstraint(f"{name} >= 0 AND {name} <= 1", name) for name in PROBABILITIES),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
    start_s: Mapped[float]
    watched_s: Mapped[float]
    seen_s: Mapped[float]
    samples: Mapped[int]
    seen_samples: Mapped[int]
    usable_samples: Mapped[int]
    p_angry: Mapped[float | None]
    p_disgust: Mapped[float | None]
    p_fear: Mapped[float | None]
    p_happy: Mapped[float | None]
    p_sad: Mapped[float | None]
    p_surprise: Mapped[float | None]
    p_neutral: Mapped[float | None]
    unreadable_reasons: Mapped[dict[str, Any]]
    pose_samples: Mapped[int]
    facing_samples: Mapped[int]
    yaw_deg: Mapped[float | None]
    pitch_deg: Mapped[float | None]
    eye_samples: Mapped[int]
    closed_samples: Mapped[int]
    pose_counts: Mapped[dict[str, Any]]
    student_count: Mapped[int]


class SeatRow(Base):
    """A student's seat in a session; the box in pixels of the frame."""

    __tablename__ = "seats"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id"),
        CheckConstraint("x2 > x1 AND y2 > y1", "box"),
        CheckConstraint("frame_width > 0 AND frame_height > 0", "frame"),
        Index(None, "student_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
    label: Mapped[str]
    x1: Mapped[float]
    y1: Mapped[float]
    x2: Mapped[float]
    y2: Mapped[float]
    frame_width: Mapped[int]
    frame_height: Mapped[int]


class TrackRow(Base):
    """A track and its student. ``assignment_basis`` is a ``monitor.types.AssignmentBasis``."""

    __tablename__ = "tracks"
    __table_args__ = (
        UniqueConstraint("session_id", "track_number"),
        CheckConstraint("last_s >= first_s AND hits >= 0", "interval"),
        Index(None, "student_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
    track_number: Mapped[int]
    first_s: Mapped[float]
    last_s: Mapped[float]
    hits: Mapped[int]
    assignment_basis: Mapped[str | None]
