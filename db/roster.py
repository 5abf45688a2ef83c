"""The roster: who belongs to a class, where they sit and whether they may be watched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, select, update

from db.records import RosterEntry
from db.schema import ClassGroupRow, RosterRow, StudentRow
from db.selects import rows
from db.unit import Unit
from db.upsert import upsert


def roster(engine: Engine, class_name: str | None = None) -> list[RosterEntry]:
    """The students of the roster, by class and pseudonym; of one class if it is named."""
    statement = _select_entries().order_by(ClassGroupRow.name, StudentRow.pseudonym)
    if class_name is not None:
        statement = statement.where(ClassGroupRow.name == class_name)
    return [RosterEntry(**row._mapping) for row in rows(engine, statement)]


def save_entry(
    unit: Unit, class_name: str, pseudonym: str, seat: str | None, consent: bool, at: datetime
) -> int:
    """Store a student of the roster, or replace what was stored of them; returns the student's number.
    ``at`` is aware UTC."""
    group = unit.class_group(class_name)
    of_roster = StudentRow.session_id.is_(None)
    person = {"class_group_id": group, "session_id": None, "pseudonym": pseudonym}
    upsert(unit.connection, StudentRow, [person], ("class_group_id", "pseudonym"), where=of_roster)
    known = select(StudentRow.id).where(
        of_roster, StudentRow.class_group_id == group, StudentRow.pseudonym == pseudonym
    )
    student_id = unit.connection.scalars(known).one()
    entry = {"student_id": student_id, "seat": seat, "consent": consent, "changed_at": at}
    upsert(unit.connection, RosterRow, [entry], ("student_id",))
    return student_id


def set_consent(unit: Unit, student_id: int, consent: bool, at: datetime) -> None:
    """Store that a student of the roster may be watched, or may not; the seat stays. ``at`` is aware UTC.
    Raises ``Conflict`` where there is no such student."""
    entry = {"student_id": student_id, "seat": None, "consent": consent, "changed_at": at}
    upsert(unit.connection, RosterRow, [entry], ("student_id",), keep=("seat",))


def set_seats(unit: Unit, seats: Mapping[int, str | None], at: datetime) -> None:
    """Store who of the roster sits where, by student; consent stays, and who was never asked is left out."""
    for student_id, seat in seats.items():
        entry = update(RosterRow).where(RosterRow.student_id == student_id)
        unit.connection.execute(entry.values(seat=seat, changed_at=at))


def _select_entries() -> Select[Any]:
    # Somebody whom a correction put on the roster has no entry: nobody has been asked.
    columns: list[Any] = [
        StudentRow.id.label("student_id"),
        ClassGroupRow.name.label("class_name"),
        StudentRow.pseudonym,
        RosterRow.seat,
        RosterRow.consent,
        RosterRow.changed_at,
    ]
    return (
        select(*columns)
        .join(ClassGroupRow, ClassGroupRow.id == StudentRow.class_group_id)
        .join(RosterRow, StudentRow.id == RosterRow.student_id, isouter=True)
        .where(StudentRow.session_id.is_(None))
    )
