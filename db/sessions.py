"""What is read: each function one question, one or a fixed number of statements, frozen records back.

Whatever speaks of people speaks of those that there are after the corrections (``db.corrections.identity``). The
record itself is never changed by one.

When nothing could be seen in a session, and why: time that was not watched, nobody's absence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, ScalarSelect, Select, exists, or_, select
from sqlalchemy.engine import Connection

from db import sql as mapping
from db.corrections.identity import Attribution
from db.corrections.merge_bins import attributed
from db.corrections.reviews import standing
from db.corrections.store import attribution_in, corrections_in
from db.errors import NotFound
from db.records import (
    CHOICES,
    AuditRecord,
    CorrectionRecord,
    FlagRecord,
    GapRecord,
    MarkerRecord,
    SeatRecord,
    SessionRecord,
    SessionStatus,
    StudentRecord,
    TimelineBin,
    TrackRecord,
)
from db.schema import (
    AttributionRow,
    AuditRow,
    Base,
    BinRow,
    ClassGroupRow,
    FlagRow,
    GapRow,
    MarkerRow,
    SeatRow,
    SessionRow,
    StudentRow,
    TrackRow,
)
from db.sql import AnyRow, rows, select_sessions, select_students, upsert


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


__all__ = [
    "audit_actions",
    "audit_trail",
    "bins",
    "corrections",
    "flags",
    "gaps",
    "latest_session",
    "markers",
    "roster",
    "seats",
    "session",
    "sessions",
    "students",
    "tracks",
]


def session(engine: Engine, session_id: int) -> SessionRecord:
    """The session with that number; raises ``NotFound`` with the newest ones."""
    with engine.connect() as connection:
        return session_in(connection, session_id)


def session_in(connection: Connection, session_id: int) -> SessionRecord:
    """As ``session``, inside a transaction that is open already."""
    row = connection.execute(select_sessions().where(SessionRow.id == session_id)).one_or_none()
    if row is None:
        newest = connection.scalars(select(SessionRow.id).order_by(SessionRow.id.desc()).limit(CHOICES)).all()
        known = f"the newest are {', '.join(map(str, newest))}" if newest else "none is recorded yet"
        raise NotFound(f"there is no session {session_id}; {known}")
    return mapping.session_record(row)


def sessions(
    engine: Engine,
    class_name: str | None = None,
    status: SessionStatus | None = None,
    limit: int | None = None,
    *,
    room: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[SessionRecord]:
    """Sessions, the newest first, of one class, status or room where asked, that started at ``since`` or
    later and before ``until`` (aware times); an empty list if there are none."""
    statement = select_sessions().order_by(SessionRow.started_at.desc(), SessionRow.id.desc()).limit(limit)
    if class_name is not None:
        # By number and not by name: so that the index of class and time is walked.
        statement = statement.where(SessionRow.class_group_id == _class_id(class_name))
    if status is not None:
        statement = statement.where(SessionRow.status == status.value)
    if room is not None:
        statement = statement.where(SessionRow.room == room)
    if since is not None:
        statement = statement.where(SessionRow.started_at >= since)
    if until is not None:
        statement = statement.where(SessionRow.started_at < until)
    return [mapping.session_record(row) for row in rows(engine, statement)]


def _class_id(name: str) -> ScalarSelect[Any]:
    return select(ClassGroupRow.id).where(ClassGroupRow.name == name).scalar_subquery()


def latest_session(engine: Engine, class_name: str | None = None) -> SessionRecord:
    """The session that started last; raises ``NotFound`` if there is none."""
    found = sessions(engine, class_name, limit=1)
    if not found:
        of_class = "" if class_name is None else f" of class {class_name!r}"
        raise NotFound(f"no session{of_class} is recorded yet; analyse a recording or start a lecture first")
    return found[0]


def students(engine: Engine, session_id: int) -> list[StudentRecord]:
    """The people of a session by number: its own, and those of the roster who have bins in it; once
    corrected, those who there are then. Raises ``NotFound`` for an unknown session, as do the reads below."""
    of_session = AttributionRow.session_id == session_id
    seated = select(BinRow.student_id).where(BinRow.session_id == session_id, BinRow.student_id.is_not(None))
    own = (StudentRow.session_id == session_id) & ~exists().where(of_session)
    # Also where erasing somebody took the stretches of a student along: their bins are as recorded again.
    left = StudentRow.id.in_(seated) & StudentRow.id.not_in(
        select(AttributionRow.student_id).where(of_session)
    )
    there_now = StudentRow.id.in_(select(AttributionRow.person_id).where(of_session))
    statement = select_students().where(own | left | there_now).order_by(StudentRow.id)
    return [mapping.student_record(row) for row in _of(engine, session_id, statement)[1]]


def roster(engine: Engine, class_name: str) -> list[StudentRecord]:
    """The people of a class who are known beyond one session, by pseudonym; empty if there are none."""
    statement = select_students().where(ClassGroupRow.name == class_name, StudentRow.session_id.is_(None))
    return [mapping.student_record(row) for row in rows(engine, statement.order_by(StudentRow.pseudonym))]


def bins(engine: Engine, session_id: int, since_s: float = 0.0) -> list[TimelineBin]:
    """The bins of a session that start at ``since_s`` (media seconds) or later, by person and time, one of
    each at a time; whole-class bins first."""
    statement = select_bins(session_id)
    if since_s > 0:
        statement = statement.where(BinRow.start_s >= since_s)
    who, found = _of(engine, session_id, statement)
    recorded = [mapping.bin_record(row) for row in found]
    return attributed(recorded, who) if who.corrected else recorded


def select_bins(session_id: int) -> Select[Any]:
    """A session's rows of ``timeline_bins`` as recorded, in the order of the index that finds them."""
    return _all(BinRow, session_id).order_by(BinRow.student_id.nulls_first(), BinRow.start_s)


def seats(engine: Engine, session_id: int) -> list[SeatRecord]:
    """Where the people sat, by person; several on one seat where it was somebody else's for a time."""
    statement = _all(SeatRow, session_id).order_by(SeatRow.student_id)
    who, found = _of(engine, session_id, statement)
    recorded = [mapping.seat_record(row) for row in found]
    seated = [replace(seat, student_id=one) for seat in recorded for one in who.sharers(seat.student_id)]
    return sorted(seated, key=lambda seat: seat.student_id)


def tracks(engine: Engine, session_id: int) -> list[TrackRecord]:
    """The stretches of following, by number, each of whoever has the longest part of it."""
    statement = _all(TrackRow, session_id).order_by(TrackRow.track_number)
    who, found = _of(engine, session_id, statement)
    recorded = [mapping.track_record(row) for row in found]
    return [replace(one, student_id=who.mostly(one.student_id, one.first_s, one.last_s)) for one in recorded]


def markers(engine: Engine, session_id: int) -> list[MarkerRecord]:
    """The notes on the timeline, by time."""
    statement = _all(MarkerRow, session_id).order_by(MarkerRow.at_s, MarkerRow.id)
    return [mapping.marker_record(row) for row in _of(engine, session_id, statement)[1]]


def gaps(engine: Engine, session_id: int) -> list[GapRecord]:
    """When nothing could be seen, and why, by time."""
    return [gap_record(row) for row in _of(engine, session_id, select_gaps(session_id))[1]]


def flags(engine: Engine, session_id: int) -> list[FlagRecord]:
    """The verdicts with the reviews that stand (``db.corrections.reviews``), by person and kind."""
    statement = mapping.select_flags().where(FlagRow.session_id == session_id)
    statement = statement.order_by(FlagRow.student_id, FlagRow.kind)
    who, found = _of(engine, session_id, statement)
    stored = [mapping.flag_record(row) for row in found]
    return standing(stored, who, corrections(engine, session_id)) if who.corrected else stored


def corrections(engine: Engine, session_id: int) -> list[CorrectionRecord]:
    """What was corrected of who is who, in that order, with what was taken back."""
    with engine.connect() as connection:
        found = corrections_in(connection, [session_id])[session_id]
        if not found:
            session_in(connection, session_id)
        return found


def audit_trail(
    engine: Engine, limit: int | None = None, *, action: str = "", text: str = "", skip: int = 0
) -> list[AuditRecord]:
    """What was done to the data, the newest first, without the first ``skip``; of one ``action``, and with
    ``text`` in it, in whatever case, where those are given."""
    statement = select(*AuditRow.__table__.columns).order_by(AuditRow.at.desc(), AuditRow.id.desc())
    if action:
        statement = statement.where(AuditRow.action == action)
    if text:
        found_in = (AuditRow.subject, AuditRow.detail)
        statement = statement.where(or_(*(one.icontains(text, autoescape=True) for one in found_in)))
    return [mapping.audit_record(row) for row in rows(engine, statement.limit(limit).offset(skip))]


def audit_actions(engine: Engine) -> list[str]:
    """Every action that the audit has, by name."""
    statement = select(AuditRow.action).distinct().order_by(AuditRow.action)
    return [str(row.action) for row in rows(engine, statement)]


def _all(table: type[Base], session_id: int) -> Select[Any]:
    columns = table.__table__.columns
    return select(*columns).where(columns["session_id"] == session_id)


def _of(
    engine: Engine, session_id: int, statement: Select[Any]
) -> tuple[Attribution, Sequence[mapping.AnyRow]]:
    """Who is who in a session, and the rows; no rows are an error only where the session does not exist."""
    with engine.connect() as connection:
        who = attribution_in(connection, session_id)
        found = connection.execute(statement).all()
        if not found:
            session_in(connection, session_id)
        return who, found
