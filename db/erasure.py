"""Erasure of sessions and of single students, and the sessions whose retention time is over.

Erasing a session deletes everything below it and the students known from it alone. Later sessions of the
class stay as they are: their flag decisions used a baseline from earlier sessions that can no longer be
computed, so the stored baseline is kept with them (``BASELINE_FROZEN``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from annotated_types import Ge, Le
from sqlalchemy import Engine, delete, exists, or_, select, update
from sqlalchemy.engine import Connection

from db import summaries
from db.corrections.store import load_identity_map
from db.engine import enable_secure_delete
from db.history import MAX_BASELINE_SESSIONS, SHARE_COLUMN_PREFIXES
from db.records import FlagRecord, SessionStatus
from db.roster import has_stored_name
from db.schema import (
    CorrectionRow,
    FlagRow,
    IdentityIntervalRow,
    RosterEntryRow,
    SeatRow,
    SessionRow,
    StudentRow,
    StudentSummaryRow,
    TimelineBinRow,
    TrackRow,
)
from db.unit_of_work import UnitOfWork

BASELINE_FROZEN = "baseline_frozen"
"""Key in ``FlagRecord.numbers``: the baseline rests on sessions that were erased since, so it is not
recomputed."""

_STUDENT_REFERENCES = (
    TimelineBinRow.student_id,
    SeatRow.student_id,
    TrackRow.student_id,
    FlagRow.student_id,
    StudentSummaryRow.student_id,
    CorrectionRow.student_id,
    CorrectionRow.person_id,
    IdentityIntervalRow.student_id,
    IdentityIntervalRow.person_id,
)


@dataclass(frozen=True)
class RetentionSettings:
    """``keep_days``: days after its end at which a session is erased; None keeps sessions until they are
    erased by hand. ``at_hour``: the local hour in which the daemon erases."""

    keep_days: Annotated[int, Ge(1), Le(36500)] | None = None
    at_hour: Annotated[int, Ge(0), Le(23)] = 3


@dataclass(frozen=True)
class ErasedSession:
    """The numbers of deleted ``bins`` of a session and of ``students`` without other data."""

    session_id: int
    students: int
    bins: int


def sessions_ended_before(engine: Engine, before: datetime) -> list[int]:
    """The sessions that ended before that time (aware), the oldest first; never a running one."""
    statement = (
        select(SessionRow.id)
        .where(SessionRow.status != SessionStatus.RUNNING.value, SessionRow.ended_at < before)
        .order_by(SessionRow.ended_at, SessionRow.id)
    )
    with engine.connect() as connection:
        return list(connection.scalars(statement))


def erase_session(unit: UnitOfWork, session_id: int) -> ErasedSession | None:
    """Erase an ended session. Returns None, without a change, if it is running or unknown.

    SQLite overwrites the freed pages with zeros (``secure_delete``). ``db.engine.truncate_wal``, after the
    commit, removes the copies in the write-ahead log.
    """
    connection = unit.connection
    ended = SessionRow.status != SessionStatus.RUNNING.value
    if connection.scalar(select(SessionRow.id).where(SessionRow.id == session_id, ended)) is None:
        return None
    enable_secure_delete(connection)
    _freeze_baselines(connection, session_id)
    own = list(connection.scalars(select(StudentRow.id).where(StudentRow.session_id == session_id)))
    others = _referenced_students(connection, session_id) - set(own)
    bins = connection.execute(delete(TimelineBinRow).where(TimelineBinRow.session_id == session_id)).rowcount
    connection.execute(delete(SessionRow).where(SessionRow.id == session_id))
    return ErasedSession(session_id, len(own) + _erase_unreferenced(connection, others), bins)


def erase_student(unit: UnitOfWork, session_id: int, student_id: int) -> int:
    """Erase a recorded student of a session with all of their data in it; returns the number of deleted bins.

    A student known in this session alone is deleted; a roster student stays, without data of this session.
    Bins of the whole class (``mode: aggregate``) contain no student and stay. For the pages in the files see
    ``erase_session``.
    """
    connection = unit.connection
    enable_secure_delete(connection)
    _freeze_baselines(connection, session_id)
    deleted_bins = 0
    for table in (
        TimelineBinRow,
        SeatRow,
        TrackRow,
        FlagRow,
        StudentSummaryRow,
        IdentityIntervalRow,
        CorrectionRow,
    ):
        of_student = delete(table).where(table.session_id == session_id, table.student_id == student_id)
        rows = connection.execute(of_student).rowcount
        deleted_bins += rows if table is TimelineBinRow else 0
    own = StudentRow.id == student_id, StudentRow.session_id == session_id
    connection.execute(delete(StudentRow).where(*own))
    summaries.delete_summaries(connection, session_id)  # the means of the class included the student
    return deleted_bins


@dataclass(frozen=True)
class RecordedIds:
    """The ids under which a session holds data of a person: ``exclusive`` ones belong to the person alone,
    ``shared`` ones also to another person, because of a split."""

    exclusive: tuple[int, ...]
    shared: tuple[int, ...]


def find_recorded_ids(engine: Engine, session_id: int, person_id: int) -> RecordedIds:
    """The ids under which a session holds data of a person after corrections, the person's own id last."""
    with engine.connect() as connection:
        identities = load_identity_map(connection, session_id)
        of_session = TimelineBinRow.session_id == session_id, TimelineBinRow.student_id.is_not(None)
        binned = connection.scalars(select(TimelineBinRow.student_id).where(*of_session).distinct())
        recorded = {student_id for student_id in binned if student_id is not None}
        recorded |= set(connection.scalars(select(StudentRow.id).where(StudentRow.session_id == session_id)))
    ids = sorted(
        recorded_id
        for recorded_id in recorded - {person_id}
        if person_id in identities.people_of(recorded_id)
    )
    if person_id not in recorded or person_id in identities.people_of(person_id):
        ids.append(person_id)
    exclusive = tuple(
        recorded_id for recorded_id in ids if set(identities.people_of(recorded_id)) <= {person_id}
    )
    return RecordedIds(exclusive, tuple(recorded_id for recorded_id in ids if recorded_id not in exclusive))


def find_recorded_id(engine: Engine, session_id: int, pseudonym: str, student_id: int | None) -> int | None:
    """The id under which a session holds data of a student: with ``student_id``, that roster student's own
    id; without, the student with that ``pseudonym`` known in this session alone. None if it holds no data of
    them."""
    with engine.connect() as connection:
        if student_id is None:
            own = StudentRow.session_id == session_id, StudentRow.pseudonym == pseudonym
            return connection.scalar(select(StudentRow.id).where(*own))
        data = [
            exists().where(table.session_id == session_id, table.student_id == student_id)
            for table in (TimelineBinRow, SeatRow, TrackRow, FlagRow, StudentSummaryRow)
        ]
        return student_id if connection.scalar(select(or_(*data))) else None


def frozen_baselines(flags: list[FlagRecord]) -> dict[tuple[int, str], tuple[float, int] | None]:
    """The frozen baselines of flag decisions, by student and kind: share and number of sessions, or None if
    the decision had no baseline."""
    return {
        (flag.student_id, flag.kind): None
        if flag.numbers.get("baseline_share") is None
        else (float(flag.numbers["baseline_share"]), int(flag.numbers["baseline_sessions"]))
        for flag in flags
        if flag.numbers.get(BASELINE_FROZEN)
    }


def _freeze_baselines(connection: Connection, session_id: int) -> None:
    """Freeze the baselines of later flag decisions that include this session."""
    group = select(SessionRow.class_group_id).where(SessionRow.id == session_id).scalar_subquery()
    started_at = select(SessionRow.started_at).where(SessionRow.id == session_id).scalar_subquery()
    later = (
        select(SessionRow.id)
        .where(SessionRow.class_group_id == group, SessionRow.started_at > started_at)
        .order_by(SessionRow.started_at)
        .limit(MAX_BASELINE_SESSIONS)
    )
    later_ids = list(connection.scalars(later))
    flags = connection.execute(
        select(FlagRow.id, FlagRow.numbers).where(
            FlagRow.session_id.in_(later_ids), FlagRow.kind.in_(SHARE_COLUMN_PREFIXES)
        )
    )
    for row in flags.all():
        if not row.numbers.get(BASELINE_FROZEN):
            values: dict[str, Any] = {**row.numbers, BASELINE_FROZEN: True}
            connection.execute(update(FlagRow).where(FlagRow.id == row.id).values(numbers=values))


def _referenced_students(connection: Connection, session_id: int) -> set[int]:
    """The ids of all students that rows of the session refer to."""
    ids: set[int] = set()
    for column in _STUDENT_REFERENCES:
        of_session = column.class_.session_id == session_id
        ids |= set(connection.scalars(select(column).where(of_session, column.is_not(None)).distinct()))
    return ids


def _erase_unreferenced(connection: Connection, student_ids: set[int]) -> int:
    """Delete those students that are on no roster and in no other session; returns their number."""
    if not student_ids:
        return 0
    references = (*_STUDENT_REFERENCES, RosterEntryRow.student_id)
    statement = delete(StudentRow).where(
        StudentRow.id.in_(sorted(student_ids)),
        StudentRow.session_id.is_(None),
        ~or_(has_stored_name(), *(exists().where(column == StudentRow.id) for column in references)),
    )
    return connection.execute(statement).rowcount
