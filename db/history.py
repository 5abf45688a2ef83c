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
from db.corrections.identity import IdentityMap
from db.corrections.reviews import assign_reviews
from db.corrections.store import load_corrections, load_identity_maps
from db.errors import NotFound
from db.flags import flags_by_session
from db.records import (
    ClassHistory,
    ClassSession,
    EarlierShare,
    FlagRecord,
    SessionRecord,
    ShareEstimate,
    StudentRecord,
    StudentSession,
    StudentSummary,
)
from db.schema import (
    ClassGroupRow,
    FlagRow,
    IdentityIntervalRow,
    SeatRow,
    SessionRow,
    SessionSummaryRow,
    StudentRow,
    StudentSummaryRow,
    TimelineBinRow,
)
from db.sessions import get_session, list_sessions, list_students
from db.sql import AnyRow, closest_pseudonyms, select_sessions, select_students
from db.summaries import load_session_summaries, select_student_summaries, student_summary_from_row

_Key = tuple[int, int]


def student_history(engine: Engine, pseudonym: str, class_name: str | None = None) -> list[StudentSession]:
    """What each session holds of the people with that pseudonym, the oldest session first.

    "Student 3" of one session is not the same person as "Student 3" of another unless both rows name
    one ``student.id``. Raises ``NotFound`` with the nearest pseudonyms.
    """
    with engine.connect() as connection:
        people = _students_matching(connection, _has_pseudonym(pseudonym, class_name))
        found = _load_student_sessions(connection, people)
    if not people:
        raise NotFound(_not_found_message(engine, pseudonym, class_name))
    return found


def student_history_by_id(engine: Engine, student_id: int) -> tuple[StudentRecord, list[StudentSession]]:
    """The person with that number and what each session holds of them, the oldest first. Raises
    ``NotFound``."""
    with engine.connect() as connection:
        people = _students_matching(connection, StudentRow.id == student_id)
        found = _load_student_sessions(connection, people)
    if not people:
        raise NotFound(f"there is no student with the number {student_id}")
    return people[student_id], found


def load_past_summaries(
    engine: Engine, student_ids: Collection[int]
) -> dict[int, list[tuple[SessionRecord, StudentSummary]]]:
    """What was summed up of each of those people, the oldest session first: two statements, however many."""
    with engine.connect() as connection:
        summaries = _load_summaries(connection, list(student_ids))
        lectures = _load_sessions(connection, sorted({session_id for session_id, _ in summaries}))
    found: dict[int, list[tuple[SessionRecord, StudentSummary]]] = defaultdict(list)
    for session_id, student_id in sorted(summaries, key=lambda key: (lectures[key[0]].started_at, key)):
        found[student_id].append((lectures[session_id], summaries[session_id, student_id]))
    return found


def _load_student_sessions(
    connection: Connection, people: Mapping[int, StudentRecord]
) -> list[StudentSession]:
    summaries = _load_summaries(connection, list(people))
    keys = list(summaries.keys() | _sessions_without_summary(connection, list(people)))
    lectures = _load_sessions(connection, sorted({session_id for session_id, _ in keys}))
    corrected = load_identity_maps(connection, IdentityIntervalRow.session_id.in_(list(lectures)))
    verdicts = _load_flags(connection, list(people), corrected)
    ordered = sorted(keys, key=lambda key: (lectures[key[0]].started_at, key))
    return [
        StudentSession(lectures[key[0]], people[key[1]], summaries.get(key), verdicts[key]) for key in ordered
    ]


def _has_pseudonym(pseudonym: str, class_name: str | None) -> ColumnElement[bool]:
    called = StudentRow.pseudonym == pseudonym
    return called if class_name is None else called & (ClassGroupRow.name == class_name)


def _students_matching(connection: Connection, condition: ColumnElement[bool]) -> dict[int, StudentRecord]:
    statement = select_students().where(condition)
    return {row.id: mapping.student_from_row(row) for row in connection.execute(statement)}


def _load_summaries(connection: Connection, student_ids: Sequence[int]) -> dict[_Key, StudentSummary]:
    statement = select_student_summaries().where(StudentSummaryRow.student_id.in_(student_ids))
    return {
        (row.session_id, row.student_id): student_summary_from_row(row)
        for row in connection.execute(statement)
    }


def _sessions_without_summary(connection: Connection, student_ids: Sequence[int]) -> set[_Key]:
    """Where the people are in sessions of which there is no summary, a running one above all: those of the
    session itself, those of the roster who have bins in it and, once corrected, those who there are then."""
    of_session = IdentityIntervalRow.session_id == SessionRow.id
    seated = exists().where(
        TimelineBinRow.session_id == SessionRow.id, TimelineBinRow.student_id == StudentRow.id
    )
    recorded = ~exists().where(of_session) & ((StudentRow.session_id == SessionRow.id) | seated)
    there_now = exists().where(of_session, IdentityIntervalRow.person_id == StudentRow.id)
    statement = (
        select(SessionRow.id, StudentRow.id)
        .join(StudentRow, StudentRow.class_group_id == SessionRow.class_group_id)
        .where(StudentRow.id.in_(student_ids), recorded | there_now)
        .where(~exists().where(SessionSummaryRow.session_id == SessionRow.id))
    )
    return {(row[0], row[1]) for row in connection.execute(statement)}


def _load_sessions(connection: Connection, session_ids: Sequence[int]) -> dict[int, SessionRecord]:
    statement = select_sessions().where(SessionRow.id.in_(session_ids))
    return {row.id: mapping.session_from_row(row) for row in connection.execute(statement)}


def _load_flags(
    connection: Connection, student_ids: Sequence[int], identity_maps: Mapping[int, IdentityMap]
) -> dict[_Key, tuple[FlagRecord, ...]]:
    """The flags of the students; of a corrected session everybody's reviewed ones are read too, as a review
    may have moved along."""
    reviewed = (FlagRow.review != "open") | FlagRow.reviewed_at.is_not(None)
    moved = FlagRow.session_id.in_(list(identity_maps)) & reviewed
    of = FlagRow.student_id.in_(student_ids) | moved
    stored: dict[int, list[FlagRecord]] = defaultdict(list)
    for row in connection.execute(mapping.select_flags().where(of).order_by(FlagRow.kind)):
        stored[row.session_id].append(mapping.flag_from_row(row))
    corrections = load_corrections(connection, identity_maps)
    found: dict[_Key, tuple[FlagRecord, ...]] = defaultdict(tuple)
    for session_id, flags in stored.items():
        for flag in assign_reviews(
            flags, identity_maps.get(session_id, IdentityMap()), corrections[session_id]
        ):
            found[session_id, flag.student_id] += (flag,)
    return found


def _not_found_message(engine: Engine, pseudonym: str, class_name: str | None) -> str:
    where = "" if class_name is None else f" in class {class_name!r}"
    near = closest_pseudonyms(engine, pseudonym, class_name)
    choices = f"the nearest are {', '.join(near)}" if near else "nobody is recorded there yet"
    return f"there is no student {pseudonym!r}{where}; {choices}"


def class_history(
    engine: Engine, class_name: str, since: datetime | None = None, until: datetime | None = None
) -> ClassHistory:
    """Every lesson of a class that started at ``since`` or later and before ``until`` (aware times); none for
    an unknown class."""
    found = list_sessions(engine, class_name, since=since, until=until)
    return _load_class_history(engine, sorted(found, key=lambda one: (one.started_at, one.id)))


def list_class_sessions(engine: Engine, class_name: str) -> list[ClassSession]:
    """Every lesson of a class, the oldest first, without its students and flags."""
    found = sorted(list_sessions(engine, class_name), key=lambda one: (one.started_at, one.id))
    with engine.connect() as connection:
        whole = load_session_summaries(connection, [one.id for one in found])
    return [ClassSession(one, whole.get(one.id)) for one in found]


def history_of_sessions(engine: Engine, session_ids: Iterable[int]) -> ClassHistory:
    """Those lessons, in the order given. Raises ``NotFound`` for an unknown number."""
    return _load_class_history(engine, [get_session(engine, number) for number in session_ids])


def _load_class_history(engine: Engine, sessions: Sequence[SessionRecord]) -> ClassHistory:
    numbers = [one.id for one in sessions]
    with engine.connect() as connection:
        whole = load_session_summaries(connection, numbers)
        students = _summaries_by_session(connection, numbers)
        flags = flags_by_session(connection, numbers)
        people = _students_of_sessions(connection, numbers)
    lessons = [
        ClassSession(one, whole.get(one.id), tuple(students[one.id]), tuple(flags.get(one.id, ())))
        for one in sessions
    ]
    return ClassHistory(tuple(lessons), people)


def _summaries_by_session(
    connection: Connection, session_ids: Sequence[int]
) -> dict[int, list[StudentSummary]]:
    statement = select_student_summaries().where(StudentSummaryRow.session_id.in_(session_ids))
    found: dict[int, list[StudentSummary]] = defaultdict(list)
    for row in connection.execute(
        statement.order_by(StudentSummaryRow.session_id, StudentSummaryRow.student_id)
    ):
        found[row.session_id].append(student_summary_from_row(row))
    return found


def _students_of_sessions(connection: Connection, session_ids: Sequence[int]) -> dict[int, StudentRecord]:
    # Not by their numbers: of a thousand lessons those are more than a statement takes.
    there = select(StudentSummaryRow.student_id).where(StudentSummaryRow.session_id.in_(session_ids))
    statement = select_students().where(StudentRow.id.in_(there))
    return {row.id: mapping.student_from_row(row) for row in connection.execute(statement)}


SHARE_COLUMN_PREFIXES: Mapping[str, str] = MappingProxyType({"sadness": "sad", "attention": "away"})
"""The verdicts (``FlagRecord.kind``) whose shares ``student_summaries`` has, and what their columns begin
with."""


MAX_BASELINE_SESSIONS = 30
"""Sessions of the class that are looked back on, about a term of two a week. What somebody was like before is
not usual any more. Not tuned."""


def load_earlier_shares(
    engine: Engine, session_id: int, max_sessions: int = MAX_BASELINE_SESSIONS
) -> list[EarlierShare]:
    """The levels in the ``max_sessions`` sessions of the class that started before this one, of each person of the
    roster who is in this one; the oldest session first. Whoever is known by the seat in one session only has
    none.

    Sessions in which there was not enough to tell have no level, and those that were not summed up yet
    nothing at all. Raises ``NotFound`` for an unknown session.
    """
    here = get_session(engine, session_id)
    known = [one.id for one in list_students(engine, session_id) if one.session_id is None]
    if not known:
        return []
    with engine.connect() as connection:
        found = connection.execute(_select_earlier(known, here, max_sessions)).all()
        raised = flags_by_session(connection, sorted({row.session_id for row in found}))
    reviews = {(f.session_id, f.student_id, f.kind): f.review for flags in raised.values() for f in flags}
    return [
        EarlierShare(
            row.student_id,
            row.session_id,
            row.started_at,
            row.kind,
            level,
            row.outcome,
            reviews.get((row.session_id, row.student_id, row.kind), "open"),
        )
        for row, level in ((row, _share_estimate(row)) for row in found)
        if level is not None
    ]


def _select_earlier(student_ids: list[int], session: SessionRecord, max_sessions: int) -> Select[Any]:
    one = StudentSummaryRow
    before = (
        select(SessionRow.id, SessionRow.started_at)
        .join(ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id)
        .where(ClassGroupRow.name == session.class_name, SessionRow.started_at < session.started_at)
        .order_by(SessionRow.started_at.desc())
        .limit(max_sessions)
        .subquery()
    )
    of_flag = (FlagRow.session_id == one.session_id) & (FlagRow.student_id == one.student_id)
    return (
        select(
            one.student_id,
            one.session_id,
            before.c.started_at,
            FlagRow.kind,
            FlagRow.outcome,
            *_share_columns(),
        )
        .join(before, before.c.id == one.session_id)
        .join(FlagRow, of_flag & FlagRow.kind.in_(SHARE_COLUMN_PREFIXES))
        .where(one.student_id.in_(student_ids))
        .order_by(before.c.started_at, one.session_id, one.student_id, FlagRow.kind)
    )


def _share_columns() -> list[ColumnElement[Any]]:
    """Of each kind its own three columns."""
    return [
        case(
            {
                kind: getattr(StudentSummaryRow, f"{name}_{part}")
                for kind, name in SHARE_COLUMN_PREFIXES.items()
            },
            value=FlagRow.kind,
        ).label(part)
        for part in ("share", "low", "high")
    ]


def _share_estimate(row: AnyRow) -> ShareEstimate | None:
    return None if row.share is None else ShareEstimate(row.share, row.low, row.high)


@dataclass(frozen=True)
class SessionCounts:
    """Of one session: the people who were followed, those with a verdict of outcome ``flagged``, and those of
    them with one that nobody has reviewed; all after the corrections of who is who."""

    students: int = 0
    flagged: int = 0
    unreviewed: int = 0


def session_counts(engine: Engine) -> dict[int, SessionCounts]:
    """The counts of every session that has students, by its number."""
    sat = and_(
        IdentityIntervalRow.session_id == SeatRow.session_id,
        IdentityIntervalRow.student_id == SeatRow.student_id,
    )
    person = func.coalesce(IdentityIntervalRow.person_id, SeatRow.student_id)
    seated = (
        select(SeatRow.session_id, func.count(person.distinct()))
        .outerjoin(IdentityIntervalRow, sat)
        .group_by(SeatRow.session_id)
    )
    with engine.connect() as connection:
        students = {row[0]: row[1] for row in connection.execute(seated)}
        flagged = flags_by_session(connection)
    return {number: _count(count, flagged.get(number, ())) for number, count in students.items()}


def _count(students: int, flags: Sequence[FlagRecord]) -> SessionCounts:
    pending = [flag for flag in flags if flag.review == "open"]
    people, waiting = ({flag.student_id for flag in some} for some in (flags, pending))
    return SessionCounts(students, len(people), len(waiting))
