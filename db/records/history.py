"""Results of reads over several sessions; no table of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from db.records.flags import FlagRecord
from db.records.sessions import SessionRecord
from db.records.students import StudentRecord
from db.records.summaries import SessionSummary, ShareEstimate, StudentSummary


@dataclass(frozen=True)
class StudentSession:
    """One student in one session. ``summary`` is None while the session is running. ``flags`` has at most one
    decision of each kind."""

    session: SessionRecord
    student: StudentRecord
    summary: StudentSummary | None
    flags: tuple[FlagRecord, ...]


@dataclass(frozen=True)
class ClassSession:
    """One session in the history of a class. ``summary`` is None, and ``students`` empty, while it is
    running; ``students`` are ordered by id and empty in ``mode: aggregate``. ``flags`` are the decisions
    with outcome ``flagged``, after corrections and with their current reviews."""

    session: SessionRecord
    summary: SessionSummary | None
    students: tuple[StudentSummary, ...] = ()
    flags: tuple[FlagRecord, ...] = ()


@dataclass(frozen=True)
class ClassHistory:
    """Sessions, the oldest first, and all students in them, by id."""

    sessions: tuple[ClassSession, ...]
    students: Mapping[int, StudentRecord]


@dataclass(frozen=True)
class EarlierShare:
    """The share in one earlier session of a roster student: ``kind`` and ``outcome`` are those of the flag
    decision, ``review`` its review."""

    student_id: int
    session_id: int
    started_at: datetime
    kind: str
    estimate: ShareEstimate
    outcome: str
    review: str = "open"
