"""Writing rows that may be there already; one statement on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from db.schema import Base

INSERTS: Mapping[str, Any] = MappingProxyType({"sqlite": sqlite.insert, "postgresql": postgresql.insert})
"""``INSERT ... ON CONFLICT`` is the same on both, but no part of SQLAlchemy's common language."""


def upsert(
    connection: Connection,
    table: type[Base],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    *,
    keep: Sequence[str] = (),
    where: ColumnElement[bool] | None = None,
) -> None:
    """Insert ``rows``; where the columns ``key`` are taken, replace the others but those in ``keep``.

    ``where`` is the condition of the partial unique index that ``key`` stands for. All rows have the
    same columns. An empty ``rows`` writes nothing.
    """
    if not rows:
        return
    insert = INSERTS[connection.dialect.name](table)
    replaced = {name: insert.excluded[name] for name in rows[0] if name not in key and name not in keep}
    if replaced:
        statement = insert.on_conflict_do_update(index_elements=list(key), index_where=where, set_=replaced)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=list(key), index_where=where)
    connection.execute(statement, list(rows))
