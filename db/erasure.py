"""Sessions that have been kept long enough, and their erasure.

What is erased of a session is everything below it, and the people who are known from it alone. Later sessions
of the class stay as they are: the verdicts in them were held against what somebody showed before, which can
no longer be read, so that usual level stays with the verdict (``USUAL_KEPT``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from annotated_types import Ge, Le
from sqlalchemy import Engine, delete, exists, or_, select, update
from sqlalchemy.engine import Connection

from db import summaries
from db.corrections.store import attribution_in
from db.engine import overwrite_deleted
from db.history import KINDS, LAST
from db.records import FlagRecord, SessionStatus
from db.roster import is_named
from db.schema import (
    AttributionRow,
    BinRow,
    CorrectionRow,
    FlagRow,
    RosterRow,
    SeatRow,
    SessionRow,
    StudentRow,
    StudentSummaryRow,
    TrackRow,
)
from db.unit_of_work import Unit

USUAL_KEPT = "usual_kept"
"""In a verdict's numbers: its usual level rests on sessions that were erased since, so it is not worked out
anew."""

_OF_A_PERSON = (
    BinRow.student_id,
    SeatRow.student_id,
    TrackRow.student_id,
    FlagRow.student_id,
    StudentSummaryRow.student_id,
    CorrectionRow.student_id,
    CorrectionRow.person_id,
    AttributionRow.student_id,
    AttributionRow.person_id,
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


def ended_before(engine: Engine, before: datetime) -> list[int]:
    """The sessions that ended before that moment (aware), the oldest first; never a running one."""
    statement = (
        select(SessionRow.id)
        .where(SessionRow.status != SessionStatus.RUNNING.value, SessionRow.ended_at < before)
        .order_by(SessionRow.ended_at, SessionRow.id)
    )
    with engine.connect() as connection:
        return list(connection.scalars(statement))


def erase_session(unit: Unit, session_id: int) -> ErasedSession | None:
    """Erase an ended session; None, and nothing is changed, if it is running or not there.

    In SQLite the pages that it was on are overwritten with zeros (``secure_delete``). What the write-ahead
    log holds of them goes with ``clear_log``, after the commit.
    """
    connection = unit.connection
    ended = SessionRow.status != SessionStatus.RUNNING.value
    if connection.scalar(select(SessionRow.id).where(SessionRow.id == session_id, ended)) is None:
        return None
    overwrite_deleted(connection)
    _keep_usual_levels(connection, session_id)
    own = list(connection.scalars(select(StudentRow.id).where(StudentRow.session_id == session_id)))
    others = _people_of(connection, session_id) - set(own)
    bins = connection.execute(delete(BinRow).where(BinRow.session_id == session_id)).rowcount
    connection.execute(delete(SessionRow).where(SessionRow.id == session_id))
    return ErasedSession(session_id, len(own) + _erase_unknown(connection, others), bins)


def erase_student(unit: Unit, session_id: int, student_id: int) -> int:
    """Erase a recorded student of a session with all that it holds of them; returns how many bins went.

    Somebody who is known in this session alone is no more; somebody of the roster stays, without this
    session. Bins of the whole class (``mode: aggregate``) have nobody in them and stay. As to
    what is left in the files, see ``erase_session``.
    """
    connection = unit.connection
    overwrite_deleted(connection)
    _keep_usual_levels(connection, session_id)
    gone = 0
    for table in (BinRow, SeatRow, TrackRow, FlagRow, StudentSummaryRow, AttributionRow, CorrectionRow):
        theirs = delete(table).where(table.session_id == session_id, table.student_id == student_id)
        rows = connection.execute(theirs).rowcount
        gone += rows if table is BinRow else 0
    own = StudentRow.id == student_id, StudentRow.session_id == session_id
    connection.execute(delete(StudentRow).where(*own))
    summaries.forget(connection, session_id)  # the class's means had them in
    return gone


@dataclass(frozen=True)
class Recordings:
    """The numbers under which a session holds somebody: ``own`` are theirs alone, ``shared`` another's, too,
    because a correction has split them."""

    own: tuple[int, ...]
    shared: tuple[int, ...]


def recordings_of(engine: Engine, session_id: int, person_id: int) -> Recordings:
    """Under which numbers a session holds somebody after its corrections, they themselves the last."""
    with engine.connect() as connection:
        who = attribution_in(connection, session_id)
        of_session = BinRow.session_id == session_id, BinRow.student_id.is_not(None)
        binned = connection.scalars(select(BinRow.student_id).where(*of_session).distinct())
        recorded = {number for number in binned if number is not None}
        recorded |= set(connection.scalars(select(StudentRow.id).where(StudentRow.session_id == session_id)))
    theirs = sorted(number for number in recorded - {person_id} if person_id in who.sharers(number))
    if person_id not in recorded or person_id in who.sharers(person_id):
        theirs.append(person_id)
    own = tuple(number for number in theirs if set(who.sharers(number)) <= {person_id})
    return Recordings(own, tuple(number for number in theirs if number not in own))


def recorded_as(engine: Engine, session_id: int, pseudonym: str, student_id: int | None) -> int | None:
    """The number under which a session holds somebody: of the student of that ``pseudonym`` who is known in
    it alone, or ``student_id``'s own where they are on the roster; None where it holds nothing of them."""
    with engine.connect() as connection:
        if student_id is None:
            own = StudentRow.session_id == session_id, StudentRow.pseudonym == pseudonym
            return connection.scalar(select(StudentRow.id).where(*own))
        held = [
            exists().where(table.session_id == session_id, table.student_id == student_id)
            for table in (BinRow, SeatRow, TrackRow, FlagRow, StudentSummaryRow)
        ]
        return student_id if connection.scalar(select(or_(*held))) else None


def kept_usual(flags: list[FlagRecord]) -> dict[tuple[int, str], tuple[float, int] | None]:
    """The usual levels that stay with their verdicts, by student and kind: the level and the number of
    sessions that it was told from, or None where there was none."""
    return {
        (flag.student_id, flag.kind): None
        if flag.numbers.get("usual_share") is None
        else (float(flag.numbers["usual_share"]), int(flag.numbers["usual_sessions"]))
        for flag in flags
        if flag.numbers.get(USUAL_KEPT)
    }


def _keep_usual_levels(connection: Connection, session_id: int) -> None:
    """Mark the verdicts of the sessions that look back on this one."""
    group = select(SessionRow.class_group_id).where(SessionRow.id == session_id).scalar_subquery()
    begun = select(SessionRow.started_at).where(SessionRow.id == session_id).scalar_subquery()
    later = (
        select(SessionRow.id)
        .where(SessionRow.class_group_id == group, SessionRow.started_at > begun)
        .order_by(SessionRow.started_at)
        .limit(LAST)
    )
    numbers = list(connection.scalars(later))
    found = connection.execute(
        select(FlagRow.id, FlagRow.numbers).where(FlagRow.session_id.in_(numbers), FlagRow.kind.in_(KINDS))
    )
    for row in found.all():
        if not row.numbers.get(USUAL_KEPT):
            values: dict[str, Any] = {**row.numbers, USUAL_KEPT: True}
            connection.execute(update(FlagRow).where(FlagRow.id == row.id).values(numbers=values))


def _people_of(connection: Connection, session_id: int) -> set[int]:
    """Everybody whom something in the session speaks of."""
    found: set[int] = set()
    for column in _OF_A_PERSON:
        of_session = column.class_.session_id == session_id
        found |= set(connection.scalars(select(column).where(of_session, column.is_not(None)).distinct()))
    return found


def _erase_unknown(connection: Connection, people: set[int]) -> int:
    """Erase those of them who are on no roster and in no other session; returns how many."""
    if not people:
        return 0
    known = (*_OF_A_PERSON, RosterRow.student_id)
    statement = delete(StudentRow).where(
        StudentRow.id.in_(sorted(people)),
        StudentRow.session_id.is_(None),
        ~or_(is_named(), *(exists().where(column == StudentRow.id) for column in known)),
    )
    return connection.execute(statement).rowcount
