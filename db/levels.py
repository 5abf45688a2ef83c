"""What somebody showed in earlier sessions: their own usual level is told from it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, case, select

from db.flagged import flagged_in
from db.mapping import AnyRow
from db.queries import session, students
from db.records import EarlierLevel, Level, SessionRecord
from db.schema import ClassGroupRow, FlagRow, SessionRow, StudentSummaryRow

KINDS: Mapping[str, str] = MappingProxyType({"sad_share": "sad", "attention": "away"})
"""The verdicts (``FlagRecord.kind``) whose shares ``student_summaries`` has, and what their columns begin
with."""


LAST = 30
"""Sessions of the class that are looked back on, about a term of two a week. What somebody was like before is
not usual any more. Not tuned."""


def earlier_levels(engine: Engine, session_id: int, last: int = LAST) -> list[EarlierLevel]:
    """The levels in the ``last`` sessions of the class that started before this one, of each person of the
    roster who is in this one; the oldest session first. Whoever is known by the seat in one session only has
    none.

    Sessions in which there was not enough to tell have no level, and those that were not summed up yet
    nothing at all. Raises ``NotFound`` for an unknown session.
    """
    here = session(engine, session_id)
    known = [one.id for one in students(engine, session_id) if one.session_id is None]
    if not known:
        return []
    with engine.connect() as connection:
        found = connection.execute(_select_earlier(known, here, last)).all()
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


def _select_earlier(people: list[int], here: SessionRecord, last: int) -> Select[Any]:
    one = StudentSummaryRow
    before = (
        select(SessionRow.id, SessionRow.started_at)
        .join(ClassGroupRow, ClassGroupRow.id == SessionRow.class_group_id)
        .where(ClassGroupRow.name == here.class_name, SessionRow.started_at < here.started_at)
        .order_by(SessionRow.started_at.desc())
        .limit(last)
        .subquery()
    )
    of_flag = (FlagRow.session_id == one.session_id) & (FlagRow.student_id == one.student_id)
    return (
        select(one.student_id, one.session_id, before.c.started_at, FlagRow.kind, FlagRow.outcome, *_shares())
        .join(before, before.c.id == one.session_id)
        .join(FlagRow, of_flag & FlagRow.kind.in_(KINDS))
        .where(one.student_id.in_(people))
        .order_by(before.c.started_at, one.session_id, one.student_id, FlagRow.kind)
    )


def _shares() -> list[ColumnElement[Any]]:
    """Of each kind its own three columns."""
    return [
        case(
            {kind: getattr(StudentSummaryRow, f"{name}_{part}") for kind, name in KINDS.items()},
            value=FlagRow.kind,
        ).label(part)
        for part in ("share", "low", "high")
    ]


def _level(row: AnyRow) -> Level | None:
    return None if row.share is None else Level(row.share, row.low, row.high)
