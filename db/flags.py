"""Flags of many sessions, for the persons that result from corrections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Engine, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from db.corrections.reviews import assign_reviews
from db.corrections.store import load_corrections, load_identity_maps
from db.mapping import session_from_row
from db.records import FlagRecord, SessionRecord, StudentRecord
from db.schema import ClassGroupRow, FlagRow, IdentityIntervalRow, SessionRow, StudentRow
from db.sql import select_sessions, select_students

FLAGGED = "flagged"
"""``FlagRecord.outcome`` of a raised flag."""


@dataclass(frozen=True)
class FlaggedStudent:
    """A flag with outcome ``flagged``, its current review, its session, and its person after corrections."""

    session: SessionRecord
    student: StudentRecord
    flag: FlagRecord


def list_flagged_students(
    engine: Engine, class_name: str | None = None, session_id: int | None = None
) -> list[FlaggedStudent]:
    """Every raised flag, the newest session first, then by person and kind. Optional filters: class,
    session."""
    with engine.connect() as connection:
        sessions = _load_sessions(connection, class_name, session_id)
        flags = flags_by_session(connection, list(sessions))
        students = _students_by_id(
            connection, {flag.student_id for session_flags in flags.values() for flag in session_flags}
        )
        numbers = _numbers(connection, list(flags))
    return [
        FlaggedStudent(
            session,
            students[flag.student_id],
            replace(flag, numbers=numbers.get((key, flag.student_id, flag.kind), {})),
        )
        for key, session in sessions.items()
        for flag in flags.get(key, [])
    ]


_FLAG_COLUMNS = tuple(getattr(FlagRow, field.name) for field in fields(FlagRecord) if field.name != "numbers")


def flags_by_session(
    connection: Connection, session_ids: Sequence[int] | None = None
) -> dict[int, list[FlagRecord]]:
    """The flags with outcome ``flagged`` and their current reviews (``db.corrections.reviews``), by session;
    of those sessions, or of all. Without ``numbers``, which take longer to read than the rest. Three
    statements, a fourth if there are corrections."""
    corrected = load_identity_maps(connection, _in_sessions(IdentityIntervalRow.session_id, session_ids))
    flags = _read_flags(
        connection, _in_sessions(FlagRow.session_id, session_ids) & (FlagRow.outcome == FLAGGED)
    )
    if not corrected:
        return flags
    # Of corrected sessions all decisions are read: a review may have moved to another decision.
    all_flags = _read_flags(connection, FlagRow.session_id.in_(list(corrected)))
    corrections = load_corrections(connection, corrected)
    for session_id, identities in corrected.items():
        current = (
            assign_reviews(all_flags.get(session_id, []), identities, corrections[session_id])
            if identities.intervals_by_person
            else []
        )
        flags[session_id] = [flag for flag in current if flag.outcome == FLAGGED]
    return {session_id: session_flags for session_id, session_flags in flags.items() if session_flags}


def _in_sessions(
    column: InstrumentedAttribute[int], session_ids: Sequence[int] | None
) -> ColumnElement[bool]:
    return true() if session_ids is None else column.in_(list(session_ids))


def _read_flags(connection: Connection, condition: ColumnElement[bool]) -> dict[int, list[FlagRecord]]:
    statement = select(*_FLAG_COLUMNS).where(condition).order_by(FlagRow.student_id, FlagRow.kind)
    flags: dict[int, list[FlagRecord]] = defaultdict(list)
    for row in connection.execute(statement):
        flags[row.session_id].append(FlagRecord(**row._mapping, numbers={}))
    return flags


def _load_sessions(
    connection: Connection, class_name: str | None, session_id: int | None
) -> dict[int, SessionRecord]:
    statement = select_sessions().order_by(SessionRow.started_at.desc(), SessionRow.id.desc())
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    if session_id is not None:
        statement = statement.where(SessionRow.id == session_id)
    return {row.id: session_from_row(row) for row in connection.execute(statement)}


def _numbers(
    connection: Connection, session_ids: Sequence[int]
) -> dict[tuple[int, int, str], Mapping[str, Any]]:
    """The ``numbers`` of each raised flag, by session, student and kind."""
    columns = FlagRow.session_id, FlagRow.student_id, FlagRow.kind, FlagRow.numbers
    raised = FlagRow.session_id.in_(session_ids) & (FlagRow.outcome == FLAGGED)
    rows = connection.execute(select(*columns).where(raised))
    return {(row.session_id, row.student_id, row.kind): row.numbers for row in rows}


def _students_by_id(connection: Connection, student_ids: set[int]) -> dict[int, StudentRecord]:
    statement = select_students().where(StudentRow.id.in_(student_ids))
    return {row.id: StudentRecord(**row._mapping) for row in connection.execute(statement)}
