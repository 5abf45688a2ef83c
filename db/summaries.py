"""What each session holds, summed up: a cache of the bins, in and out of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine, Select, delete, func, insert, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from db.errors import InvalidValue
from db.records import Level, SessionRecord, SessionStatus, SessionSummary, StudentSummary
from db.schema import (
    PROBABILITIES,
    ClassGroupRow,
    SessionRow,
    SessionSummaryRow,
    StudentRow,
    StudentSummaryRow,
)
from db.sql import AnyRow, probabilities

_PLAIN = (
    "student_id",
    "watched_s",
    "seen_s",
    "usable_s",
    "usable_samples",
    "posed_s",
    "facing_share",
    "closed_share",
)
_LEVELS = tuple(f"{kind}_{part}" for kind in ("sad", "away") for part in ("share", "low", "high"))
_WHOLE = ("session_id", "made_with", "people", "seen_share", "facing_share", "closed_share")


def save(connection: Connection, summary: SessionSummary, students: Sequence[StudentSummary]) -> None:
    """Replace what was summed up of a session."""
    forget(connection, summary.session_id)
    own = {name: getattr(summary, name) for name in _WHOLE} | {"students": len(students)}
    connection.execute(insert(SessionSummaryRow).values(**own, **_chances(summary.probabilities)))
    if students:
        rows = [{"session_id": summary.session_id} | _values(one) for one in students]
        connection.execute(insert(StudentSummaryRow), rows)


def forget(connection: Connection, session_id: int) -> None:
    """Drop what was summed up of a session, because it is no longer so."""
    for table in (StudentSummaryRow, SessionSummaryRow):
        connection.execute(delete(table).where(table.session_id == session_id))


def forget_after(connection: Connection, session_id: int) -> None:
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
        forget(connection, number)


def unsummarised(engine: Engine, made_with: int, before: SessionRecord | None = None) -> list[int]:
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
                SessionSummaryRow.made_with != made_with,
                SessionSummaryRow.students != left,
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
    """Rows as ``student_summary`` takes them."""
    one = StudentSummaryRow
    return select(one.session_id, *(getattr(one, name) for name in (*_PLAIN, *PROBABILITIES, *_LEVELS)))


def session_summaries(connection: Connection, session_ids: Iterable[int]) -> dict[int, SessionSummary]:
    """What was summed up of those sessions, by number."""
    wanted = SessionSummaryRow.session_id.in_(list(session_ids))
    found = connection.execute(select(*SessionSummaryRow.__table__.columns).where(wanted))
    return {row.session_id: session_summary(row) for row in found}


def session_summary(row: AnyRow) -> SessionSummary:
    """A row of ``session_summaries``."""
    values = row._mapping
    return SessionSummary(**{name: values[name] for name in _WHOLE}, probabilities=probabilities(row))


def student_summary(row: AnyRow) -> StudentSummary:
    """A row of ``select_student_summaries``. By place and not by name: a class of two years has 15,000."""
    values: tuple[Any, ...] = tuple(row)
    chances, sad, away = values[9:16], values[16:19], values[19:]
    known: list[Any] = [
        None if chances[0] is None else chances,
        None if sad[0] is None else Level(*sad),
        None if away[0] is None else Level(*away),
    ]
    return StudentSummary(*values[1:9], *known)


def _values(one: StudentSummary) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in _PLAIN}
    return plain | _chances(one.probabilities) | _columns("sad", one.sad) | _columns("away", one.away)


def _chances(values: Sequence[float] | None) -> dict[str, float | None]:
    chances = values if values is not None else (None,) * len(PROBABILITIES)
    if len(chances) != len(PROBABILITIES):
        raise InvalidValue(f"a summary has {len(chances)} probabilities; expected {len(PROBABILITIES)}")
    return dict(zip(PROBABILITIES, chances, strict=True))


def _columns(kind: str, level: Level | None) -> dict[str, float | None]:
    share, low, high = (None,) * 3 if level is None else (level.share, level.low, level.high)
    return {f"{kind}_share": share, f"{kind}_low": low, f"{kind}_high": high}
