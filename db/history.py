"""Reads over many sessions: a student's or a class's history, earlier shares, and counts.

Each read takes a fixed number of statements, however many sessions there are.
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

from db.corrections.identity import IdentityMap
from db.corrections.reviews import assign_reviews
from db.corrections.store import load_corrections, load_identity_maps
from db.errors import NotFound, unknown_key
from db.flags import flags_by_session
from db.mapping import FLAGS, STUDENT_SUMMARIES, AnyRow, session_from_row
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
from db.sql import closest_pseudonyms, select_sessions, select_students
from db.summaries import load_session_summaries, select_student_summaries

_Key = tuple[int, int]


def student_history(engine: Engine, pseudonym: str, class_name: str | None = None) -> list[StudentSession]:
    """The sessions of the students with that pseudonym, the oldest session first.

    "Student 3" of one session is the same person as "Student 3" of another only if both rows have the same
    ``student.id``. Raises ``NotFound`` with the closest pseudonyms.
    """
    with engine.connect() as connection:
        students = _students_matching(connection, _has_pseudonym(pseudonym, class_name))
        history = _load_student_sessions(connection, students)
    if not students:
        raise _unknown_pseudonym(engine, pseudonym, class_name)
    return history


def student_history_by_id(engine: Engine, student_id: int) -> tuple[StudentRecord, list[StudentSession]]:
    """The student with that id and their sessions, the oldest first. Raises ``NotFound``."""
    with engine.connect() as connection:
        students = _students_matching(connection, StudentRow.id == student_id)
        history = _load_student_sessions(connection, students)
    if not students:
        raise unknown_key("student", student_id)
    return students[student_id], history


def load_past_summaries(
    engine: Engine, student_ids: Collection[int]
) -> dict[int, list[tuple[SessionRecord, StudentSummary]]]:
    """The summaries of each of those students, the oldest session first, in two statements."""
    with engine.connect() as connection:
        summaries = _load_summaries(connection, list(student_ids))
        sessions = _load_sessions(connection, sorted({session_id for session_id, _ in summaries}))
    past: dict[int, list[tuple[SessionRecord, StudentSummary]]] = defaultdict(list)
    for session_id, student_id in sorted(summaries, key=lambda key: (sessions[key[0]].started_at, key)):
        past[student_id].append((sessions[session_id], summaries[session_id, student_id]))
    return past


def _load_student_sessions(
    connection: Connection, students: Mapping[int, StudentRecord]
) -> list[StudentSession]:
    summaries = _load_summaries(connection, list(students))
    keys = list(summaries.keys() | _sessions_without_summary(connection, list(students)))
    sessions = _load_sessions(connection, sorted({session_id for session_id, _ in keys}))
    corrected = load_identity_maps(connection, IdentityIntervalRow.session_id.in_(list(sessions)))
    flags = _load_flags(connection, list(students), corrected)
    ordered = sorted(keys, key=lambda key: (sessions[key[0]].started_at, key))
    return [
        StudentSession(sessions[key[0]], students[key[1]], summaries.get(key), flags[key]) for key in ordered
    ]


def _has_pseudonym(pseudonym: str, class_name: str | None) -> ColumnElement[bool]:
    condition = StudentRow.pseudonym == pseudonym
    return condition if class_name is None else condition & (ClassGroupRow.name == class_name)


def _students_matching(connection: Connection, condition: ColumnElement[bool]) -> dict[int, StudentRecord]:
    statement = select_students().where(condition)
    return {row.id: StudentRecord(**row._mapping) for row in connection.execute(statement)}


def _load_summaries(connection: Connection, student_ids: Sequence[int]) -> dict[_Key, StudentSummary]:
    statement = select_student_summaries().where(StudentSummaryRow.student_id.in_(student_ids))
    return {
        (row.session_id, row.student_id): STUDENT_SUMMARIES.from_row(row)
        for row in connection.execute(statement)
    }


def _sessions_without_summary(connection: Connection, student_ids: Sequence[int]) -> set[_Key]:
    """The sessions of the students without a summary, a running one above all: those of the session itself,
    those of the roster with bins in it and, once corrected, those of the corrections."""
    of_session = IdentityIntervalRow.session_id == SessionRow.id
    has_bins = exists().where(
        TimelineBinRow.session_id == SessionRow.id, TimelineBinRow.student_id == StudentRow.id
    )
    recorded = ~exists().where(of_session) & ((StudentRow.session_id == SessionRow.id) | has_bins)
    corrected = exists().where(of_session, IdentityIntervalRow.person_id == StudentRow.id)
    statement = (
        select(SessionRow.id, StudentRow.id)
        .join(StudentRow, StudentRow.class_group_id == SessionRow.class_group_id)
        .where(StudentRow.id.in_(student_ids), recorded | corrected)
        .where(~exists().where(SessionSummaryRow.session_id == SessionRow.id))
    )
    return {(row[0], row[1]) for row in connection.execute(statement)}


def _load_sessions(connection: Connection, session_ids: Sequence[int]) -> dict[int, SessionRecord]:
    statement = select_sessions().where(SessionRow.id.in_(session_ids))
    return {row.id: session_from_row(row) for row in connection.execute(statement)}


def _load_flags(
    connection: Connection, student_ids: Sequence[int], identity_maps: Mapping[int, IdentityMap]
) -> dict[_Key, tuple[FlagRecord, ...]]:
    """The flags of the students. Of corrected sessions all reviewed flags are read, because a review may
    have moved to another person."""
    reviewed = (FlagRow.review != "open") | FlagRow.reviewed_at.is_not(None)
    may_have_moved = FlagRow.session_id.in_(list(identity_maps)) & reviewed
    condition = FlagRow.student_id.in_(student_ids) | may_have_moved
    stored: dict[int, list[FlagRecord]] = defaultdict(list)
    for row in connection.execute(FLAGS.select().where(condition).order_by(FlagRow.kind)):
        stored[row.session_id].append(FLAGS.from_row(row))
    corrections = load_corrections(connection, identity_maps)
    assigned: dict[_Key, tuple[FlagRecord, ...]] = defaultdict(tuple)
    for session_id, flags in stored.items():
        for flag in assign_reviews(
            flags, identity_maps.get(session_id, IdentityMap()), corrections[session_id]
        ):
            assigned[session_id, flag.student_id] += (flag,)
    return assigned


def _unknown_pseudonym(engine: Engine, pseudonym: str, class_name: str | None) -> NotFound:
    scope = "" if class_name is None else f" in class {class_name!r}"
    nearest = closest_pseudonyms(engine, pseudonym, class_name)
    hint = "" if nearest else f"No student is recorded{scope} yet."
    return unknown_key("student", pseudonym, nearest, hint, scope)


def class_history(
    engine: Engine, class_name: str, since: datetime | None = None, until: datetime | None = None
) -> ClassHistory:
    """Every session of a class that started at ``since`` or later and before ``until`` (aware times); empty
    for an unknown class."""
    sessions = list_sessions(engine, class_name, since=since, until=until)
    return _load_class_history(engine, sorted(sessions, key=lambda session: (session.started_at, session.id)))


def list_class_sessions(engine: Engine, class_name: str) -> list[ClassSession]:
    """Every session of a class, the oldest first, without its students and flags."""
    sessions = sorted(list_sessions(engine, class_name), key=lambda session: (session.started_at, session.id))
    with engine.connect() as connection:
        summaries = load_session_summaries(connection, [session.id for session in sessions])
    return [ClassSession(session, summaries.get(session.id)) for session in sessions]


def history_of_sessions(engine: Engine, session_ids: Iterable[int]) -> ClassHistory:
    """Those sessions, in the order given. Raises ``NotFound`` for an unknown id."""
    return _load_class_history(engine, [get_session(engine, session_id) for session_id in session_ids])


def _load_class_history(engine: Engine, sessions: Sequence[SessionRecord]) -> ClassHistory:
    ids = [session.id for session in sessions]
    with engine.connect() as connection:
        summaries = load_session_summaries(connection, ids)
        student_summaries = _summaries_by_session(connection, ids)
        flags = flags_by_session(connection, ids)
        students = _students_of_sessions(connection, ids)
    class_sessions = tuple(
        ClassSession(
            session,
            summaries.get(session.id),
            tuple(student_summaries[session.id]),
            tuple(flags.get(session.id, ())),
        )
        for session in sessions
    )
    return ClassHistory(class_sessions, students)


def _summaries_by_session(
    connection: Connection, session_ids: Sequence[int]
) -> dict[int, list[StudentSummary]]:
    statement = select_student_summaries().where(StudentSummaryRow.session_id.in_(session_ids))
    summaries: dict[int, list[StudentSummary]] = defaultdict(list)
    for row in connection.execute(
        statement.order_by(StudentSummaryRow.session_id, StudentSummaryRow.student_id)
    ):
        summaries[row.session_id].append(STUDENT_SUMMARIES.from_row(row))
    return summaries


def _students_of_sessions(connection: Connection, session_ids: Sequence[int]) -> dict[int, StudentRecord]:
    # A subquery: the ids of a thousand sessions exceed the parameters of a statement.
    summarised = select(StudentSummaryRow.student_id).where(StudentSummaryRow.session_id.in_(session_ids))
    statement = select_students().where(StudentRow.id.in_(summarised))
    return {row.id: StudentRecord(**row._mapping) for row in connection.execute(statement)}


SHARE_COLUMN_PREFIXES: Mapping[str, str] = MappingProxyType({"sadness": "sad", "attention": "away"})
"""The column prefix in ``student_summaries`` for each ``FlagRecord.kind`` whose share is stored there."""


MAX_BASELINE_SESSIONS = 30
"""The number of earlier sessions of the class in a baseline, about a term of two a week: behaviour of longer
ago is not representative any more. Heuristic, not tuned on data."""


def load_earlier_shares(
    engine: Engine, session_id: int, max_sessions: int = MAX_BASELINE_SESSIONS
) -> list[EarlierShare]:
    """The shares of each roster student of this session in the ``max_sessions`` sessions of the class that
    started before it, the oldest session first. Students known by the seat in one session alone have none.

    Sessions with insufficient data and sessions without a summary are left out. Raises ``NotFound`` for an
    unknown session.
    """
    session = get_session(engine, session_id)
    roster_ids = [student.id for student in list_students(engine, session_id) if student.session_id is None]
    if not roster_ids:
        return []
    with engine.connect() as connection:
        rows = connection.execute(_select_earlier(roster_ids, session, max_sessions)).all()
        raised = flags_by_session(connection, sorted({row.session_id for row in rows}))
    reviews = {(f.session_id, f.student_id, f.kind): f.review for flags in raised.values() for f in flags}
    return [
        EarlierShare(
            row.student_id,
            row.session_id,
            row.started_at,
            row.kind,
            estimate,
            row.outcome,
            reviews.get((row.session_id, row.student_id, row.kind), "open"),
        )
        for row, estimate in ((row, _share_estimate(row)) for row in rows)
        if estimate is not None
    ]


def _select_earlier(student_ids: list[int], session: SessionRecord, max_sessions: int) -> Select[Any]:
    summary = StudentSummaryRow
    before = (
        select(SessionRow.id, SessionRow.started_at)
        .join(ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id)
        .where(ClassGroupRow.name == session.class_name, SessionRow.started_at < session.started_at)
        .order_by(SessionRow.started_at.desc())
        .limit(max_sessions)
        .subquery()
    )
    of_flag = (FlagRow.session_id == summary.session_id) & (FlagRow.student_id == summary.student_id)
    return (
        select(
            summary.student_id,
            summary.session_id,
            before.c.started_at,
            FlagRow.kind,
            FlagRow.outcome,
            *_share_columns(),
        )
        .join(before, before.c.id == summary.session_id)
        .join(FlagRow, of_flag & FlagRow.kind.in_(SHARE_COLUMN_PREFIXES))
        .where(summary.student_id.in_(student_ids))
        .order_by(before.c.started_at, summary.session_id, summary.student_id, FlagRow.kind)
    )


def _share_columns() -> list[ColumnElement[Any]]:
    """Share, low and high from the columns of the flag's kind."""
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
    """The students of one session, those with a raised flag, and those of them with an unreviewed one; after
    corrections."""

    students: int = 0
    flagged: int = 0
    unreviewed: int = 0


def session_counts(engine: Engine) -> dict[int, SessionCounts]:
    """The counts of every session with students, by session id."""
    same_seat = and_(
        IdentityIntervalRow.session_id == SeatRow.session_id,
        IdentityIntervalRow.student_id == SeatRow.student_id,
    )
    person = func.coalesce(IdentityIntervalRow.person_id, SeatRow.student_id)
    seated = (
        select(SeatRow.session_id, func.count(person.distinct()))
        .outerjoin(IdentityIntervalRow, same_seat)
        .group_by(SeatRow.session_id)
    )
    with engine.connect() as connection:
        students = {row[0]: row[1] for row in connection.execute(seated)}
        flagged = flags_by_session(connection)
    return {session_id: _count(count, flagged.get(session_id, ())) for session_id, count in students.items()}


def _count(students: int, flags: Sequence[FlagRecord]) -> SessionCounts:
    flagged = {flag.student_id for flag in flags}
    unreviewed = {flag.student_id for flag in flags if flag.review == "open"}
    return SessionCounts(students, len(flagged), len(unreviewed))
