"""The corrections of who is who, in and out of the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from db import sql as mapping
from db.corrections.identity import IdentityInterval, IdentityMap, apply_corrections
from db.errors import Conflict, NotFound
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
    """Who is who in each corrected session that fits the condition, one statement."""
    columns = IdentityIntervalRow.__table__.columns
    found: dict[int, list[IdentityInterval]] = defaultdict(list)
    for row in connection.execute(select(*columns).where(condition).order_by(columns["id"])):
        found[row.session_id].append(IdentityInterval(row.student_id, row.start_s, row.end_s, row.person_id))
    return {session_id: IdentityMap(tuple(stretches)) for session_id, stretches in found.items()}


def load_identity_map(connection: Connection, session_id: int) -> IdentityMap:
    """Who is who in one session; empty where nothing was corrected."""
    return load_identity_maps(connection, IdentityIntervalRow.session_id == session_id).get(
        session_id, IdentityMap()
    )


@cache
def select_corrections() -> Select[Any]:
    """Corrections in the order they were made, with both pseudonyms, as ``mapping.correction_record`` takes
    them."""
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
    """Every correction of those sessions, those taken back too, by session; one statement."""
    found: dict[int, list[CorrectionRecord]] = defaultdict(list)
    statement = select_corrections().where(CorrectionRow.session_id.in_(list(session_ids)))
    for row in connection.execute(statement):
        found[row.session_id].append(mapping.correction_from_row(row))
    return found


def add_correction(
    connection: Connection, session_id: int, correction: Correction, created_at: datetime
) -> int:
    """Store a correction and who is who from now on; returns its number.

    Raises ``NotFound`` for an unknown session or where it would change nothing, ``Conflict`` for a session
    that is still running.
    """
    status = connection.scalar(select(SessionRow.status).where(SessionRow.id == session_id))
    if status is None:
        raise NotFound(f"there is no session {session_id} to correct")
    if status == SessionStatus.RUNNING.value:
        raise Conflict(f"session {session_id} is still running; correct who is who when it has ended")
    before = _active_corrections(connection, session_id)
    recorded = _recorded_student_ids(connection, session_id)
    after = apply_corrections(recorded, [*before, correction])
    if after == apply_corrections(recorded, before):
        raise NotFound(f"nobody of session {session_id} is student {correction.student_id} from then on")
    values = vars(correction) | {
        "kind": correction.kind.value,
        "session_id": session_id,
        "created_at": created_at,
    }
    key = connection.execute(insert(CorrectionRow).values(**values)).inserted_primary_key
    _rewrite_identity_intervals(connection, session_id, after)
    assert key is not None  # it is, for a single row
    return int(key[0])


def undo_last_correction(connection: Connection, session_id: int, undone_at: datetime) -> CorrectionRecord:
    """Take the last correction back that was not yet; returns it. ``NotFound`` if there is none left."""
    left = [one for one in load_corrections(connection, [session_id])[session_id] if one.is_active()]
    if not left:
        raise NotFound(f"session {session_id} has no correction to take back")
    last = left[-1]
    connection.execute(update(CorrectionRow).where(CorrectionRow.id == last.id).values(undone_at=undone_at))
    kept = [one.correction for one in left[:-1]]
    _rewrite_identity_intervals(
        connection, session_id, apply_corrections(_recorded_student_ids(connection, session_id), kept)
    )
    return last


def _active_corrections(connection: Connection, session_id: int) -> list[Correction]:
    found = load_corrections(connection, [session_id])[session_id]
    return [one.correction for one in found if one.is_active()]


def _recorded_student_ids(connection: Connection, session_id: int) -> list[int]:
    """Everybody recorded in a session: whoever has a seat, a track or a bin in it, as all have whom the
    recorder stores, and its other own students but those that a split made."""
    made = select(CorrectionRow.person_id).where(
        CorrectionRow.session_id == session_id, CorrectionRow.kind == CorrectionKind.SPLIT.value
    )
    own = (StudentRow.session_id == session_id) & StudentRow.id.not_in(made)
    traces = [
        StudentRow.id.in_(select(table.student_id).where(table.session_id == session_id))
        for table in (SeatRow, TrackRow)
    ]
    binned = StudentRow.id.in_(
        select(TimelineBinRow.student_id).where(
            TimelineBinRow.session_id == session_id, TimelineBinRow.student_id.is_not(None)
        )
    )
    return list(connection.scalars(select(StudentRow.id).where(or_(own, binned, *traces))))


def _rewrite_identity_intervals(connection: Connection, session_id: int, identities: IdentityMap) -> None:
    delete_summaries(connection, session_id)  # what was summed up is of other people
    delete_later_summaries(connection, session_id)
    connection.execute(delete(IdentityIntervalRow).where(IdentityIntervalRow.session_id == session_id))
    rows = [{"session_id": session_id} | vars(one) for one in identities.intervals]
    if rows:
        connection.execute(insert(IdentityIntervalRow), rows)
