"""Summaries of ended sessions: derived from the bins and always reproducible from them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import CASCADE, PROBABILITIES, VALID_SECONDS, Base, all_or_none_check


def _shares_in_range(*names: str) -> str:
    """SQL condition: each column is NULL or within 0..1."""
    return " AND ".join(f"({name} IS NULL OR {name} BETWEEN 0 AND 1)" for name in names)


def _interval_all_or_none(kind: str) -> str:
    """SQL condition: the share and both ends of its interval are all NULL or all set."""
    low, share, high = (f"{kind}_{part}" for part in ("low", "share", "high"))
    return f"({low} IS NULL) = ({share} IS NULL) AND ({high} IS NULL) = ({share} IS NULL)"


class StudentSummaryRow(Base):
    """The summary of one person in one session, after corrections.

    ``sad_share`` and ``away_share`` are those of the flag decisions, with their confidence intervals.
    """

    __tablename__ = "student_summaries"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id"),
        CheckConstraint(
            f"watched_s {VALID_SECONDS} AND seen_s {VALID_SECONDS} AND usable_s {VALID_SECONDS}"
            f" AND head_pose_s {VALID_SECONDS}",
            "seconds",
        ),
        CheckConstraint("usable_samples >= 0", "usable_samples"),
        CheckConstraint(_shares_in_range("facing_share", "closed_share", *PROBABILITIES), "shares"),
        CheckConstraint(_shares_in_range("sad_share", "sad_low", "sad_high"), "sad"),
        CheckConstraint(_shares_in_range("away_share", "away_low", "away_high"), "away"),
        CheckConstraint(_interval_all_or_none("sad"), "sad_interval"),
        CheckConstraint(_interval_all_or_none("away"), "away_interval"),
        CheckConstraint(all_or_none_check(), "all_or_none"),
        Index(None, "student_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=CASCADE))
    watched_s: Mapped[float]
    seen_s: Mapped[float]
    usable_s: Mapped[float]
    usable_samples: Mapped[int]
    head_pose_s: Mapped[float]
    facing_share: Mapped[float | None]
    closed_share: Mapped[float | None]
    p_angry: Mapped[float | None]
    p_disgust: Mapped[float | None]
    p_fear: Mapped[float | None]
    p_happy: Mapped[float | None]
    p_sad: Mapped[float | None]
    p_surprise: Mapped[float | None]
    p_neutral: Mapped[float | None]
    sad_share: Mapped[float | None]
    sad_low: Mapped[float | None]
    sad_high: Mapped[float | None]
    away_share: Mapped[float | None]
    away_low: Mapped[float | None]
    away_high: Mapped[float | None]


class SessionSummaryRow(Base):
    """The summary of a class in one session.

    ``rules_version`` is the version of the rules that computed it and its students' rows;
    ``student_summary_count`` is the number of those rows, which reveals an erasure.
    """

    __tablename__ = "session_summaries"
    __table_args__ = (
        CheckConstraint("student_count >= 0 AND student_summary_count >= 0", "counts"),
        CheckConstraint(
            _shares_in_range("seen_share", "facing_share", "closed_share", *PROBABILITIES), "shares"
        ),
        CheckConstraint(all_or_none_check(), "all_or_none"),
    )

    session_id: Mapped[int] = mapped_column(
        ForeignKey("class_sessions.id", ondelete=CASCADE), primary_key=True, autoincrement=False
    )
    rules_version: Mapped[int]
    student_summary_count: Mapped[int]
    student_count: Mapped[int]
    seen_share: Mapped[float | None]
    facing_share: Mapped[float | None]
    closed_share: Mapped[float | None]
    p_angry: Mapped[float | None]
    p_disgust: Mapped[float | None]
    p_fear: Mapped[float | None]
    p_happy: Mapped[float | None]
    p_sad: Mapped[float | None]
    p_surprise: Mapped[float | None]
    p_neutral: Mapped[float | None]
