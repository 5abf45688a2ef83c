"""Records to rows and back; the only place that knows both.

The two joins that most reads start from.

Writing rows that may be there already; one statement on both databases.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, RowMapping, Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from db.errors import InvalidValue
from db.records import (
    MAX_SUGGESTIONS,
    AuditRecord,
    Correction,
    CorrectionKind,
    CorrectionRecord,
    FlagRecord,
    MarkerRecord,
    SeatRecord,
    SessionRecord,
    SessionStatus,
    StudentRecord,
    TimelineBin,
    TrackRecord,
)
from db.schema import PROBABILITIES, Base, ClassGroupRow, FlagRow, SessionRow, StudentRow
from db.small_faces import SmallFaces

_BIN_COLUMNS = (
    "student_id",
    "start_s",
    "watched_s",
    "seen_s",
    "samples",
    "seen_samples",
    "usable_samples",
    "pose_samples",
    "facing_samples",
    "yaw_deg",
    "pitch_deg",
    "eye_samples",
    "closed_samples",
    "student_count",
)

AnyRow = Row[Any]

_read_probabilities = itemgetter(*PROBABILITIES)  # and not a loop: an hour of a class has 21,600 rows


def _pick(row: RowMapping, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def bin_to_row(session_id: int, item: TimelineBin) -> dict[str, Any]:
    """A bin as the columns of ``timeline_bins``; raises ``InvalidValue`` unless there are seven chances."""
    chances = item.probabilities if item.probabilities is not None else (None,) * len(PROBABILITIES)
    if len(chances) != len(PROBABILITIES):
        raise InvalidValue(f"a bin has {len(chances)} probabilities; expected {len(PROBABILITIES)}")
    values: dict[str, Any] = {name: getattr(item, name) for name in _BIN_COLUMNS}
    values |= dict(zip(PROBABILITIES, chances, strict=True))
    return values | {
        "session_id": session_id,
        "unreadable_reasons": dict(item.unreadable_reasons),
        "pose_counts": dict(item.pose_counts),
    }


def bin_from_row(row: AnyRow) -> TimelineBin:
    """A row of ``timeline_bins`` as the bin that was written."""
    values = row._mapping
    return TimelineBin(
        **_pick(values, *_BIN_COLUMNS),
        unreadable_reasons=values["unreadable_reasons"],
        pose_counts=values["pose_counts"],
        probabilities=probabilities(row),
    )


def probabilities(row: AnyRow) -> tuple[float, ...] | None:
    """The seven columns as a tuple, None where they are NULL."""
    chances: tuple[float, ...] = _read_probabilities(row._mapping)
    return None if chances[0] is None else chances


def session_from_row(row: AnyRow) -> SessionRecord:
    """A row of ``class_sessions`` joined with its class's name as ``class_name``."""
    values = {name: value for name, value in row._mapping.items() if name != "class_group_id"}
    small_faces = SmallFaces.from_json(values["small_faces"])
    return SessionRecord(**values | {"status": SessionStatus(values["status"]), "small_faces": small_faces})


def student_from_row(row: AnyRow) -> StudentRecord:
    """A row of ``students`` joined with its class's name as ``class_name``."""
    return StudentRecord(**_pick(row._mapping, "id", "pseudonym", "class_name", "session_id"))


def seat_to_row(session_id: int, seat: SeatRecord) -> dict[str, Any]:
    """A seat as the columns of ``seats``."""
    x1, y1, x2, y2 = seat.box_xyxy
    return {
        "session_id": session_id,
        "student_id": seat.student_id,
        "label": seat.label,
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "frame_width": seat.frame_width,
        "frame_height": seat.frame_height,
    }


def seat_from_row(row: AnyRow) -> SeatRecord:
    """A row of ``seats``."""
    values = row._mapping
    return SeatRecord(
        **_pick(values, "student_id", "label", "frame_width", "frame_height"),
        box_xyxy=(values["x1"], values["y1"], values["x2"], values["y2"]),
    )


def track_to_row(session_id: int, track: TrackRecord) -> dict[str, Any]:
    """A track as the columns of ``tracks``."""
    return {"session_id": session_id} | vars(track)


def track_from_row(row: AnyRow) -> TrackRecord:
    """A row of ``tracks``."""
    columns = ("student_id", "track_number", "first_s", "last_s", "hits", "assignment_basis")
    return TrackRecord(**_pick(row._mapping, *columns))


def marker_from_row(row: AnyRow) -> MarkerRecord:
    """A row of ``markers``."""
    return MarkerRecord(**_pick(row._mapping, "id", "session_id", "at_s", "text"))


def flag_to_row(flag: FlagRecord) -> dict[str, Any]:
    """A flag as the columns of ``flags``."""
    return vars(flag) | {"numbers": dict(flag.numbers)}


def select_flags() -> Select[Any]:
    """Rows as ``flag_from_row`` takes them."""
    return select(*(getattr(FlagRow, field.name) for field in fields(FlagRecord)))


def flag_from_row(row: AnyRow) -> FlagRecord:
    """A row of ``select_flags``."""
    values: tuple[Any, ...] = tuple(row)
    return FlagRecord(*values)


def correction_from_row(row: AnyRow) -> CorrectionRecord:
    """A row of ``corrections`` with both pseudonyms, as ``student_pseudonym`` and ``person_pseudonym``."""
    values = row._mapping
    return CorrectionRecord(
        **_pick(values, "id", "session_id", "created_at", "undone_at", "student_pseudonym", "person_pseudonym"),
        correction=Correction(
            CorrectionKind(values["kind"]), **_pick(values, "student_id", "person_id", "at_s")
        ),
    )


def audit_entry_from_row(row: AnyRow) -> AuditRecord:
    """A row of ``audit``."""
    return AuditRecord(**_pick(row._mapping, "at", "action", "subject", "detail"))


def fetch_all(engine: Engine, statement: Select[Any]) -> Sequence[AnyRow]:
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


INSERT_BY_DIALECT: Mapping[str, Any] = MappingProxyType(
    {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
)
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
    """Insert ``fetch_all``; where the columns ``key`` are taken, replace the others but those in ``keep``.

    ``where`` is the condition of the partial unique index that ``key`` stands for. All rows have the
    same columns. An empty ``fetch_all`` writes nothing.
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


def closest_matches(pseudonym: str, known: Iterable[str], limit: int = MAX_SUGGESTIONS) -> tuple[str, ...]:
    """Of the ``known`` pseudonyms those spelt most like this one, the nearest first."""
    spelt = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(pseudonym.casefold(), spelt, n=limit, cutoff=0.0)
    return tuple(spelt[name] for name in near)


def closest_pseudonyms(
    engine: Engine, pseudonym: str, class_name: str | None = None, limit: int = MAX_SUGGESTIONS
) -> tuple[str, ...]:
    """Stored pseudonyms spelt most like this one, the nearest first; all of them count as candidates,
    so that a list of some is offered even where nothing is alike. Empty if nobody is stored."""
    statement = select(StudentRow.pseudonym).distinct().order_by(StudentRow.pseudonym)
    if class_name is not None:
        statement = statement.join(ClassGroupRow, ClassGroupRow.id == StudentRow.class_group_id)
        statement = statement.where(ClassGroupRow.name == class_name)
    return closest_matches(pseudonym, (row.pseudonym for row in fetch_all(engine, statement)), limit)
