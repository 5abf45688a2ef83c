"""When nothing could be seen in a session, and why: time that was not watched, nobody's absence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.engine import Connection

from db.mapping import AnyRow
from db.records import GapRecord
from db.schema import GapRow
from db.upsert import upsert


def save(connection: Connection, session_id: int, gaps: Sequence[GapRecord]) -> None:
    """Store gaps; one of the same ``start_s`` replaces the earlier one, which it has outgrown."""
    values = [{"session_id": session_id} | vars(gap) for gap in gaps]
    upsert(connection, GapRow, values, ("session_id", "start_s"))


def select_gaps(session_id: int) -> Select[Any]:
    """A session's gaps by time, as ``gap_record`` takes them."""
    columns: Select[Any] = select(*(getattr(GapRow, field.name) for field in fields(GapRecord)))
    return columns.where(GapRow.session_id == session_id).order_by(GapRow.start_s)


def gap_record(row: AnyRow) -> GapRecord:
    """A row of ``select_gaps``."""
    values: tuple[Any, ...] = tuple(row)
    return GapRecord(*values)
