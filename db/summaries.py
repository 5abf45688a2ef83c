"""What each session holds, summed up: a cache of the bins, in and out of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine, Select, delete, func, insert, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from db.errors import InvalidValue
from db.records import SessionRecord, SessionStatus, SessionSummary, ShareEstimate, StudentSummary
from db.schema import (
    PROBABILITIES,
    ClassGroupRow,
    SessionRow,
    SessionSummaryRow,
    StudentRow,
    StudentSummaryRow,
)
from db.sql import AnyRow, probabilities

_STUDENT_COLUMNS = (
    "student_id",
    "watched_s",
    "seen_s",
    "usable_s",
    "usable_samples",
    "head_pose_s",
    "facing_share",
    "closed_share",
)
_SHARE_COLUMNS = tuple(f"{kind}_{part}" for kind in ("sad", "away") for part in ("share", "low", "high"))
_SESSION_COLUMNS = ("session_id", "rules_version", "student_count", "seen_share", "facing_share", "closed_share")


def save_summaries(
    connection: Connection, summary: SessionSummary, students: Sequence[StudentSummary]
) -> None:
    """Replace what was summed up of a session."""
    delete_summaries(connection, summary.session_id)
    own = {name: getattr(summary, name) for name in _SESSION_COLUMNS} | {"student_summary_count": len(students)}
    connection.execute(insert(SessionSummaryRow).values(**own, **_probability_values(summary.probabilities)))
    if students:
        rows = [{"session_id": summary.session_id} | _student_summary_to_row(one) for one in students]
        connection.execute(insert(StudentSummaryRow), rows)


def delete_summaries(connection: Connection, session_id: int) -> None:
    """Drop what was summed up of a session, because it is no longer so."""
    for table in (StudentSummaryRow, SessionSummaryRow):
        connection.execute(delete(table).where(table.session_id == session_id))


def delete_later_summaries(connection: Connection, session_id: int) -> None:
    """Drop what was summed up of the class's later sessions with somebody of the roster: their verdicts are
    held against what this one holds, and that has changed."""
    of_roster = (
        select(StudentSummaryRow.session_id)
        .join(StudentRow, StudentRow.id == StudentSummaryRow.student_id)
        .where(StudentRow.session_id.is_(None))
    )
    this = aliased(SessionRow)
    later = (
        select(SessionRow.id)
        .join(this, this.class_group_id == SessionRow.class_group_id)
        .where(this.id == session_id, SessionRow.started_at > this.started_at, SessionRow.id.in_(of_roster))
    )
    for number in connection.scalars(later).all():
        delete_summaries(connection, number)


def list_pending_summaries(
    engine: Engine, rules_version: int, before: SessionRecord | None = None
) -> list[int]:
    """The ended sessions that are to be summed up, the oldest first: those that never were (``--no-report``,
    a crash, an older database), that were with other rules, of which somebody was erased since, or that
    follow one that was corrected. Only those of the class that began ``before`` a session, where given."""
    left = select(func.count()).where(StudentSummaryRow.session_id == SessionRow.id).scalar_subquery()
    statement = (
        select(SessionRow.id)
        .outerjoin(SessionSummaryRow, SessionSummaryRow.session_id == SessionRow.id)
        .where(
            SessionRow.status != SessionStatus.RUNNING.value,
            or_(
                SessionSummaryRow.session_id.is_(None),
                SessionSummaryRow.rules_version != rules_version,
                SessionSummaryRow.student_summary_count != left,
            ),
        )
        .order_by(SessionRow.started_at, SessionRow.id)
    )
    if before is not None:
        of_class = select(ClassGroupRow.id).where(ClassGroupRow.name == before.class_name)
        statement = statement.where(
            SessionRow.class_group_id.in_(of_class), SessionRow.started_at < before.started_at
        )
    with engine.connect() as connection:
        return list(connection.scalars(statement))


def select_student_summaries() -> Select[Any]:
    """Rows as ``student_summary_from_row`` takes them."""
    one = StudentSummaryRow
    return select(
        one.session_id, *(getattr(one, name) for name in (*_STUDENT_COLUMNS, *PROBABILITIES, *_SHARE_COLUMNS))
    )


def load_session_summaries(connection: Connection, session_ids: Iterable[int]) -> dict[int, SessionSummary]:
    """What was summed up of those sessions, by number."""
    wanted = SessionSummaryRow.session_id.in_(list(session_ids))
    found = connection.execute(select(*SessionSummaryRow.__table__.columns).where(wanted))
    return {row.session_id: session_summary_from_row(row) for row in found}


def session_summary_from_row(row: AnyRow) -> SessionSummary:
    """A row of ``load_session_summaries``."""
    values = row._mapping
    return SessionSummary(
        **{name: values[name] for name in _SESSION_COLUMNS}, probabilities=probabilities(row)
    )


def student_summary_from_row(row: AnyRow) -> StudentSummary:
    """A row of ``select_student_summaries``. By place and not by name: a class of two years has 15,000."""
    values: tuple[Any, ...] = tuple(row)
    chances, sad, away = values[9:16], values[16:19], values[19:]
    known: list[Any] = [
        None if chances[0] is None else chances,
        None if sad[0] is None else ShareEstimate(*sad),
        None if away[0] is None else ShareEstimate(*away),
    ]
    return StudentSummary(*values[1:9], *known)


def _student_summary_to_row(one: StudentSummary) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in _STUDENT_COLUMNS}
    return (
        plain
        | _probability_values(one.probabilities)
        | _share_values("sad", one.sad)
        | _share_values("away", one.away)
    )


def _probability_values(values: Sequence[float] | None) -> dict[str, float | None]:
    chances = values if values is not None else (None,) * len(PROBABILITIES)
    if len(chances) != len(PROBABILITIES):
        raise InvalidValue(f"a summary has {len(chances)} probabilities; expected {len(PROBABILITIES)}")
    return dict(zip(PROBABILITIES, chances, strict=True))


def _share_values(prefix: str, estimate: ShareEstimate | None) -> dict[str, float | None]:
    share, low, high = (None,) * 3 if estimate is None else (estimate.share, estimate.low, estimate.high)
    return {f"{prefix}_share": share, f"{prefix}_low": low, f"{prefix}_high": high}
