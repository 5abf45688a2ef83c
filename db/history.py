"""One student over all sessions, summed by the database: four statements, however many sessions."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, func, select
from sqlalchemy.engine import Connection

from db import mapping
from db.errors import NotFound
from db.records import FlagRecord, SessionRecord, StudentRecord, StudentSession
from db.schema import PROBABILITIES, BinRow, ClassGroupRow, FlagRow, SessionRow, StudentRow
from db.selects import rows, select_sessions, select_students

CHOICES = 3  # how many near names or numbers an error line offers

_Key = tuple[int, int]


def student_history(engine: Engine, pseudonym: str, class_name: str | None = None) -> list[StudentSession]:
    """What each session holds of the people with that pseudonym, the oldest session first.

    "Student 3" of one session is not the same person as "Student 3" of another unless both rows name
    one ``student.id``. Raises ``NotFound`` with the nearest pseudonyms.
    """
    with engine.connect() as connection:
        people = _people(connection, pseudonym, class_name)
        sums = _sums(connection, list(people))
        keys = set(sums) | {(who.session_id, who.id) for who in people.values() if who.session_id is not None}
        lectures = _sessions(connection, sorted({session_id for session_id, _ in keys}))
        verdicts = _flags(connection, list(people))
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
    known = {row.pseudonym.casefold(): row.pseudonym for row in rows(engine, statement)}
    near = difflib.get_close_matches(pseudonym.casefold(), known, n=limit, cutoff=0.0)
    return tuple(known[name] for name in near)


def _people(connection: Connection, pseudonym: str, class_name: str | None) -> dict[int, StudentRecord]:
    statement = select_students().where(StudentRow.pseudonym == pseudonym)
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    return {row.id: mapping.student_record(row) for row in connection.execute(statement)}


def _select_sums() -> Select[Any]:
    weight = func.sum(BinRow.usable_samples)
    means = [
        # NULL where no sample was usable: nullif keeps PostgreSQL from dividing by zero.
        (func.sum(getattr(BinRow, name) * BinRow.usable_samples) / func.nullif(weight, 0)).label(name)
        for name in PROBABILITIES
    ]
    columns: list[Any] = [
        BinRow.session_id,
        BinRow.student_id,
        func.sum(BinRow.watched_s).label("watched_s"),
        func.sum(BinRow.seen_s).label("seen_s"),
        weight.label("usable_samples"),
        *means,
    ]
    return select(*columns).group_by(BinRow.session_id, BinRow.student_id)


def _sums(connection: Connection, student_ids: Sequence[int]) -> dict[_Key, mapping.AnyRow]:
    statement = _select_sums().where(BinRow.student_id.in_(student_ids))
    return {(row.session_id, row.student_id): row for row in connection.execute(statement)}


def _sessions(connection: Connection, session_ids: Sequence[int]) -> dict[int, SessionRecord]:
    statement = select_sessions().where(SessionRow.id.in_(session_ids))
    return {row.id: mapping.session_record(row) for row in connection.execute(statement)}


def _flags(connection: Connection, student_ids: Sequence[int]) -> dict[_Key, tuple[FlagRecord, ...]]:
    statement = select(*FlagRow.__table__.columns).where(FlagRow.student_id.in_(student_ids))
    found: dict[_Key, tuple[FlagRecord, ...]] = defaultdict(tuple)
    for row in connection.execute(statement.order_by(FlagRow.kind)):
        found[row.session_id, row.student_id] += (mapping.flag_record(row),)
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
