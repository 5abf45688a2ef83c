"""Classes and rooms as they are called, and the nearest names for one that there is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from db.errors import NotFound
from db.history import nearest
from db.schema import ClassGroupRow, SessionRow
from db.selects import rows


@dataclass(frozen=True)
class ClassGroup:
    """A class with the number that addresses have: a name may hold anything."""

    id: int
    name: str


def class_groups(engine: Engine) -> list[ClassGroup]:
    """Every class that is known, by name."""
    statement = select(*ClassGroupRow.__table__.columns).order_by(ClassGroupRow.name)
    return [ClassGroup(row.id, row.name) for row in rows(engine, statement)]


def room_names(engine: Engine, class_names: Sequence[str]) -> list[str]:
    """The rooms that sessions of those classes were in, by name."""
    statement = (
        select(SessionRow.room)
        .join(ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id)
        .where(SessionRow.room.is_not(None), ClassGroupRow.name.in_(class_names))
    )
    return [row.room for row in rows(engine, statement.distinct().order_by(SessionRow.room))]


def require_class(engine: Engine, name: str) -> str:
    """The name, if a class has it; otherwise raises ``NotFound`` with the nearest ones."""
    return _known("class", name, [one.name for one in class_groups(engine)])


def require_room(engine: Engine, name: str) -> str:
    """The name, if a session was in a room of it; otherwise raises ``NotFound`` with the nearest ones."""
    statement = (
        select(SessionRow.room).where(SessionRow.room.is_not(None)).distinct().order_by(SessionRow.room)
    )
    return _known("room", name, [row.room for row in rows(engine, statement)])


def _known(what: str, name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    near = nearest(name, known)
    choices = f"the nearest are {', '.join(near)}" if near else "none is recorded yet"
    raise NotFound(f"there is no {what} {name!r}; {choices}")
