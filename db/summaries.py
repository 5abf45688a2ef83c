"""Summaries of ended sessions: a cache of the bins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine, Select, delete, func, insert, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from db.mapping import SESSION_SUMMARIES, STUDENT_SUMMARIES
from db.records import SessionRecord, SessionStatus, SessionSummary, StudentSummary
from db.schema import ClassGroupRow, SessionRow, SessionSummaryRow, StudentRow, StudentSummaryRow


def save_summaries(
    connection: Connection, summary: SessionSummary, students: Sequence[StudentSummary]
) -> None:
    """Replace the summaries of a session."""
    delete_summaries(connection, summary.session_id)
    row = SESSION_SUMMARIES.to_row(summary, student_summary_count=len(students))
    connection.execute(insert(SessionSummaryRow).values(**row))
    if students:
        rows = [STUDENT_SUMMARIES.to_row(student, session_id=summary.session_id) for student in students]
        connection.execute(insert(StudentSummaryRow), rows)


def delete_summaries(connection: Connection, session_id: int) -> None:
    """Delete the outdated summaries of a session."""
    for table in (StudentSummaryRow, SessionSummaryRow):
        connection.execute(delete(table).where(table.session_id == session_id))


def delete_later_summaries(connection: Connection, session_id: int) -> None:
    """Delete the summaries of the class's later sessions with roster students: their flag decisions use a
    baseline that includes this session."""
    with_roster_students = (
        select(StudentSummaryRow.session_id)
        .join(StudentRow, StudentRow.id == StudentSummaryRow.student_id)
        .where(StudentRow.session_id.is_(None))
    )
    this = aliased(SessionRow)
    later = (
        select(SessionRow.id)
        .join(this, this.class_group_id == SessionRow.class_group_id)
        .where(
            this.id == session_id,
            SessionRow.started_at > this.started_at,
            SessionRow.id.in_(with_roster_students),
        )
    )
    for later_id in connection.scalars(later).all():
        delete_summaries(connection, later_id)


def list_pending_summaries(
    engine: Engine, rules_version: int, before: SessionRecord | None = None
) -> list[int]:
    """The ended sessions without current summaries, the oldest first: those without any (``--no-report``, a
    crash), computed with other rules, with an erased student, or later than a corrected session. With
    ``before``: only earlier sessions of the same class."""
    rows_left = select(func.count()).where(StudentSummaryRow.session_id == SessionRow.id).scalar_subquery()
    statement = (
        select(SessionRow.id)
        .outerjoin(SessionSummaryRow, SessionSummaryRow.session_id == SessionRow.id)
        .where(
            SessionRow.status != SessionStatus.RUNNING.value,
            or_(
                SessionSummaryRow.session_id.is_(None),
                SessionSummaryRow.rules_version != rules_version,
                SessionSummaryRow.student_summary_count != rows_left,
            ),
        )
        .order_by(SessionRow.started_at, SessionRow.id)
    )
    if before is not None:
        class_id = select(ClassGroupRow.id).where(ClassGroupRow.name == before.class_name)
        statement = statement.where(
            SessionRow.class_group_id.in_(class_id), SessionRow.started_at < before.started_at
        )
    with engine.connect() as connection:
        return list(connection.scalars(statement))


def select_student_summaries() -> Select[Any]:
    """Rows for ``STUDENT_SUMMARIES.from_row``, with ``session_id``."""
    return STUDENT_SUMMARIES.select(StudentSummaryRow.session_id)


def load_session_summaries(connection: Connection, session_ids: Iterable[int]) -> dict[int, SessionSummary]:
    """The class summaries of those sessions, by session id."""
    statement = SESSION_SUMMARIES.select().where(SessionSummaryRow.session_id.in_(list(session_ids)))
    return {row.session_id: SESSION_SUMMARIES.from_row(row) for row in connection.execute(statement)}
