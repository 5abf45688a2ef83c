"""The flags of many sessions at once, of the people there are after the corrections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Engine, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from db import sql as mapping
from db.corrections.reviews import assign_reviews
from db.corrections.store import load_corrections, load_identity_maps
from db.records import FlagRecord, SessionRecord, StudentRecord
from db.schema import ClassGroupRow, FlagRow, IdentityIntervalRow, SessionRow, StudentRow
from db.sql import select_sessions, select_students

FLAGGED = "flagged"
"""``FlagRecord.outcome`` of a flag that was raised."""


@dataclass(frozen=True)
class FlaggedStudent:
    """A flag of outcome ``flagged`` with the review that stands, the session it is of, and the person whose
    it is after the corrections of who is who."""

    session: SessionRecord
    student: StudentRecord
    flag: FlagRecord


def list_flagged_students(
    engine: Engine, class_name: str | None = None, session_id: int | None = None
) -> list[FlaggedStudent]:
    """Every flag that was raised, the newest session first, within it by person and kind; of one class or
    session where asked."""
    with engine.connect() as connection:
        lectures = _select_flag_sessions(connection, class_name, session_id)
        flags = flags_by_session(connection, list(lectures))
        people = _students_by_id(connection, {flag.student_id for found in flags.values() for flag in found})
        numbers = _numbers(connection, list(flags))
    return [
        FlaggedStudent(
            lecture,
            people[flag.student_id],
            replace(flag, numbers=numbers.get((number, flag.student_id, flag.kind), {})),
        )
        for number, lecture in lectures.items()
        for flag in flags.get(number, [])
    ]


_FLAG_COLUMNS = tuple(getattr(FlagRow, field.name) for field in fields(FlagRecord) if field.name != "numbers")


def flags_by_session(
    connection: Connection, session_ids: Sequence[int] | None = None
) -> dict[int, list[FlagRecord]]:
    """The verdicts of outcome ``flagged`` with the reviews that stand (``db.corrections.reviews``), by session; of those
    sessions, or of all. Without their numbers, which take longer to read than the rest. Three statements, a
    fourth where there are corrections."""
    corrected = load_identity_maps(connection, _in_sessions(IdentityIntervalRow.session_id, session_ids))
    found = _read_flags(
        connection, _in_sessions(FlagRow.session_id, session_ids) & (FlagRow.outcome == FLAGGED)
    )
    if not corrected:
        return found
    # Of a corrected session all are read: a review may have moved along to somebody's other verdict.
    every = _read_flags(connection, FlagRow.session_id.in_(list(corrected)))
    made = load_corrections(connection, corrected)
    for number, who in corrected.items():
        now = assign_reviews(every.get(number, []), who, made[number]) if who.intervals_by_person else []
        found[number] = [flag for flag in now if flag.outcome == FLAGGED]
    return {number: flags for number, flags in found.items() if flags}


def _in_sessions(
    column: InstrumentedAttribute[int], session_ids: Sequence[int] | None
) -> ColumnElement[bool]:
    return true() if session_ids is None else column.in_(list(session_ids))


def _read_flags(connection: Connection, condition: ColumnElement[bool]) -> dict[int, list[FlagRecord]]:
    statement = select(*_FLAG_COLUMNS).where(condition).order_by(FlagRow.student_id, FlagRow.kind)
    found: dict[int, list[FlagRecord]] = defaultdict(list)
    for row in connection.execute(statement):
        found[row.session_id].append(FlagRecord(**row._mapping, numbers={}))
    return found


def _select_flag_sessions(
    connection: Connection, class_name: str | None, session_id: int | None
) -> dict[int, SessionRecord]:
    statement = select_sessions().order_by(SessionRow.started_at.desc(), SessionRow.id.desc())
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    if session_id is not None:
        statement = statement.where(SessionRow.id == session_id)
    return {row.id: mapping.session_from_row(row) for row in connection.execute(statement)}


def _numbers(
    connection: Connection, session_ids: Sequence[int]
) -> dict[tuple[int, int, str], Mapping[str, Any]]:
    """What decided each flag that was raised, by session, student and kind."""
    columns = FlagRow.session_id, FlagRow.student_id, FlagRow.kind, FlagRow.numbers
    of = FlagRow.session_id.in_(session_ids) & (FlagRow.outcome == FLAGGED)
    found = connection.execute(select(*columns).where(of))
    return {(row.session_id, row.student_id, row.kind): row.numbers for row in found}


def _students_by_id(connection: Connection, student_ids: set[int]) -> dict[int, StudentRecord]:
    statement = select_students().where(StudentRow.id.in_(student_ids))
    return {row.id: mapping.student_from_row(row) for row in connection.execute(statement)}
