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
from db.corrections.identity import IdentityMap
from db.corrections.merge_bins import merge_bins_by_person
from db.corrections.reviews import assign_reviews
from db.corrections.store import load_corrections, load_identity_map
from db.errors import NotFound
from db.records import (
    MAX_SUGGESTIONS,
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
    AuditRow,
    Base,
    ClassGroupRow,
    FlagRow,
    GapRow,
    IdentityIntervalRow,
    MarkerRow,
    SeatRow,
    SessionRow,
    StudentRow,
    TimelineBinRow,
    TrackRow,
)
from db.sql import AnyRow, fetch_all, select_sessions, select_students, upsert


def save_gaps(connection: Connection, session_id: int, gaps: Sequence[GapRecord]) -> None:
    """Store gaps; one of the same ``start_s`` replaces the earlier one, which it has outgrown."""
    values = [{"session_id": session_id} | vars(gap) for gap in gaps]
    upsert(connection, GapRow, values, ("session_id", "start_s"))


def select_gaps(session_id: int) -> Select[Any]:
    """A session's gaps by time, as ``gap_from_row`` takes them."""
    columns: Select[Any] = select(*(getattr(GapRow, field.name) for field in fields(GapRecord)))
    return columns.where(GapRow.session_id == session_id).order_by(GapRow.start_s)


def gap_from_row(row: AnyRow) -> GapRecord:
    """A row of ``select_gaps``."""
    values: tuple[Any, ...] = tuple(row)
    return GapRecord(*values)


def get_session(engine: Engine, session_id: int) -> SessionRecord:
    """The session with that number; raises ``NotFound`` with the newest ones."""
    with engine.connect() as connection:
        return get_session_in(connection, session_id)


def get_session_in(connection: Connection, session_id: int) -> SessionRecord:
    """As ``get_session``, inside a transaction that is open already."""
    row = connection.execute(select_sessions().where(SessionRow.id == session_id)).one_or_none()
    if row is None:
        newest = connection.scalars(
            select(SessionRow.id).order_by(SessionRow.id.desc()).limit(MAX_SUGGESTIONS)
        ).all()
        known = f"the newest are {', '.join(map(str, newest))}" if newest else "none is recorded yet"
        raise NotFound(f"there is no session {session_id}; {known}")
    return mapping.session_from_row(row)


def list_sessions(
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
        statement = statement.where(SessionRow.class_group_id == _select_class_id(class_name))
    if status is not None:
        statement = statement.where(SessionRow.status == status.value)
    if room is not None:
        statement = statement.where(SessionRow.room == room)
    if since is not None:
        statement = statement.where(SessionRow.started_at >= since)
    if until is not None:
        statement = statement.where(SessionRow.started_at < until)
    return [mapping.session_from_row(row) for row in fetch_all(engine, statement)]


def _select_class_id(name: str) -> ScalarSelect[Any]:
    return select(ClassGroupRow.id).where(ClassGroupRow.name == name).scalar_subquery()


def get_latest_session(engine: Engine, class_name: str | None = None) -> SessionRecord:
    """The session that started last; raises ``NotFound`` if there is none."""
    found = list_sessions(engine, class_name, limit=1)
    if not found:
        of_class = "" if class_name is None else f" of class {class_name!r}"
        raise NotFound(f"no session{of_class} is recorded yet; analyse a recording or start a lecture first")
    return found[0]


def list_students(engine: Engine, session_id: int) -> list[StudentRecord]:
    """The people of a session by number: its own, and those of the roster who have bins in it; once
    corrected, those who there are then. Raises ``NotFound`` for an unknown session, as do the reads below."""
    of_session = IdentityIntervalRow.session_id == session_id
    seated = select(TimelineBinRow.student_id).where(
        TimelineBinRow.session_id == session_id, TimelineBinRow.student_id.is_not(None)
    )
    own = (StudentRow.session_id == session_id) & ~exists().where(of_session)
    # Also where erasing somebody took the stretches of a student along: their bins are as recorded again.
    left = StudentRow.id.in_(seated) & StudentRow.id.not_in(
        select(IdentityIntervalRow.student_id).where(of_session)
    )
    there_now = StudentRow.id.in_(select(IdentityIntervalRow.person_id).where(of_session))
    statement = select_students().where(own | left | there_now).order_by(StudentRow.id)
    return [mapping.student_from_row(row) for row in _read_with_identities(engine, session_id, statement)[1]]


def list_roster_students(engine: Engine, class_name: str) -> list[StudentRecord]:
    """The people of a class who are known beyond one session, by pseudonym; empty if there are none."""
    statement = select_students().where(ClassGroupRow.name == class_name, StudentRow.session_id.is_(None))
    return [
        mapping.student_from_row(row) for row in fetch_all(engine, statement.order_by(StudentRow.pseudonym))
    ]


def load_bins(engine: Engine, session_id: int, since_s: float = 0.0) -> list[TimelineBin]:
    """The bins of a session that start at ``since_s`` (media seconds) or later, by person and time, one of
    each at a time; whole-class bins first."""
    statement = select_bins(session_id)
    if since_s > 0:
        statement = statement.where(TimelineBinRow.start_s >= since_s)
    who, found = _read_with_identities(engine, session_id, statement)
    recorded = [mapping.bin_from_row(row) for row in found]
    return merge_bins_by_person(recorded, who) if who.is_corrected else recorded


def select_bins(session_id: int) -> Select[Any]:
    """A session's rows of ``timeline_bins`` as recorded, in the order of the index that finds them."""
    return _select_of_session(TimelineBinRow, session_id).order_by(
        TimelineBinRow.student_id.nulls_first(), TimelineBinRow.start_s
    )


def list_seats(engine: Engine, session_id: int) -> list[SeatRecord]:
    """Where the people sat, by person; several on one seat where it was somebody else's for a time."""
    statement = _select_of_session(SeatRow, session_id).order_by(SeatRow.student_id)
    who, found = _read_with_identities(engine, session_id, statement)
    recorded = [mapping.seat_from_row(row) for row in found]
    seated = [replace(seat, student_id=one) for seat in recorded for one in who.people_of(seat.student_id)]
    return sorted(seated, key=lambda seat: seat.student_id)


def list_tracks(engine: Engine, session_id: int) -> list[TrackRecord]:
    """The stretches of following, by number, each of whoever has the longest part of it."""
    statement = _select_of_session(TrackRow, session_id).order_by(TrackRow.track_number)
    who, found = _read_with_identities(engine, session_id, statement)
    recorded = [mapping.track_from_row(row) for row in found]
    return [
        replace(one, student_id=who.main_person(one.student_id, one.first_s, one.last_s)) for one in recorded
    ]


def list_markers(engine: Engine, session_id: int) -> list[MarkerRecord]:
    """The notes on the timeline, by time."""
    statement = _select_of_session(MarkerRow, session_id).order_by(MarkerRow.at_s, MarkerRow.id)
    return [mapping.marker_from_row(row) for row in _read_with_identities(engine, session_id, statement)[1]]


def list_gaps(engine: Engine, session_id: int) -> list[GapRecord]:
    """When nothing could be seen, and why, by time."""
    return [
        gap_from_row(row) for row in _read_with_identities(engine, session_id, select_gaps(session_id))[1]
    ]


def list_flags(engine: Engine, session_id: int) -> list[FlagRecord]:
    """The verdicts with the reviews that stand (``db.corrections.reviews``), by person and kind."""
    statement = mapping.select_flags().where(FlagRow.session_id == session_id)
    statement = statement.order_by(FlagRow.student_id, FlagRow.kind)
    who, found = _read_with_identities(engine, session_id, statement)
    stored = [mapping.flag_from_row(row) for row in found]
    return assign_reviews(stored, who, list_corrections(engine, session_id)) if who.is_corrected else stored


def list_corrections(engine: Engine, session_id: int) -> list[CorrectionRecord]:
    """What was corrected of who is who, in that order, with what was taken back."""
    with engine.connect() as connection:
        found = load_corrections(connection, [session_id])[session_id]
        if not found:
            get_session_in(connection, session_id)
        return found


def list_audit_entries(
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
    return [
        mapping.audit_entry_from_row(row) for row in fetch_all(engine, statement.limit(limit).offset(skip))
    ]


def list_audit_actions(engine: Engine) -> list[str]:
    """Every action that the audit has, by name."""
    statement = select(AuditRow.action).distinct().order_by(AuditRow.action)
    return [str(row.action) for row in fetch_all(engine, statement)]


def _select_of_session(table: type[Base], session_id: int) -> Select[Any]:
    columns = table.__table__.columns
    return select(*columns).where(columns["session_id"] == session_id)


def _read_with_identities(
    engine: Engine, session_id: int, statement: Select[Any]
) -> tuple[IdentityMap, Sequence[mapping.AnyRow]]:
    """Who is who in a session, and the rows; no rows are an error only where the session does not exist."""
    with engine.connect() as connection:
        who = load_identity_map(connection, session_id)
        found = connection.execute(statement).all()
        if not found:
            get_session_in(connection, session_id)
        return who, found
