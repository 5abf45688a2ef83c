"""The roster: who belongs to a class, where they sit and whether they may be watched.

The names of students: the only module that reads or writes them, and joined to no timeline.

Everything else prints pseudonyms. Who asks for names is to say so in the audit (``UnitOfWork.audit``).

Classes and rooms as they are called, and the nearest names for one that there is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, delete, exists, select, update

from db.errors import NotFound
from db.records import RosterEntry
from db.schema import ClassGroupRow, RosterEntryRow, SessionRow, StudentNameRow, StudentRow
from db.sql import closest_matches, fetch_all, upsert
from db.unit_of_work import UnitOfWork


def list_roster(engine: Engine, class_name: str | None = None) -> list[RosterEntry]:
    """The students of the roster, by class and pseudonym; of one class if it is named."""
    statement = _select_entries().order_by(ClassGroupRow.name, StudentRow.pseudonym)
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    return [RosterEntry(**row._mapping) for row in fetch_all(engine, statement)]


def save_roster_entry(
    unit: UnitOfWork, class_name: str, pseudonym: str, seat: str | None, consent: bool, at: datetime
) -> int:
    """Store a student of the roster, or replace what was stored of them; returns the student's number.
    ``at`` is aware UTC."""
    group = unit.get_or_create_class(class_name)
    of_roster = StudentRow.session_id.is_(None)
    person = {"class_group_id": group, "session_id": None, "pseudonym": pseudonym}
    upsert(unit.connection, StudentRow, [person], ("class_group_id", "pseudonym"), where=of_roster)
    known = select(StudentRow.id).where(
        of_roster, StudentRow.class_group_id == group, StudentRow.pseudonym == pseudonym
    )
    student_id = unit.connection.scalars(known).one()
    entry = {"student_id": student_id, "seat_label": seat, "consent": consent, "changed_at": at}
    upsert(unit.connection, RosterEntryRow, [entry], ("student_id",))
    return student_id


def set_consent(unit: UnitOfWork, student_id: int, consent: bool, at: datetime) -> None:
    """Store that a student of the roster may be watched, or may not; the seat stays. ``at`` is aware UTC.
    Raises ``Conflict`` where there is no such student."""
    entry = {"student_id": student_id, "seat_label": None, "consent": consent, "changed_at": at}
    upsert(unit.connection, RosterEntryRow, [entry], ("student_id",), keep=("seat_label",))


def assign_seats(unit: UnitOfWork, seats: Mapping[int, str | None], at: datetime) -> None:
    """Store who of the roster sits where, by student; consent stays, and who was never asked is left out."""
    for student_id, seat in seats.items():
        entry = update(RosterEntryRow).where(RosterEntryRow.student_id == student_id)
        unit.connection.execute(entry.values(seat_label=seat, changed_at=at))


def _select_entries() -> Select[Any]:
    # Somebody whom a correction put on the roster has no entry: nobody has been asked.
    columns: list[Any] = [
        StudentRow.id.label("student_id"),
        ClassGroupRow.name.label("class_name"),
        StudentRow.pseudonym,
        RosterEntryRow.seat_label,
        RosterEntryRow.consent,
        RosterEntryRow.changed_at,
    ]
    return (
        select(*columns)
        .join(ClassGroupRow, ClassGroupRow.id == StudentRow.class_group_id)
        .join(RosterEntryRow, StudentRow.id == RosterEntryRow.student_id, isouter=True)
        .where(StudentRow.session_id.is_(None))
    )


def load_student_names(engine: Engine, student_ids: Collection[int]) -> dict[int, str]:
    """The names of those students who have one stored."""
    statement = select(*StudentNameRow.__table__.columns).where(StudentNameRow.student_id.in_(student_ids))
    return {row.student_id: row.name for row in fetch_all(engine, statement)}


def has_stored_name() -> ColumnElement[bool]:
    """Of a query over students: whether a name of theirs is stored. It does not say which."""
    return exists().where(StudentNameRow.student_id == StudentRow.id)


def save_student_names(unit: UnitOfWork, names: Mapping[int, str | None]) -> None:
    """Store names by student; None forgets the one that was stored."""
    forgotten = [student_id for student_id, name in names.items() if name is None]
    unit.connection.execute(delete(StudentNameRow).where(StudentNameRow.student_id.in_(forgotten)))
    kept = [
        {"student_id": student_id, "name": name} for student_id, name in names.items() if name is not None
    ]
    upsert(unit.connection, StudentNameRow, kept, ("student_id",))


@dataclass(frozen=True)
class ClassGroup:
    """A class with the number that addresses have: a name may hold anything."""

    id: int
    name: str


def list_classes(engine: Engine) -> list[ClassGroup]:
    """Every class that is known, by name."""
    statement = select(*ClassGroupRow.__table__.columns).order_by(ClassGroupRow.name)
    return [ClassGroup(row.id, row.name) for row in fetch_all(engine, statement)]


def list_rooms(engine: Engine, class_names: Sequence[str]) -> list[str]:
    """The rooms that sessions of those classes were in, by name."""
    statement = (
        select(SessionRow.room)
        .join(ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id)
        .where(SessionRow.room.is_not(None), ClassGroupRow.name.in_(class_names))
    )
    return [row.room for row in fetch_all(engine, statement.distinct().order_by(SessionRow.room))]


def require_known_class(engine: Engine, name: str) -> str:
    """The name, if a class has it; otherwise raises ``NotFound`` with the nearest ones."""
    return _require_known("class", name, [one.name for one in list_classes(engine)])


def require_known_room(engine: Engine, name: str) -> str:
    """The name, if a session was in a room of it; otherwise raises ``NotFound`` with the nearest ones."""
    statement = (
        select(SessionRow.room).where(SessionRow.room.is_not(None)).distinct().order_by(SessionRow.room)
    )
    return _require_known("room", name, [row.room for row in fetch_all(engine, statement)])


def _require_known(what: str, name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    near = closest_matches(name, known)
    choices = f"the nearest are {', '.join(near)}" if near else "none is recorded yet"
    raise NotFound(f"there is no {what} {name!r}; {choices}")
