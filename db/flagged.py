"""The flags of many sessions at once, of the people there are after the corrections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.orm import InstrumentedAttribute

from db.corrections import attributions, corrections_in
from db.records import FlagRecord
from db.reviews import standing
from db.schema import AttributionRow, FlagRow

FLAGGED = "flagged"

_COLUMNS = tuple(getattr(FlagRow, field.name) for field in fields(FlagRecord) if field.name != "numbers")


def flagged_in(
    connection: Connection, session_ids: Sequence[int] | None = None
) -> dict[int, list[FlagRecord]]:
    """The verdicts of outcome ``flagged`` with the reviews that stand (``db.reviews``), by session; of those
    sessions, or of all. Without their numbers, which take longer to read than the rest. Three statements, a
    fourth where there are corrections."""
    corrected = attributions(connection, _among(AttributionRow.session_id, session_ids))
    found = _stored(connection, _among(FlagRow.session_id, session_ids) & (FlagRow.outcome == FLAGGED))
    if not corrected:
        return found
    # Of a corrected session all are read: a review may have moved along to somebody's other verdict.
    every = _stored(connection, FlagRow.session_id.in_(list(corrected)))
    made = corrections_in(connection, corrected)
    for number, who in corrected.items():
        now = standing(every.get(number, []), who, made[number]) if who.people else []
        found[number] = [flag for flag in now if flag.outcome == FLAGGED]
    return {number: flags for number, flags in found.items() if flags}


def _among(column: InstrumentedAttribute[int], session_ids: Sequence[int] | None) -> ColumnElement[bool]:
    return true() if session_ids is None else column.in_(list(session_ids))


def _stored(connection: Connection, of: ColumnElement[bool]) -> dict[int, list[FlagRecord]]:
    statement = select(*_COLUMNS).where(of).order_by(FlagRow.student_id, FlagRow.kind)
    found: dict[int, list[FlagRecord]] = defaultdict(list)
    for row in connection.execute(statement):
        found[row.session_id].append(FlagRecord(**row._mapping, numbers={}))
    return found
