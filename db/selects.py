"""The two joins that most reads start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, select

from db.mapping import AnyRow
from db.schema import ClassGroupRow, SessionRow, StudentRow


def rows(engine: Engine, statement: Select[Any]) -> Sequence[AnyRow]:
    """All rows of one statement, in a transaction of its own."""
    with engine.connect() as connection:
        return connection.execute(statement).all()


def select_sessions() -> Select[Any]:
    """Sessions with their class's name, as ``mapping.session_record`` takes them."""
    return select(*SessionRow.__table__.columns, ClassGroupRow.name.label("class_name")).join(
        ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id
    )


def select_students() -> Select[Any]:
    """Students with their class's name, as ``mapping.student_record`` takes them."""
    return select(*StudentRow.__table__.columns, ClassGroupRow.name.label("class_name")).join(
        ClassGroupRow, ClassGroupRow.id == StudentRow.class_group_id
    )
