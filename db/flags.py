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
from db.corrections.reviews import standing
from db.corrections.store import attributions, corrections_in
from db.records import FlagRecord, SessionRecord, StudentRecord
from db.schema import AttributionRow, ClassGroupRow, FlagRow, SessionRow, StudentRow
from db.sql import select_sessions, select_students

FLAGGED = "flagged"
"""``FlagRecord.outcome`` of a flag that was raised."""


@dataclass(frozen=True)
class RaisedFlag:
    """A flag of outcome ``flagged`` with the review that stands, the session it is of, and the person whose
    it is after the corrections of who is who."""

    session: SessionRecord
    student: StudentRecord
    flag: FlagRecord


def raised_flags(
    engine: Engine, class_name: str | None = None, session_id: int | None = None
) -> list[RaisedFlag]:
    """Every flag that was raised, the newest session first, within it by person and kind; of one class or
    session where asked."""
    with engine.connect() as connection:
        lectures = _sessions(connection, class_name, session_id)
        flags = flagged_in(connection, list(lectures))
        people = _people(connection, {flag.student_id for found in flags.values() for flag in found})
        numbers = _numbers(connection, list(flags))
    return [
        RaisedFlag(
            lecture,
            people[flag.student_id],
            replace(flag, numbers=numbers.get((number, flag.student_id, flag.kind), {})),
        )
        for number, lecture in lectures.items()
        for flag in flags.get(number, [])
    ]


_COLUMNS = tuple(getattr(FlagRow, field.name) for field in fields(FlagRecord) if field.name != "numbers")


def flagged_in(
    connection: Connection, session_ids: Sequence[int] | None = None
) -> dict[int, list[FlagRecord]]:
    """The verdicts of outcome ``flagged`` with the reviews that stand (``db.corrections.reviews``), by session; of those
    sessions, or of all. Without their numbers, which take longer to read than the rest. Three statements, a
    fourth where there are corrections."""
    corrected = attributions(connection, _among(AttributionRow.session_id, session_ids))
    found = _stored(connection, _among(FlagRow.session_id, session_ids) & (FlagRow.outcome == FLAGGED))
    if not corrected:
        return found
    # Of a corrected session all are read: a review may have moved along to somebody's other verdict.
    every = _stored(connection, FlagRow.session_id.in_(list(corrected)))
    made = corrections_in(connection, corrected)
    for number, who in corrected.items():
        now = standing(every.get(number, []), who, made[number]) if who.people else []
        found[number] = [flag for flag in now if flag.outcome == FLAGGED]
    return {number: flags for number, flags in found.items() if flags}


def _among(column: InstrumentedAttribute[int], session_ids: Sequence[int] | None) -> ColumnElement[bool]:
    return true() if session_ids is None else column.in_(list(session_ids))


def _stored(connection: Connection, of: ColumnElement[bool]) -> dict[int, list[FlagRecord]]:
    statement = select(*_COLUMNS).where(of).order_by(FlagRow.student_id, FlagRow.kind)
    found: dict[int, list[FlagRecord]] = defaultdict(list)
    for row in connection.execute(statement):
        found[row.session_id].append(FlagRecord(**row._mapping, numbers={}))
    return found


def _sessions(
    connection: Connection, class_name: str | None, session_id: int | None
) -> dict[int, SessionRecord]:
    statement = select_sessions().order_by(SessionRow.started_at.desc(), SessionRow.id.desc())
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    if session_id is not None:
        statement = statement.where(SessionRow.id == session_id)
    return {row.id: mapping.session_record(row) for row in connection.execute(statement)}


def _numbers(
    connection: Connection, session_ids: Sequence[int]
) -> dict[tuple[int, int, str], Mapping[str, Any]]:
    """What decided each flag that was raised, by session, student and kind."""
    columns = FlagRow.session_id, FlagRow.student_id, FlagRow.kind, FlagRow.numbers
    of = FlagRow.session_id.in_(session_ids) & (FlagRow.outcome == FLAGGED)
    found = connection.execute(select(*columns).where(of))
    return {(row.session_id, row.student_id, row.kind): row.numbers for row in found}


def _people(connection: Connection, student_ids: set[int]) -> dict[int, StudentRecord]:
    statement = select_students().where(StudentRow.id.in_(student_ids))
    return {row.id: mapping.student_record(row) for row in connection.execute(statement)}
