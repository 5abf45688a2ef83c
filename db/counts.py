"""How many people and flags each session has: a few statements, however many sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, and_, func, select

from db.flagged import flagged_in
from db.records import FlagRecord
from db.schema import AttributionRow, SeatRow


@dataclass(frozen=True)
class SessionCounts:
    """Of one session: the people who were followed, those with a verdict of outcome ``flagged``, and those of
    them with one that nobody has reviewed; all after the corrections of who is who."""

    students: int = 0
    flagged: int = 0
    open: int = 0


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
    with engine.connect() as connection:
        students = {row[0]: row[1] for row in connection.execute(seated)}
        flagged = flagged_in(connection)
    return {number: _counts(count, flagged.get(number, ())) for number, count in students.items()}


def _counts(students: int, flags: Sequence[FlagRecord]) -> SessionCounts:
    pending = [flag for flag in flags if flag.review == "open"]
    people, waiting = ({flag.student_id for flag in some} for some in (flags, pending))
    return SessionCounts(students, len(people), len(waiting))
