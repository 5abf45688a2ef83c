"""Sessions that have been kept long enough, and their erasure.

What is erased of a session is everything below it, and the people who are known from it alone. Later sessions
of the class stay as they are: the verdicts in them were held against what somebody showed before, which can
no longer be read, so that usual level stays with the verdict (``BASELINE_FROZEN``).
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
"""In a verdict's numbers: its usual level rests on sessions that were erased since, so it is not worked out
anew."""

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
    """``keep_days``: a session is erased so many days after its end; None keeps it until somebody erases it.
    ``at_hour``: the local hour of the night in which the daemon does so."""

    keep_days: Annotated[int, Ge(1), Le(36500)] | None = None
    at_hour: Annotated[int, Ge(0), Le(23)] = 3


@dataclass(frozen=True)
class ErasedSession:
    """What went with a session: its ``bins``, and the ``students`` that nothing else knows."""

    session_id: int
    students: int
    bins: int


def sessions_ended_before(engine: Engine, before: datetime) -> list[int]:
    """The sessions that ended before that moment (aware), the oldest first; never a running one."""
    statement = (
        select(SessionRow.id)
        .where(SessionRow.status != SessionStatus.RUNNING.value, SessionRow.ended_at < before)
        .order_by(SessionRow.ended_at, SessionRow.id)
    )
    with engine.connect() as connection:
        return list(connection.scalars(statement))


def erase_session(unit: UnitOfWork, session_id: int) -> ErasedSession | None:
    """Erase an ended session; None, and nothing is changed, if it is running or not there.

    In SQLite the pages that it was on are overwritten with zeros (``secure_delete``). What the write-ahead
    log holds of them goes with ``clear_log``, after the commit.
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
    """Erase a recorded student of a session with all that it holds of them; returns how many bins went.

    Somebody who is known in this session alone is no more; somebody of the roster stays, without this
    session. Bins of the whole class (``mode: aggregate``) have nobody in them and stay. As to
    what is left in the files, see ``erase_session``.
    """
    connection = unit.connection
    enable_secure_delete(connection)
    _freeze_baselines(connection, session_id)
    gone = 0
    for table in (
        TimelineBinRow,
        SeatRow,
        TrackRow,
        FlagRow,
        StudentSummaryRow,
        IdentityIntervalRow,
        CorrectionRow,
    ):
        theirs = delete(table).where(table.session_id == session_id, table.student_id == student_id)
        rows = connection.execute(theirs).rowcount
        gone += rows if table is TimelineBinRow else 0
    own = StudentRow.id == student_id, StudentRow.session_id == session_id
    connection.execute(delete(StudentRow).where(*own))
    summaries.delete_summaries(connection, session_id)  # the class's means had them in
    return gone


@dataclass(frozen=True)
class RecordedIds:
    """The numbers under which a session holds somebody: ``exclusive`` are theirs alone, ``shared`` another's, too,
    because a correction has split them."""

    exclusive: tuple[int, ...]
    shared: tuple[int, ...]


def find_recorded_ids(engine: Engine, session_id: int, person_id: int) -> RecordedIds:
    """Under which numbers a session holds somebody after its corrections, they themselves the last."""
    with engine.connect() as connection:
        who = load_identity_map(connection, session_id)
        of_session = TimelineBinRow.session_id == session_id, TimelineBinRow.student_id.is_not(None)
        binned = connection.scalars(select(TimelineBinRow.student_id).where(*of_session).distinct())
        recorded = {number for number in binned if number is not None}
        recorded |= set(connection.scalars(select(StudentRow.id).where(StudentRow.session_id == session_id)))
    theirs = sorted(number for number in recorded - {person_id} if person_id in who.people_of(number))
    if person_id not in recorded or person_id in who.people_of(person_id):
        theirs.append(person_id)
    own = tuple(number for number in theirs if set(who.people_of(number)) <= {person_id})
    return RecordedIds(own, tuple(number for number in theirs if number not in own))


def find_recorded_id(engine: Engine, session_id: int, pseudonym: str, student_id: int | None) -> int | None:
    """The number under which a session holds somebody: of the student of that ``pseudonym`` who is known in
    it alone, or ``student_id``'s own where they are on the roster; None where it holds nothing of them."""
    with engine.connect() as connection:
        if student_id is None:
            own = StudentRow.session_id == session_id, StudentRow.pseudonym == pseudonym
            return connection.scalar(select(StudentRow.id).where(*own))
        held = [
            exists().where(table.session_id == session_id, table.student_id == student_id)
            for table in (TimelineBinRow, SeatRow, TrackRow, FlagRow, StudentSummaryRow)
        ]
        return student_id if connection.scalar(select(or_(*held))) else None


def frozen_baselines(flags: list[FlagRecord]) -> dict[tuple[int, str], tuple[float, int] | None]:
    """The usual levels that stay with their verdicts, by student and kind: the level and the number of
    sessions that it was told from, or None where there was none."""
    return {
        (flag.student_id, flag.kind): None
        if flag.numbers.get("baseline_share") is None
        else (float(flag.numbers["baseline_share"]), int(flag.numbers["baseline_sessions"]))
        for flag in flags
        if flag.numbers.get(BASELINE_FROZEN)
    }


def _freeze_baselines(connection: Connection, session_id: int) -> None:
    """Mark the verdicts of the sessions that look back on this one."""
    group = select(SessionRow.class_group_id).where(SessionRow.id == session_id).scalar_subquery()
    begun = select(SessionRow.started_at).where(SessionRow.id == session_id).scalar_subquery()
    later = (
        select(SessionRow.id)
        .where(SessionRow.class_group_id == group, SessionRow.started_at > begun)
        .order_by(SessionRow.started_at)
        .limit(MAX_BASELINE_SESSIONS)
    )
    numbers = list(connection.scalars(later))
    found = connection.execute(
        select(FlagRow.id, FlagRow.numbers).where(
            FlagRow.session_id.in_(numbers), FlagRow.kind.in_(SHARE_COLUMN_PREFIXES)
        )
    )
    for row in found.all():
        if not row.numbers.get(BASELINE_FROZEN):
            values: dict[str, Any] = {**row.numbers, BASELINE_FROZEN: True}
            connection.execute(update(FlagRow).where(FlagRow.id == row.id).values(numbers=values))


def _referenced_students(connection: Connection, session_id: int) -> set[int]:
    """Everybody whom something in the session speaks of."""
    found: set[int] = set()
    for column in _STUDENT_REFERENCES:
        of_session = column.class_.session_id == session_id
        found |= set(connection.scalars(select(column).where(of_session, column.is_not(None)).distinct()))
    return found


def _erase_unreferenced(connection: Connection, people: set[int]) -> int:
    """Erase those of them who are on no roster and in no other session; returns how many."""
    if not people:
        return 0
    known = (*_STUDENT_REFERENCES, RosterEntryRow.student_id)
    statement = delete(StudentRow).where(
        StudentRow.id.in_(sorted(people)),
        StudentRow.session_id.is_(None),
        ~or_(has_stored_name(), *(exists().where(column == StudentRow.id) for column in known)),
    )
    return connection.execute(statement).rowcount
