"""The flags that were raised, over all sessions: five statements, however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, or_, select
from sqlalchemy.engine import Connection

from db import mapping
from db.attribution import Attribution
from db.corrections import attributions, corrections_in
from db.records import FlagRecord, SessionRecord, StudentRecord
from db.reviews import standing
from db.schema import AttributionRow, ClassGroupRow, FlagRow, SessionRow, StudentRow
from db.selects import select_sessions, select_students

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
        who = attributions(connection, AttributionRow.session_id.in_(lectures))
        found = _flags(connection, lectures, who)
        people = _people(connection, {flag.student_id for flag in found})
    raised = [RaisedFlag(lectures[one.session_id], people[one.student_id], one) for one in found]
    return sorted(raised, key=_newest_first)


def _newest_first(raised: RaisedFlag) -> tuple[float, int, int, str]:
    session, flag = raised.session, raised.flag
    return -session.started_at.timestamp(), -session.id, flag.student_id, flag.kind


def _sessions(
    connection: Connection, class_name: str | None, session_id: int | None
) -> dict[int, SessionRecord]:
    """The sessions in which anything was ever flagged or reviewed."""
    judged = select(FlagRow.session_id).where(
        or_(FlagRow.outcome == FLAGGED, FlagRow.reviewed_at.is_not(None))
    )
    statement = select_sessions().where(SessionRow.id.in_(judged))
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    if session_id is not None:
        statement = statement.where(SessionRow.id == session_id)
    return {row.id: mapping.session_record(row) for row in connection.execute(statement)}


def _flags(
    connection: Connection, session_ids: Collection[int], who: Mapping[int, Attribution]
) -> list[FlagRecord]:
    """Of a corrected session all flags are read, as a review may have moved along from one that was not
    raised."""
    needed = or_(FlagRow.outcome == FLAGGED, FlagRow.session_id.in_(who))
    statement = select(*FlagRow.__table__.columns).where(FlagRow.session_id.in_(session_ids), needed)
    stored: dict[int, list[FlagRecord]] = defaultdict(list)
    for row in connection.execute(statement):
        stored[row.session_id].append(mapping.flag_record(row))
    corrections = corrections_in(connection, who)
    standing_now = (
        standing(flags, who.get(number, Attribution()), corrections[number])
        for number, flags in stored.items()
    )
    return [flag for flags in standing_now for flag in flags if flag.outcome == FLAGGED]


def _people(connection: Connection, student_ids: Collection[int]) -> dict[int, StudentRecord]:
    statement = select_students().where(StudentRow.id.in_(student_ids))
    return {row.id: mapping.student_record(row) for row in connection.execute(statement)}
