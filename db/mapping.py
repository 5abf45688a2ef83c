"""Records as rows and back: each field is stored in the column of the same name, a composite field in
several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from sqlalchemy import Row, Select, select

from db.errors import InvalidValue
from db.records import (
    AuditRecord,
    Correction,
    CorrectionKind,
    CorrectionRecord,
    FlagRecord,
    GapRecord,
    MarkerRecord,
    PlannedSeat,
    SeatRecord,
    SessionRecord,
    SessionStatus,
    SessionSummary,
    ShareEstimate,
    StudentSummary,
    TimelineBin,
    TrackRecord,
)
from db.schema import (
    PROBABILITIES,
    AuditRow,
    Base,
    FlagRow,
    GapRow,
    MarkerRow,
    PlannedSeatRow,
    SeatRow,
    SessionSummaryRow,
    StudentSummaryRow,
    TimelineBinRow,
    TrackRow,
)
from db.small_faces import SmallFaces

AnyRow = Row[Any]

R = TypeVar("R")

_COMPOSITES: Mapping[str, tuple[Callable[[Iterable[Any]], Any], tuple[str, ...]]] = MappingProxyType(
    {
        "box_xyxy": (tuple, ("x1", "y1", "x2", "y2")),
        "probabilities": (tuple, PROBABILITIES),
        "sad": (ShareEstimate._make, ("sad_share", "sad_low", "sad_high")),
        "away": (ShareEstimate._make, ("away_share", "away_low", "away_high")),
    }
)
"""The constructor and the columns of each composite field. A composite that is None is NULL in all of
them."""


class RecordMapping(Generic[R]):
    """How the records of one type are stored in one table."""

    def __init__(self, table: type[Base], record: type[R]) -> None:
        self._record = record
        self._fields = _field_names(record)
        columns: list[str] = []
        composites = []
        for name in self._fields:
            make, parts = _COMPOSITES.get(name, (None, (name,)))
            if make is not None:
                composites.append((len(columns), len(columns) + len(parts), make))
            columns += parts
        # Replaced from the last to the first, so that the positions of the others stay valid.
        self._composites = composites[::-1]
        self.columns = tuple(getattr(table, name) for name in columns)

    def select(self, *more: Any) -> Select[Any]:
        """A query for rows that ``from_row`` takes; ``more`` are further columns."""
        return select(*self.columns, *more)

    def from_row(self, row: AnyRow) -> R:
        """The record of a row of ``select``. Reads by position, not by name: a session has 21,600 bins."""
        values: list[Any] = list(row[: len(self.columns)])
        for start, stop, make in self._composites:
            part = values[start:stop]
            values[start:stop] = [None if part[0] is None else make(part)]
        return self._record(*values)

    def to_row(self, record: R, **more: Any) -> dict[str, Any]:
        """The columns of a record, and ``more``. Raises ``InvalidValue`` for a composite of the wrong
        length."""
        row: dict[str, Any] = {}
        for name in self._fields:
            value = getattr(record, name)
            if name in _COMPOSITES:
                row |= _spread(name, value)
            elif isinstance(value, Mapping):
                row[name] = dict(value)
            else:
                row[name] = value.value if isinstance(value, Enum) else value
        return row | more


def _field_names(record: type[Any]) -> tuple[str, ...]:
    if is_dataclass(record):
        return tuple(field.name for field in fields(record))
    names: tuple[str, ...] = record._fields  # a named tuple
    return names


def _spread(name: str, value: tuple[Any, ...] | None) -> dict[str, Any]:
    _, columns = _COMPOSITES[name]
    values = (None,) * len(columns) if value is None else value
    if len(values) != len(columns):
        raise InvalidValue(f"The field {name} has {len(values)} values instead of {len(columns)}.")
    return dict(zip(columns, values, strict=True))


BINS = RecordMapping(TimelineBinRow, TimelineBin)
SEATS = RecordMapping(SeatRow, SeatRecord)
TRACKS = RecordMapping(TrackRow, TrackRecord)
MARKERS = RecordMapping(MarkerRow, MarkerRecord)
GAPS = RecordMapping(GapRow, GapRecord)
FLAGS = RecordMapping(FlagRow, FlagRecord)
STUDENT_SUMMARIES = RecordMapping(StudentSummaryRow, StudentSummary)
SESSION_SUMMARIES = RecordMapping(SessionSummaryRow, SessionSummary)
PLANNED_SEATS = RecordMapping(PlannedSeatRow, PlannedSeat)
AUDIT_ENTRIES = RecordMapping(AuditRow, AuditRecord)


def session_from_row(row: AnyRow) -> SessionRecord:
    """The record of a row of ``db.sql.select_sessions``."""
    status, small_faces = SessionStatus(row.status), SmallFaces.from_json(row.small_faces)
    return SessionRecord(**{**row._mapping, "status": status, "small_faces": small_faces})


def correction_from_row(row: AnyRow) -> CorrectionRecord:
    """The record of a row of ``db.corrections.store.select_corrections``."""
    correction = Correction(CorrectionKind(row.kind), row.student_id, row.person_id, row.at_s)
    return CorrectionRecord(
        row.id,
        row.session_id,
        row.created_at,
        row.undone_at,
        correction,
        row.student_pseudonym,
        row.person_pseudonym,
    )
