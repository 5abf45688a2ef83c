"""One student over all sessions, summed by the database: six statements, however many sessions."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Engine, select
from sqlalchemy.engine import Connection

from db import mapping
from db.attribution import Attribution
from db.corrections import attributions, corrections_in
from db.errors import NotFound
from db.records import FlagRecord, SessionRecord, StudentRecord, StudentSession
from db.reviews import standing
from db.schema import AttributionRow, ClassGroupRow, FlagRow, SessionRow, StudentRow
from db.selects import rows, select_sessions, select_students
from db.sums import select_sums

CHOICES = 3  # how many near names or numbers an error line offers

_Key = tuple[int, int]


def student_history(engine: Engine, pseudonym: str, class_name: str | None = None) -> list[StudentSession]:
    """What each session holds of the people with that pseudonym, the oldest session first.

    "Student 3" of one session is not the same person as "Student 3" of another unless both rows name
    one ``student.id``. Raises ``NotFound`` with the nearest pseudonyms.
    """
    with engine.connect() as connection:
        people = _people(connection, pseudonym, class_name)
        own = {(who.session_id, who.id) for who in people.values() if who.session_id is not None}
        corrected = _attributions(connection, list(people), sorted({session_id for session_id, _ in own}))
        sums = _sums(connection, list(people))
        keys = set(sums) | {key for key in own if key[0] not in corrected} | _present(corrected, people)
        lectures = _sessions(connection, sorted({session_id for session_id, _ in keys}))
        verdicts = _flags(connection, list(people), corrected)
    if not people:
        raise NotFound(_unknown(engine, pseudonym, class_name))
    kept = (key for key in keys if key[0] in lectures)
    ordered = sorted(kept, key=lambda key: (lectures[key[0]].started_at, key))
    return [_summary(lectures[key[0]], people[key[1]], sums.get(key), verdicts[key]) for key in ordered]


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


def _people(connection: Connection, pseudonym: str, class_name: str | None) -> dict[int, StudentRecord]:
    statement = select_students().where(StudentRow.pseudonym == pseudonym)
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    return {row.id: mapping.student_record(row) for row in connection.execute(statement)}


def _attributions(
    connection: Connection, student_ids: Sequence[int], session_ids: Sequence[int]
) -> dict[int, Attribution]:
    """Who is who in the corrected ones of these sessions, and wherever a correction made somebody one of
    these students."""
    named = select(AttributionRow.session_id).where(AttributionRow.person_id.in_(student_ids))
    of = AttributionRow.session_id.in_(session_ids) | AttributionRow.session_id.in_(named)
    return attributions(connection, of)


def _present(corrected: Mapping[int, Attribution], people: Mapping[int, StudentRecord]) -> set[_Key]:
    return {(session_id, one) for session_id, who in corrected.items() for one in who.people.keys() & people}


def _sums(connection: Connection, student_ids: Sequence[int]) -> dict[_Key, mapping.AnyRow]:
    found = connection.execute(select_sums(), {"people": student_ids})
    return {(row.session_id, row.person_id): row for row in found}


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
    for row in connection.execute(select(*FlagRow.__table__.columns).where(of).order_by(FlagRow.kind)):
        stored[row.session_id].append(mapping.flag_record(row))
    corrections = corrections_in(connection, corrected)
    found: dict[_Key, tuple[FlagRecord, ...]] = defaultdict(tuple)
    for session_id, flags in stored.items():
        for flag in standing(flags, corrected.get(session_id, Attribution()), corrections[session_id]):
            found[session_id, flag.student_id] += (flag,)
    return found


def _summary(
    session: SessionRecord,
    student: StudentRecord,
    sums: mapping.AnyRow | None,
    flags: tuple[FlagRecord, ...],
) -> StudentSession:
    if sums is None:
        return StudentSession(session, student, 0.0, 0.0, 0, None, flags)
    return StudentSession(
        session=session,
        student=student,
        watched_s=sums.watched_s,
        seen_s=sums.seen_s,
        usable_samples=int(sums.usable_samples),
        probabilities=mapping.probabilities(sums),
        flags=flags,
    )


def _unknown(engine: Engine, pseudonym: str, class_name: str | None) -> str:
    where = "" if class_name is None else f" in class {class_name!r}"
    near = nearest_pseudonyms(engine, pseudonym, class_name)
    choices = f"the nearest are {', '.join(near)}" if near else "nobody is recorded there yet"
    return f"there is no student {pseudonym!r}{where}; {choices}"
