"""How many people and flags each session has: two statements, however many sessions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from db.schema import FlagRow, SeatRow


@dataclass(frozen=True)
class SessionCounts:
    """Of one session: the students who were followed, and those with a flag of outcome ``flagged``."""

    students: int = 0
    flagged: int = 0


def session_counts(engine: Engine) -> dict[int, SessionCounts]:
    """The counts of every session that has students, by its number."""
    seated = select(SeatRow.session_id, func.count()).group_by(SeatRow.session_id)
    flagged = (
        select(FlagRow.session_id, func.count(FlagRow.student_id.distinct()))
        .where(FlagRow.outcome == "flagged")
        .group_by(FlagRow.session_id)
    )
    with engine.connect() as connection:
        students = {row[0]: row[1] for row in connection.execute(seated)}
        flags = {row[0]: row[1] for row in connection.execute(flagged)}
    return {number: SessionCounts(count, flags.get(number, 0)) for number, count in students.items()}
