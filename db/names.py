"""The names of students: the only module that reads or writes them, and joined to no timeline.

Everything else prints pseudonyms. Who asks for names is to say so in the audit (``Unit.audit``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Engine, delete, exists, select

from db.schema import NameRow, StudentRow
from db.selects import rows
from db.unit import Unit
from db.upsert import upsert


def names(engine: Engine, student_ids: Collection[int]) -> dict[int, str]:
    """The names of those students who have one stored."""
    statement = select(*NameRow.__table__.columns).where(NameRow.student_id.in_(student_ids))
    return {row.student_id: row.name for row in rows(engine, statement)}


def is_named() -> ColumnElement[bool]:
    """Of a query over students: whether a name of theirs is stored. It does not say which."""
    return exists().where(NameRow.student_id == StudentRow.id)


def save_names(unit: Unit, named: Mapping[int, str | None]) -> None:
    """Store names by student; None forgets the one that was stored."""
    forgotten = [student_id for student_id, name in named.items() if name is None]
    unit.connection.execute(delete(NameRow).where(NameRow.student_id.in_(forgotten)))
    kept = [
        {"student_id": student_id, "name": name} for student_id, name in named.items() if name is not None
    ]
    upsert(unit.connection, NameRow, kept, ("student_id",))
