"""The lessons of a class with what they hold: six statements, however many lessons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.engine import Connection

from db import mapping
from db.flagged import flagged_in
from db.queries import session, sessions
from db.records import ClassHistory, Lesson, SessionRecord, StudentRecord, StudentSummary
from db.schema import StudentRow, StudentSummaryRow
from db.selects import select_students
from db.summaries import select_student_summaries, session_summaries, student_summary


def class_history(
    engine: Engine, class_name: str, since: datetime | None = None, until: datetime | None = None
) -> ClassHistory:
    """Every lesson of a class that started at ``since`` or later and before ``until`` (aware times); none for
    an unknown class."""
    found = sessions(engine, class_name, since=since, until=until)
    return _history(engine, sorted(found, key=lambda one: (one.started_at, one.id)))


def bare_lessons(engine: Engine, class_name: str) -> list[Lesson]:
    """Every lesson of a class, the oldest first, without its students and flags."""
    found = sorted(sessions(engine, class_name), key=lambda one: (one.started_at, one.id))
    with engine.connect() as connection:
        whole = session_summaries(connection, [one.id for one in found])
    return [Lesson(one, whole.get(one.id)) for one in found]


def lessons_of(engine: Engine, session_ids: Iterable[int]) -> ClassHistory:
    """Those lessons, in the order given. Raises ``NotFound`` for an unknown number."""
    return _history(engine, [session(engine, number) for number in session_ids])


def _history(engine: Engine, found: Sequence[SessionRecord]) -> ClassHistory:
    numbers = [one.id for one in found]
    with engine.connect() as connection:
        whole = session_summaries(connection, numbers)
        students = _students(connection, numbers)
        flags = flagged_in(connection, numbers)
        people = _students_of_sessions(connection, numbers)
    lessons = [
        Lesson(one, whole.get(one.id), tuple(students[one.id]), tuple(flags.get(one.id, ()))) for one in found
    ]
    return ClassHistory(tuple(lessons), people)


def _students(connection: Connection, session_ids: Sequence[int]) -> dict[int, list[StudentSummary]]:
    statement = select_student_summaries().where(StudentSummaryRow.session_id.in_(session_ids))
    found: dict[int, list[StudentSummary]] = defaultdict(list)
    for row in connection.execute(
        statement.order_by(StudentSummaryRow.session_id, StudentSummaryRow.student_id)
    ):
        found[row.session_id].append(student_summary(row))
    return found


def _students_of_sessions(connection: Connection, session_ids: Sequence[int]) -> dict[int, StudentRecord]:
    # Not by their numbers: of a thousand lessons those are more than a statement takes.
    there = select(StudentSummaryRow.student_id).where(StudentSummaryRow.session_id.in_(session_ids))
    statement = select_students().where(StudentRow.id.in_(there))
    return {row.id: mapping.student_record(row) for row in connection.execute(statement)}
