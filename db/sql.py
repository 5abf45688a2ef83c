"""Parts of SQL statements that several modules use: joins, upserts and close matches."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from db.mapping import AnyRow
from db.records import MAX_SUGGESTIONS
from db.schema import Base, ClassGroupRow, SessionRow, StudentRow

_SESSION_COLUMNS = tuple(column for column in SessionRow.__table__.columns if column.name != "class_group_id")


def fetch_all(engine: Engine, statement: Select[Any]) -> Sequence[AnyRow]:
    """All rows of one statement, in a transaction of its own."""
    with engine.connect() as connection:
        return connection.execute(statement).all()


def select_sessions() -> Select[Any]:
    """Sessions with ``class_name``, for ``db.mapping.session_from_row``."""
    return select(*_SESSION_COLUMNS, ClassGroupRow.name.label("class_name")).join(
        ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id
    )


def select_students() -> Select[Any]:
    """Students as ``StudentRecord(**row._mapping)`` takes them."""
    columns: list[Any] = [
        StudentRow.id,
        StudentRow.pseudonym,
        ClassGroupRow.name.label("class_name"),
        StudentRow.session_id,
    ]
    return select(*columns).join(ClassGroupRow, ClassGroupRow.id == StudentRow.class_group_id)


INSERT_BY_DIALECT: Mapping[str, Any] = MappingProxyType(
    {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
)
"""``INSERT ... ON CONFLICT`` is the same on both databases, but not part of SQLAlchemy's common language."""


def upsert(
    connection: Connection,
    table: type[Base],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    *,
    keep: Sequence[str] = (),
    where: ColumnElement[bool] | None = None,
) -> None:
    """Insert rows; if the columns ``key`` exist already, replace the others except ``keep``.

    ``where`` is the condition of the partial unique index over ``key``. All rows have the same columns.
    Without rows nothing is executed.
    """
    if not rows:
        return
    insert = INSERT_BY_DIALECT[connection.dialect.name](table)
    replaced = {name: insert.excluded[name] for name in rows[0] if name not in key and name not in keep}
    if replaced:
        statement = insert.on_conflict_do_update(index_elements=list(key), index_where=where, set_=replaced)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=list(key), index_where=where)
    connection.execute(statement, list(rows))


def closest_matches(name: str, known: Iterable[str], limit: int = MAX_SUGGESTIONS) -> tuple[str, ...]:
    """The ``known`` names most similar to ``name``, best first."""
    by_folded_name = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), by_folded_name, n=limit, cutoff=0.0)
    return tuple(by_folded_name[match] for match in matches)


def closest_pseudonyms(
    engine: Engine, pseudonym: str, class_name: str | None = None, limit: int = MAX_SUGGESTIONS
) -> tuple[str, ...]:
    """The stored pseudonyms most similar to ``pseudonym``, best first. All of them are candidates, so the
    result is empty only if no student is stored."""
    statement = select(StudentRow.pseudonym).distinct().order_by(StudentRow.pseudonym)
    if class_name is not None:
        statement = statement.join(ClassGroupRow, ClassGroupRow.id == StudentRow.class_group_id)
        statement = statement.where(ClassGroupRow.name == class_name)
    return closest_matches(pseudonym, (row.pseudonym for row in fetch_all(engine, statement)), limit)
