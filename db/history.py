"""One student over all sessions: seven statements, however many sessions."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Engine, exists, select
from sqlalchemy.engine import Connection

from db import mapping
from db.attribution import Attribution
from db.corrections import attributions, corrections_in
from db.errors import NotFound
from db.records import FlagRecord, SessionRecord, StudentRecord, StudentSession, StudentSummary
from db.reviews import standing
from db.schema import (
    AttributionRow,
    BinRow,
    ClassGroupRow,
    FlagRow,
    SessionRow,
    SessionSummaryRow,
    StudentRow,
    StudentSummaryRow,
)
from db.selects import rows, select_sessions, select_students
from db.summaries import select_student_summaries, student_summary

CHOICES = 3  # how many near names or numbers an error line offers

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


def nearest_pseudonyms(
    engine: Engine, pseudonym: str, class_name: str | None = None, limit: int = CHOICES
) -> tuple[str, ...]:
    """Stored pseudonyms spelt most like this one, the nearest first; all of them count as candidates,
    so that a list of some is offered even where nothing is alike. Empty if nobody is stored."""
    statement = select(StudentRow.pseudonym).distinct().order_by(StudentRow.pseudonym)
    if class_name is not None:
        statement = statement.join(ClassGroupRow, ClassGroupRow.id == StudentRow.class_group_id)
        statement = statement.where(ClassGroupRow.name == class_name)
    return nearest(pseudonym, (row.pseudonym for row in rows(engine, statement)), limit)


def nearest(pseudonym: str, known: Iterable[str], limit: int = CHOICES) -> tuple[str, ...]:
    """Of the ``known`` pseudonyms those spelt most like this one, the nearest first."""
    spelt = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(pseudonym.casefold(), spelt, n=limit, cutoff=0.0)
    return tuple(spelt[name] for name in near)


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
