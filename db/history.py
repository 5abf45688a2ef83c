"""One student over all sessions: seven statements, however many sessions.

The lessons of a class with what they hold: six statements, however many lessons.

What somebody showed in earlier sessions: their own usual level is told from it.

How many people and flags each session has: a few statements, however many sessions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, case, exists, func, select
from sqlalchemy.engine import Connection

from db import sql as mapping
from db.corrections.identity import Attribution
from db.corrections.reviews import standing
from db.corrections.store import attributions, corrections_in
from db.errors import NotFound
from db.flags import flagged_in
from db.records import (
    ClassHistory,
    EarlierLevel,
    FlagRecord,
    Lesson,
    Level,
    SessionRecord,
    StudentRecord,
    StudentSession,
    StudentSummary,
)
from db.schema import (
    AttributionRow,
    BinRow,
    ClassGroupRow,
    FlagRow,
    SeatRow,
    SessionRow,
    SessionSummaryRow,
    StudentRow,
    StudentSummaryRow,
)
from db.sessions import session, sessions, students
from db.sql import AnyRow, nearest_pseudonyms, select_sessions, select_students
from db.summaries import select_student_summaries, session_summaries, student_summary

_Key = tuple[int, int]


def student_history(engine: Engine, pseudonym: str, class_name: str | None = None) -> list[StudentSession]:
    """What each session holds of the people with that pseudonym, the oldest session first.

    "Student 3" of one session is not the same person as "Student 3" of another unless both rows name
    one ``student.id``. Raises ``NotFound`` with the nearest pseudonyms.
    """
    with engine.connect() as connection:
        people = _people(connection, _called(pseudonym, class_name))
        found = _histories(connection, people)
    if not people:
        raise NotFound(_unknown(engine, pseudonym, class_name))
    return found


def person_history(engine: Engine, student_id: int) -> tuple[StudentRecord, list[StudentSession]]:
    """The person with that number and what each session holds of them, the oldest first. Raises
    ``NotFound``."""
    with engine.connect() as connection:
        people = _people(connection, StudentRow.id == student_id)
        found = _histories(connection, people)
    if not people:
        raise NotFound(f"there is no student with the number {student_id}")
    return people[student_id], found


def past_summaries(
    engine: Engine, student_ids: Collection[int]
) -> dict[int, list[tuple[SessionRecord, StudentSummary]]]:
    """What was summed up of each of those people, the oldest session first: two statements, however many."""
    with engine.connect() as connection:
        summaries = _summaries(connection, list(student_ids))
        lectures = _sessions(connection, sorted({session_id for session_id, _ in summaries}))
    found: dict[int, list[tuple[SessionRecord, StudentSummary]]] = defaultdict(list)
    for session_id, student_id in sorted(summaries, key=lambda key: (lectures[key[0]].started_at, key)):
        found[student_id].append((lectures[session_id], summaries[session_id, student_id]))
    return found


def _histories(connection: Connection, people: Mapping[int, StudentRecord]) -> list[StudentSession]:
    summaries = _summaries(connection, list(people))
    keys = list(summaries.keys() | _not_summed_up(connection, list(people)))
    lectures = _sessions(connection, sorted({session_id for session_id, _ in keys}))
    corrected = attributions(connection, AttributionRow.session_id.in_(list(lectures)))
    verdicts = _flags(connection, list(people), corrected)
    ordered = sorted(keys, key=lambda key: (lectures[key[0]].started_at, key))
    return [
        StudentSession(lectures[key[0]], people[key[1]], summaries.get(key), verdicts[key]) for key in ordered
    ]


def _called(pseudonym: str, class_name: str | None) -> ColumnElement[bool]:
    called = StudentRow.pseudonym == pseudonym
    return called if class_name is None else called & (ClassGroupRow.name == class_name)


def _people(connection: Connection, who: ColumnElement[bool]) -> dict[int, StudentRecord]:
    statement = select_students().where(who)
    return {row.id: mapping.student_record(row) for row in connection.execute(statement)}


def _summaries(connection: Connection, student_ids: Sequence[int]) -> dict[_Key, StudentSummary]:
    statement = select_student_summaries().where(StudentSummaryRow.student_id.in_(student_ids))
    return {(row.session_id, row.student_id): student_summary(row) for row in connection.execute(statement)}


def _not_summed_up(connection: Connection, student_ids: Sequence[int]) -> set[_Key]:
    """Where the people are in sessions of which there is no summary, a running one above all: those of the
    session itself, those of the roster who have bins in it and, once corrected, those who there are then."""
    of_session = AttributionRow.session_id == SessionRow.id
    seated = exists().where(BinRow.session_id == SessionRow.id, BinRow.student_id == StudentRow.id)
    recorded = ~exists().where(of_session) & ((StudentRow.session_id == SessionRow.id) | seated)
    there_now = exists().where(of_session, AttributionRow.person_id == StudentRow.id)
    statement = (
        select(SessionRow.id, StudentRow.id)
        .join(StudentRow, StudentRow.class_group_id == SessionRow.class_group_id)
        .where(StudentRow.id.in_(student_ids), recorded | there_now)
        .where(~exists().where(SessionSummaryRow.session_id == SessionRow.id))
    )
    return {(row[0], row[1]) for row in connection.execute(statement)}


def _sessions(connection: Connection, session_ids: Sequence[int]) -> dict[int, SessionRecord]:
    statement = select_sessions().where(SessionRow.id.in_(session_ids))
    return {row.id: mapping.session_record(row) for row in connection.execute(statement)}


def _flags(
    connection: Connection, student_ids: Sequence[int], corrected: Mapping[int, Attribution]
) -> dict[_Key, tuple[FlagRecord, ...]]:
    """The flags of the students; of a corrected session everybody's reviewed ones are read too, as a review
    may have moved along."""
    reviewed = (FlagRow.review != "open") | FlagRow.reviewed_at.is_not(None)
    moved = FlagRow.session_id.in_(list(corrected)) & reviewed
    of = FlagRow.student_id.in_(student_ids) | moved
    stored: dict[int, list[FlagRecord]] = defaultdict(list)
    for row in connection.execute(mapping.select_flags().where(of).order_by(FlagRow.kind)):
        stored[row.session_id].append(mapping.flag_record(row))
    corrections = corrections_in(connection, corrected)
    found: dict[_Key, tuple[FlagRecord, ...]] = defaultdict(tuple)
    for session_id, flags in stored.items():
        for flag in standing(flags, corrected.get(session_id, Attribution()), corrections[session_id]):
            found[session_id, flag.student_id] += (flag,)
    return found


def _unknown(engine: Engine, pseudonym: str, class_name: str | None) -> str:
    where = "" if class_name is None else f" in class {class_name!r}"
    near = nearest_pseudonyms(engine, pseudonym, class_name)
    choices = f"the nearest are {', '.join(near)}" if near else "nobody is recorded there yet"
    return f"there is no student {pseudonym!r}{where}; {choices}"


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


KINDS: Mapping[str, str] = MappingProxyType({"sad_share": "sad", "attention": "away"})
"""The verdicts (``FlagRecord.kind``) whose shares ``student_summaries`` has, and what their columns begin
with."""


LAST = 30
"""Sessions of the class that are looked back on, about a term of two a week. What somebody was like before is
not usual any more. Not tuned."""


def earlier_levels(engine: Engine, session_id: int, last: int = LAST) -> list[EarlierLevel]:
    """The levels in the ``last`` sessions of the class that started before this one, of each person of the
    roster who is in this one; the oldest session first. Whoever is known by the seat in one session only has
    none.

    Sessions in which there was not enough to tell have no level, and those that were not summed up yet
    nothing at all. Raises ``NotFound`` for an unknown session.
    """
    here = session(engine, session_id)
    known = [one.id for one in students(engine, session_id) if one.session_id is None]
    if not known:
        return []
    with engine.connect() as connection:
        found = connection.execute(_select_earlier(known, here, last)).all()
        raised = flagged_in(connection, sorted({row.session_id for row in found}))
    reviews = {(f.session_id, f.student_id, f.kind): f.review for flags in raised.values() for f in flags}
    return [
        EarlierLevel(
            row.student_id,
            row.session_id,
            row.started_at,
            row.kind,
            level,
            row.outcome,
            reviews.get((row.session_id, row.student_id, row.kind), "open"),
        )
        for row, level in ((row, _level(row)) for row in found)
        if level is not None
    ]


def _select_earlier(people: list[int], here: SessionRecord, last: int) -> Select[Any]:
    one = StudentSummaryRow
    before = (
        select(SessionRow.id, SessionRow.started_at)
        .join(ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id)
        .where(ClassGroupRow.name == here.class_name, SessionRow.started_at < here.started_at)
        .order_by(SessionRow.started_at.desc())
        .limit(last)
        .subquery()
    )
    of_flag = (FlagRow.session_id == one.session_id) & (FlagRow.student_id == one.student_id)
    return (
        select(one.student_id, one.session_id, before.c.started_at, FlagRow.kind, FlagRow.outcome, *_shares())
        .join(before, before.c.id == one.session_id)
        .join(FlagRow, of_flag & FlagRow.kind.in_(KINDS))
        .where(one.student_id.in_(people))
        .order_by(before.c.started_at, one.session_id, one.student_id, FlagRow.kind)
    )


def _shares() -> list[ColumnElement[Any]]:
    """Of each kind its own three columns."""
    return [
        case(
            {kind: getattr(StudentSummaryRow, f"{name}_{part}") for kind, name in KINDS.items()},
            value=FlagRow.kind,
        ).label(part)
        for part in ("share", "low", "high")
    ]


def _level(row: AnyRow) -> Level | None:
    return None if row.share is None else Level(row.share, row.low, row.high)


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
