"""How many people and flags each session has: two statements, however many sessions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, and_, exists, func, select

from db.schema import AttributionRow, FlagRow, SeatRow


@dataclass(frozen=True)
class SessionCounts:
    """Of one session: the people who were followed, and those with a flag of outcome ``flagged``; both
    after the corrections of who is who."""

    students: int = 0
    flagged: int = 0


def session_counts(engine: Engine) -> dict[int, SessionCounts]:
    """The counts of every session that has students, by its number."""
    sat = and_(
        AttributionRow.session_id == SeatRow.session_id, AttributionRow.student_id == SeatRow.student_id
    )
    person = func.coalesce(AttributionRow.person_id, SeatRow.student_id)
    seated = (
        select(SeatRow.session_id, func.count(person.distinct()))
        .outerjoin(AttributionRow, sat)
        .group_by(SeatRow.session_id)
    )
    of_flag = AttributionRow.session_id == FlagRow.session_id
    is_there = exists().where(of_flag, AttributionRow.person_id == FlagRow.student_id)
    flagged = (
        select(FlagRow.session_id, func.count(FlagRow.student_id.distinct()))
        .where(FlagRow.outcome == "flagged", ~exists().where(of_flag) | is_there)
        .group_by(FlagRow.session_id)
    )
    with engine.connect() as connection:
        students = {row[0]: row[1] for row in connection.execute(seated)}
        flags = {row[0]: row[1] for row in connection.execute(flagged)}
    return {number: SessionCounts(count, flags.get(number, 0)) for number, count in students.items()}
