"""What somebody showed in earlier sessions: their own usual level is told from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine, Select, select

from db.flagged import flagged_in
from db.mapping import AnyRow
from db.queries import session, students
from db.records import EarlierLevel, Level
from db.schema import FlagRow, SessionRow, StudentSummaryRow

KINDS: Mapping[str, str] = MappingProxyType({"sad_share": "sad", "attention": "away"})
"""The verdicts (``FlagRecord.kind``) whose shares ``student_summaries`` has, and what their columns begin
with."""


def earlier_levels(engine: Engine, session_id: int) -> list[EarlierLevel]:
    """The levels in every session that started before this one of each person of the roster who is in it, by
    session, the oldest first. Whoever is known by the seat in one session only has none.

    Sessions in which there was not enough to tell have no level, and those that were not summed up yet
    nothing at all. Raises ``NotFound`` for an unknown session.
    """
    here = session(engine, session_id)
    known = [one.id for one in students(engine, session_id) if one.session_id is None]
    if not known:
        return []
    with engine.connect() as connection:
        found = connection.execute(_select_earlier(known, session_id, here.started_at)).all()
        raised = flagged_in(connection, sorted({row.session_id for row in found}))
    reviews = {(f.session_id, f.student_id, f.kind): f.review for flags in raised.values() for f in flags}
    return [
        EarlierLevel(
            row.student_id,
            row.session_id,
            row.started_at,
            row.kind,
            level,
            row.outcome,
            reviews.get((row.session_id, row.student_id, row.kind), "open"),
        )
        for row, level in ((row, _level(row)) for row in found)
        if level is not None
    ]


def _select_earlier(people: list[int], session_id: int, before: datetime) -> Select[Any]:
    one = StudentSummaryRow
    shares = [getattr(one, f"{kind}_{part}") for kind in KINDS.values() for part in ("share", "low", "high")]
    of_flag = (FlagRow.session_id == one.session_id) & (FlagRow.student_id == one.student_id)
    return (
        select(one.student_id, one.session_id, SessionRow.started_at, FlagRow.kind, FlagRow.outcome, *shares)
        .join(SessionRow, SessionRow.id == one.session_id)
        .join(FlagRow, of_flag & FlagRow.kind.in_(KINDS))
        .where(one.student_id.in_(people), SessionRow.started_at < before, SessionRow.id != session_id)
        .order_by(SessionRow.started_at, one.session_id, one.student_id, FlagRow.kind)
    )


def _level(row: AnyRow) -> Level | None:
    kind = KINDS[row.kind]
    share, low, high = (row._mapping[f"{kind}_{part}"] for part in ("share", "low", "high"))
    return None if share is None else Level(share, low, high)
