"""The roster: students of a class with seat, consent and name; and the known classes and rooms.

The only module that reads or writes names; no query joins them to a timeline. Everything else shows
pseudonyms. A caller that reads names writes an audit entry (``UnitOfWork.add_audit_entry``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, delete, exists, select, update

from db.errors import unknown_key
from db.records import RosterEntry
from db.schema import ClassGroupRow, RosterEntryRow, SessionRow, StudentNameRow, StudentRow
from db.sql import closest_matches, fetch_all, upsert
from db.unit_of_work import UnitOfWork


def list_roster(engine: Engine, class_name: str | None = None) -> list[RosterEntry]:
    """The roster of one class, or of all, by class and pseudonym."""
    statement = _select_entries().order_by(ClassGroupRow.name, StudentRow.pseudonym)
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    return [RosterEntry(**row._mapping) for row in fetch_all(engine, statement)]


def save_roster_entry(
    unit: UnitOfWork, class_name: str, pseudonym: str, seat: str | None, consent: bool, at: datetime
) -> int:
    """Store a student of the roster in place of an earlier entry; returns the student's id. ``at`` is aware
    UTC."""
    class_id = unit.get_or_create_class(class_name)
    on_roster = StudentRow.session_id.is_(None)
    student = {"class_group_id": class_id, "session_id": None, "pseudonym": pseudonym}
    upsert(unit.connection, StudentRow, [student], ("class_group_id", "pseudonym"), where=on_roster)
    stored = select(StudentRow.id).where(
        on_roster, StudentRow.class_group_id == class_id, StudentRow.pseudonym == pseudonym
    )
    student_id = unit.connection.scalars(stored).one()
    entry = {"student_id": student_id, "seat_label": seat, "consent": consent, "changed_at": at}
    upsert(unit.connection, RosterEntryRow, [entry], ("student_id",))
    return student_id


def set_consent(unit: UnitOfWork, student_id: int, consent: bool, at: datetime) -> None:
    """Store whether a student of the roster consents to being recorded; the seat does not change. ``at`` is
    aware UTC. Raises ``Conflict`` for an unknown student."""
    entry = {"student_id": student_id, "seat_label": None, "consent": consent, "changed_at": at}
    upsert(unit.connection, RosterEntryRow, [entry], ("student_id",), keep=("seat_label",))


def assign_seats(unit: UnitOfWork, seats: Mapping[int, str | None], at: datetime) -> None:
    """Store the seat labels of roster students, by student id; consent does not change. Students without a
    roster entry are ignored."""
    for student_id, seat in seats.items():
        entry = update(RosterEntryRow).where(RosterEntryRow.student_id == student_id)
        unit.connection.execute(entry.values(seat_label=seat, changed_at=at))


def _select_entries() -> Select[Any]:
    # A student that a correction put on the roster has no entry yet: consent was never asked for.
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
    """The stored names of those students, by id."""
    statement = select(*StudentNameRow.__table__.columns).where(StudentNameRow.student_id.in_(student_ids))
    return {row.student_id: row.name for row in fetch_all(engine, statement)}


def has_stored_name() -> ColumnElement[bool]:
    """Condition of a query over students: a name is stored. It does not reveal the name."""
    return exists().where(StudentNameRow.student_id == StudentRow.id)


def save_student_names(unit: UnitOfWork, names: Mapping[int, str | None]) -> None:
    """Store names by student id; None deletes the stored name."""
    deleted = [student_id for student_id, name in names.items() if name is None]
    unit.connection.execute(delete(StudentNameRow).where(StudentNameRow.student_id.in_(deleted)))
    rows = [
        {"student_id": student_id, "name": name} for student_id, name in names.items() if name is not None
    ]
    upsert(unit.connection, StudentNameRow, rows, ("student_id",))


@dataclass(frozen=True)
class ClassGroup:
    """A class. ``id`` is used in web addresses, because the name may contain any character."""

    id: int
    name: str


def list_classes(engine: Engine) -> list[ClassGroup]:
    """Every known class, by name."""
    statement = select(*ClassGroupRow.__table__.columns).order_by(ClassGroupRow.name)
    return [ClassGroup(**row._mapping) for row in fetch_all(engine, statement)]


def list_rooms(engine: Engine, class_names: Sequence[str]) -> list[str]:
    """The rooms of the sessions of those classes, by name."""
    statement = (
        select(SessionRow.room)
        .join(ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id)
        .where(SessionRow.room.is_not(None), ClassGroupRow.name.in_(class_names))
    )
    return [row.room for row in fetch_all(engine, statement.distinct().order_by(SessionRow.room))]


def require_known_class(engine: Engine, name: str) -> str:
    """The name, if a class has it. Raises ``NotFound`` with the closest names."""
    return _require_known("class", name, [group.name for group in list_classes(engine)])


def require_known_room(engine: Engine, name: str) -> str:
    """The name, if a session took place in that room. Raises ``NotFound`` with the closest names."""
    statement = (
        select(SessionRow.room).where(SessionRow.room.is_not(None)).distinct().order_by(SessionRow.room)
    )
    return _require_known("room", name, [row.room for row in fetch_all(engine, statement)])


def _require_known(kind: str, name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    raise unknown_key(kind, name, closest_matches(name, known), "" if known else f"No {kind} is stored yet.")
