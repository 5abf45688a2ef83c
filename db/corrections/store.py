"""Reads and writes of corrections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from db.corrections.identity import IdentityInterval, IdentityMap, apply_corrections
from db.errors import Conflict, NotFound, unknown_key
from db.mapping import correction_from_row
from db.records import Correction, CorrectionKind, CorrectionRecord, SessionStatus
from db.schema import (
    CorrectionRow,
    IdentityIntervalRow,
    SeatRow,
    SessionRow,
    StudentRow,
    TimelineBinRow,
    TrackRow,
)
from db.summaries import delete_later_summaries, delete_summaries


def load_identity_maps(connection: Connection, condition: ColumnElement[bool]) -> dict[int, IdentityMap]:
    """The identity maps of the corrected sessions that fulfil the condition, one statement."""
    columns = IdentityIntervalRow.__table__.columns
    intervals: dict[int, list[IdentityInterval]] = defaultdict(list)
    for row in connection.execute(select(*columns).where(condition).order_by(columns["id"])):
        intervals[row.session_id].append(
            IdentityInterval(row.student_id, row.start_s, row.end_s, row.person_id)
        )
    return {session_id: IdentityMap(tuple(some)) for session_id, some in intervals.items()}


def load_identity_map(connection: Connection, session_id: int) -> IdentityMap:
    """The identity map of one session; empty if it was not corrected."""
    return load_identity_maps(connection, IdentityIntervalRow.session_id == session_id).get(
        session_id, IdentityMap()
    )


@cache
def select_corrections() -> Select[Any]:
    """Corrections in the order of their creation with both pseudonyms, for
    ``db.mapping.correction_from_row``."""
    student, person = aliased(StudentRow), aliased(StudentRow)
    return (
        select(
            *CorrectionRow.__table__.columns,
            student.pseudonym.label("student_pseudonym"),
            person.pseudonym.label("person_pseudonym"),
        )
        .join(student, student.id == CorrectionRow.student_id)
        .join(person, person.id == CorrectionRow.person_id)
        .order_by(CorrectionRow.id)
    )


def load_corrections(connection: Connection, session_ids: Iterable[int]) -> dict[int, list[CorrectionRecord]]:
    """Every correction of those sessions by session, including undone ones; one statement."""
    corrections: dict[int, list[CorrectionRecord]] = defaultdict(list)
    statement = select_corrections().where(CorrectionRow.session_id.in_(list(session_ids)))
    for row in connection.execute(statement):
        corrections[row.session_id].append(correction_from_row(row))
    return corrections


def add_correction(
    connection: Connection, session_id: int, correction: Correction, created_at: datetime
) -> int:
    """Store a correction and the resulting identity intervals; returns the correction's id.

    Raises ``NotFound`` for an unknown session and for a correction that changes nothing, ``Conflict`` for a
    running session.
    """
    status = connection.scalar(select(SessionRow.status).where(SessionRow.id == session_id))
    if status is None:
        raise unknown_key("session", session_id)
    if status == SessionStatus.RUNNING.value:
        raise Conflict(f"Session {session_id} is still running.", "Correct identities when it has ended.")
    before = _active_corrections(connection, session_id)
    recorded = _recorded_student_ids(connection, session_id)
    after = apply_corrections(recorded, [*before, correction])
    if after == apply_corrections(recorded, before):
        scope = f" in session {session_id} from that time on"
        raise unknown_key("person", correction.student_id, scope=scope)
    values = vars(correction) | {
        "kind": correction.kind.value,
        "session_id": session_id,
        "created_at": created_at,
    }
    key = connection.execute(insert(CorrectionRow).values(**values)).inserted_primary_key
    _rewrite_identity_intervals(connection, session_id, after)
    assert key is not None  # always set for a single row
    return int(key[0])


def undo_last_correction(connection: Connection, session_id: int, undone_at: datetime) -> CorrectionRecord:
    """Undo the last active correction and return it. Raises ``NotFound`` if there is none."""
    active = [
        record for record in load_corrections(connection, [session_id])[session_id] if record.is_active()
    ]
    if not active:
        raise NotFound(f"Session {session_id} has no correction to undo.", kind="correction")
    last = active[-1]
    connection.execute(update(CorrectionRow).where(CorrectionRow.id == last.id).values(undone_at=undone_at))
    kept = [record.correction for record in active[:-1]]
    _rewrite_identity_intervals(
        connection, session_id, apply_corrections(_recorded_student_ids(connection, session_id), kept)
    )
    return last


def _active_corrections(connection: Connection, session_id: int) -> list[Correction]:
    corrections = load_corrections(connection, [session_id])[session_id]
    return [record.correction for record in corrections if record.is_active()]


def _recorded_student_ids(connection: Connection, session_id: int) -> list[int]:
    """The students recorded in a session: those with a seat, a track or a bin, and the session's
    own students except those created by a split. (Every recorded student has a seat, a track or a bin.)"""
    split_off = select(CorrectionRow.person_id).where(
        CorrectionRow.session_id == session_id, CorrectionRow.kind == CorrectionKind.SPLIT.value
    )
    own = (StudentRow.session_id == session_id) & StudentRow.id.not_in(split_off)
    seated_or_tracked = [
        StudentRow.id.in_(select(table.student_id).where(table.session_id == session_id))
        for table in (SeatRow, TrackRow)
    ]
    with_bins = StudentRow.id.in_(
        select(TimelineBinRow.student_id).where(
            TimelineBinRow.session_id == session_id, TimelineBinRow.student_id.is_not(None)
        )
    )
    return list(connection.scalars(select(StudentRow.id).where(or_(own, with_bins, *seated_or_tracked))))


def _rewrite_identity_intervals(connection: Connection, session_id: int, identities: IdentityMap) -> None:
    delete_summaries(connection, session_id)  # they were computed for the earlier identities
    delete_later_summaries(connection, session_id)
    connection.execute(delete(IdentityIntervalRow).where(IdentityIntervalRow.session_id == session_id))
    rows = [{"session_id": session_id} | vars(interval) for interval in identities.intervals]
    if rows:
        connection.execute(insert(IdentityIntervalRow), rows)
