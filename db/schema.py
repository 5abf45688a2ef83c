"""The tables. Times are aware UTC; positions in a lecture are media seconds.

Everything below a session goes when the session goes (``ON DELETE CASCADE``); the audit names what it
speaks of in words, without foreign keys, so that it outlives what was erased.

The tables of who may use the dashboard; apart from ``db.schema``, which holds what is known of classes.

Column types that take no surprises: aware UTC times and plain numbers.
"""

from __future__ import annotations

import operator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from db.errors import InvalidValue


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, microsecond precision. Any aware ``datetime`` is taken and converted to UTC; a naive
    one raises ``InvalidValue``, because a guess at its zone would shift a lecture by hours.

    SQLite has no time zone in its columns: what it returns naive is the UTC that was written.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Python to database; raises ``InvalidValue`` for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None or value.utcoffset() is None:
            raise InvalidValue(f"the time {value.isoformat()} has no time zone; expected aware UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Database to Python, always aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WholeNumber(TypeDecorator[int]):
    """An integer. NumPy's are converted: SQLite's driver would take ``np.int64(10)`` for a buffer and
    store its eight bytes, without a word."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        """Python to database; raises ``InvalidValue`` for what is no whole number."""
        try:
            return None if value is None else operator.index(value)
        except TypeError as error:
            raise InvalidValue(f"{value!r} cannot be stored; expected a whole number") from error


class RealNumber(TypeDecorator[float]):
    """A double. NumPy's are converted, for the same reason."""

    impl = Float(53)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> float | None:
        """Python to database; raises ``InvalidValue`` for what is no number."""
        try:
            return None if value is None else float(value)
        except (TypeError, ValueError) as error:
            raise InvalidValue(f"{value!r} cannot be stored; expected a number") from error


HEAD_REVISION = "0001"
"""The newest revision in ``db/migrations/versions``. Written down so that opening an up-to-date
database need not import Alembic (0.27 s of start-up); a test holds it against the scripts."""

PROBABILITIES = ("p_angry", "p_disgust", "p_fear", "p_happy", "p_sad", "p_surprise", "p_neutral")
"""The seven columns in the order of ``model.emotions.EMOTIONS``."""

_CASCADE = "CASCADE"

_VALID_SECONDS = "BETWEEN 0 AND 1e9"
"""With an upper bound, because PostgreSQL holds NaN for greater than any number (SQLite makes it NULL)."""


class Base(DeclarativeBase):
    """Every constraint gets a name, so that a later migration can address it on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        int: WholeNumber,
        float: RealNumber,
        dict[str, Any]: JSON,
    }


class ClassGroupRow(Base):
    """A class, known by its name."""

    __tablename__ = "class_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class SessionRow(Base):
    """One lecture, with the settings and versions that made its numbers."""

    __tablename__ = "class_sessions"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'finished', 'interrupted')", "status"),
        CheckConstraint("(status = 'running') = (ended_at IS NULL)", "running_has_no_end"),
        CheckConstraint("bin_s > 0", "bin_s"),
        CheckConstraint(f"end_s {_VALID_SECONDS} AND watched_s {_VALID_SECONDS}", "seconds"),
        CheckConstraint("frames_sampled >= 0 AND frames_dropped >= 0", "frames"),
        Index(None, "class_group_id", "started_at"),
        Index(None, "room", "started_at"),
        Index(None, "started_at"),
        Index(None, "status"),
        # A number is never given twice, also after an erasure: the audit and old reports name it.
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


class StudentRow(Base):
    """A person of a class; with ``session_id``, one known by the seat in that session only."""

    __tablename__ = "students"
    __table_args__ = (
        UniqueConstraint("session_id", "pseudonym"),
        # Unique treats NULLs as distinct, so the people of the roster need a rule of their own.
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
    session_id: Mapped[int | None] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    pseudonym: Mapped[str]


class SeatRow(Base):
    """Where a student sat in a session; the box in pixels of the frame."""

    __tablename__ = "seats"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id"),
        CheckConstraint("x2 > x1 AND y2 > y1", "box"),
        CheckConstraint("frame_width > 0 AND frame_height > 0", "frame"),
        Index(None, "student_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))
    label: Mapped[str]
    x1: Mapped[float]
    y1: Mapped[float]
    x2: Mapped[float]
    y2: Mapped[float]
    frame_width: Mapped[int]
    frame_height: Mapped[int]


class TrackRow(Base):
    """A stretch of unbroken following. ``assignment_basis``: why who came to a known seat was taken for whom."""

    __tablename__ = "tracks"
    __table_args__ = (
        UniqueConstraint("session_id", "track_number"),
        CheckConstraint("last_s >= first_s AND hits >= 0", "interval"),
        Index(None, "student_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))
    track_number: Mapped[int]
    first_s: Mapped[float]
    last_s: Mapped[float]
    hits: Mapped[int]
    assignment_basis: Mapped[str | None]


def _all_or_none() -> str:
    first, *rest = PROBABILITIES
    return " AND ".join(f"({first} IS NULL) = ({name} IS NULL)" for name in rest)


class TimelineBinRow(Base):
    """A few seconds of one student, or of the whole class where ``student_id`` is NULL.

    The numbers are checked here too, not in Python alone: a wrong mean is never noticed later.
    """

    __tablename__ = "timeline_bins"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id", "start_s"),
        # Unique treats NULLs as distinct: without this, each write of a class bin would add a row.
        # A stand-in student for "the class" was rejected, it would turn up in every list of people.
        Index(
            "uq_timeline_bins_class",
            "session_id",
            "start_s",
            unique=True,
            sqlite_where=text("student_id IS NULL"),
            postgresql_where=text("student_id IS NULL"),
        ),
        # For erasing one student: without it every deleted student scans all bins of all years.
        Index(None, "student_id"),
        CheckConstraint(f"start_s {_VALID_SECONDS}", "start_s"),
        CheckConstraint(f"seen_s {_VALID_SECONDS} AND watched_s {_VALID_SECONDS}", "seconds"),
        CheckConstraint(
            # A class bin counts the samples of all its people against frames, so only its order is checked.
            "usable_samples >= 0 AND usable_samples <= seen_samples"
            " AND samples >= 0 AND (student_id IS NULL OR seen_samples <= samples)",
            "samples",
        ),
        CheckConstraint("facing_samples >= 0 AND facing_samples <= pose_samples", "pose_samples"),
        CheckConstraint("closed_samples >= 0 AND closed_samples <= eye_samples", "eye_samples"),
        CheckConstraint("student_count >= 0", "student_count"),
        CheckConstraint(_all_or_none(), "all_or_none"),
        # Summing to 1 within float32's rounding of seven means; a NULL sum passes.
        CheckConstraint(f"abs({' + '.join(PROBABILITIES)} - 1.0) < 0.001", "sum"),
        *(CheckConstraint(f"{name} >= 0 AND {name} <= 1", name) for name in PROBABILITIES),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))
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


class MarkerRow(Base):
    """A note on the timeline, "quiz handed out"."""

    __tablename__ = "markers"
    __table_args__ = (CheckConstraint(f"at_s {_VALID_SECONDS}", "at_s"), Index(None, "session_id", "at_s"))

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    at_s: Mapped[float]
    text: Mapped[str]


class GapRow(Base):
    """A stretch in which nothing could be seen, and why ("no signal", "paused")."""

    __tablename__ = "gaps"
    __table_args__ = (
        UniqueConstraint("session_id", "start_s"),
        CheckConstraint(
            f"start_s {_VALID_SECONDS} AND end_s {_VALID_SECONDS} AND end_s >= start_s", "interval"
        ),
        CheckConstraint("reason <> ''", "reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    start_s: Mapped[float]
    end_s: Mapped[float]
    reason: Mapped[str]


class FlagRow(Base):
    """A verdict and what a person made of it."""

    __tablename__ = "flags"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id", "kind"),
        CheckConstraint("outcome IN ('flagged', 'not_flagged', 'insufficient_data')", "outcome"),
        CheckConstraint("review IN ('open', 'confirmed', 'dismissed')", "review"),
        Index(None, "student_id"),
        Index(None, "outcome", "session_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))
    kind: Mapped[str]
    outcome: Mapped[str]
    numbers: Mapped[dict[str, Any]]
    review: Mapped[str]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    note: Mapped[str | None]


def _shares_in_range(*names: str) -> str:
    return " AND ".join(f"({name} IS NULL OR {name} BETWEEN 0 AND 1)" for name in names)


def _interval_all_or_none(kind: str) -> str:
    """A share has its interval or there is none of the three."""
    low, share, high = (f"{kind}_{part}" for part in ("low", "share", "high"))
    return f"({low} IS NULL) = ({share} IS NULL) AND ({high} IS NULL) = ({share} IS NULL)"


class StudentSummaryRow(Base):
    """What one session holds of one person, after the corrections; made of the bins, at any time again.

    ``sad_share`` and ``away_share`` are those of the verdicts, with their intervals.
    """

    __tablename__ = "student_summaries"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id"),
        CheckConstraint(
            f"watched_s {_VALID_SECONDS} AND seen_s {_VALID_SECONDS} AND usable_s {_VALID_SECONDS} AND head_pose_s {_VALID_SECONDS}",
            "seconds",
        ),
        CheckConstraint("usable_samples >= 0", "usable_samples"),
        CheckConstraint(_shares_in_range("facing_share", "closed_share", *PROBABILITIES), "shares"),
        CheckConstraint(_shares_in_range("sad_share", "sad_low", "sad_high"), "sad"),
        CheckConstraint(_shares_in_range("away_share", "away_low", "away_high"), "away"),
        CheckConstraint(_interval_all_or_none("sad"), "sad_interval"),
        CheckConstraint(_interval_all_or_none("away"), "away_interval"),
        CheckConstraint(_all_or_none(), "all_or_none"),
        Index(None, "student_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))
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
    """What one session holds of its class. ``rules_version`` is the version of the rules that made it and its
    students' rows; ``student_summary_count`` how many those were, so that an erasure is noticed."""

    __tablename__ = "session_summaries"
    __table_args__ = (
        CheckConstraint("student_count >= 0 AND student_summary_count >= 0", "counts"),
        CheckConstraint(
            _shares_in_range("seen_share", "facing_share", "closed_share", *PROBABILITIES), "shares"
        ),
        CheckConstraint(_all_or_none(), "all_or_none"),
    )

    session_id: Mapped[int] = mapped_column(
        ForeignKey("class_sessions.id", ondelete=_CASCADE), primary_key=True, autoincrement=False
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


class CorrectionRow(Base):
    """What a teacher corrected of who is who: never changed but for ``undone_at``."""

    __tablename__ = "corrections"
    __table_args__ = (
        CheckConstraint("kind IN ('name', 'merge', 'split')", "kind"),
        CheckConstraint("(kind = 'split') = (at_s IS NOT NULL)", "a_split_has_a_time"),
        CheckConstraint(f"at_s {_VALID_SECONDS}", "at_s"),
        CheckConstraint("student_id <> person_id", "two_people"),
        Index(None, "session_id"),
        Index(None, "student_id"),
        Index(None, "person_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    kind: Mapped[str]
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))
    person_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))
    at_s: Mapped[float | None]


class IdentityIntervalRow(Base):
    """Who a recorded student was, from when until before when: the corrections, replayed.

    A session that was ever corrected has stretches of everybody recorded in it, which cover all time;
    one that was not has none. Rewritten whole with every correction, so it can always be made again.
    """

    __tablename__ = "identity_intervals"
    __table_args__ = (
        UniqueConstraint("session_id", "student_id", "start_s"),
        CheckConstraint(
            f"start_s {_VALID_SECONDS} AND end_s {_VALID_SECONDS} AND end_s > start_s", "interval"
        ),
        Index(None, "student_id"),
        Index(None, "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))
    start_s: Mapped[float]
    end_s: Mapped[float]
    person_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE))


class AuditRow(Base):
    """Who did what to which data, and when; the subject in words."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]


class RosterEntryRow(Base):
    """What the roster says of a student whose ``session_id`` is NULL: the seat's label, and whether they
    may be watched."""

    __tablename__ = "roster_entries"

    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE), primary_key=True)
    seat_label: Mapped[str | None]
    consent: Mapped[bool]
    changed_at: Mapped[datetime]


class StudentNameRow(Base):
    """A student's name: the one table with names, for ``db.roster`` alone."""

    __tablename__ = "student_names"

    student_id: Mapped[int] = mapped_column(ForeignKey("students.id", ondelete=_CASCADE), primary_key=True)
    name: Mapped[str]


class SeatPlanRow(Base):
    """The seat plan of a class, drawn over a picture of so many pixels. ``reference_view`` tell the camera's view
    again (``monitor.registration.landmarks``); they hold no picture."""

    __tablename__ = "seat_plans"
    __table_args__ = (CheckConstraint("frame_width > 0 AND frame_height > 0", "frame"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_group_id: Mapped[int] = mapped_column(ForeignKey("class_groups.id", ondelete=_CASCADE), unique=True)
    frame_width: Mapped[int]
    frame_height: Mapped[int]
    created_at: Mapped[datetime]
    reference_view: Mapped[bytes]


class PlannedSeatRow(Base):
    """A seat of a plan; the box is where a face is, in pixels of the plan's picture."""

    __tablename__ = "planned_seats"
    __table_args__ = (
        UniqueConstraint("plan_id", "label"),
        CheckConstraint("x2 > x1 AND y2 > y1", "box"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("seat_plans.id", ondelete=_CASCADE))
    label: Mapped[str]
    x1: Mapped[float]
    y1: Mapped[float]
    x2: Mapped[float]
    y2: Mapped[float]


class OptedOutSeatRow(Base):
    """A seat that was masked in a session. All that is kept of who sits there."""

    __tablename__ = "opted_out_seats"
    __table_args__ = (UniqueConstraint("session_id", "label"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("class_sessions.id", ondelete=_CASCADE))
    label: Mapped[str]


class AccountRow(Base):
    """Somebody who may log in. ``name_casefolded`` is the name without case, by which it is unique."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("role IN ('teacher', 'counsellor', 'administrator')", "role"),
        CheckConstraint("name <> ''", "name"),
        # A number is never given twice: the audit names it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_casefolded: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    disabled: Mapped[bool]
    created_at: Mapped[datetime]


class AccountClassRow(Base):
    """A teacher's own class."""

    __tablename__ = "account_classes"
    __table_args__ = (Index(None, "class_group_id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete=_CASCADE), primary_key=True)
    class_group_id: Mapped[int] = mapped_column(
        ForeignKey("class_groups.id", ondelete=_CASCADE), primary_key=True
    )


class LoginRow(Base):
    """A browser that is logged in, by the hash of what it keeps: who reads the database cannot log in with
    it."""

    __tablename__ = "logins"
    __table_args__ = (Index(None, "account_id"), Index(None, "last_used_at"))

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete=_CASCADE))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
