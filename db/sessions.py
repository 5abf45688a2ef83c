"""Reads of one session, and lists of sessions: each function takes a fixed number of statements.

Everything about students is after corrections (``db.corrections.identity``); what was recorded is never
changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, ScalarSelect, Select, exists, or_, select
from sqlalchemy.engine import Connection

from db.corrections.identity import IdentityMap
from db.corrections.merge_bins import merge_bins_by_person
from db.corrections.reviews import assign_reviews
from db.corrections.store import load_corrections, load_identity_map
from db.errors import NotFound, unknown_key
from db.mapping import (
    AUDIT_ENTRIES,
    BINS,
    FLAGS,
    GAPS,
    MARKERS,
    SEATS,
    TRACKS,
    AnyRow,
    session_from_row,
)
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
from db.sql import fetch_all, select_sessions, select_students


def get_session(engine: Engine, session_id: int) -> SessionRecord:
    """The session with that id. Raises ``NotFound``, with the newest ids."""
    with engine.connect() as connection:
        return get_session_in(connection, session_id)


def get_session_in(connection: Connection, session_id: int) -> SessionRecord:
    """As ``get_session``, in an open transaction."""
    row = connection.execute(select_sessions().where(SessionRow.id == session_id)).one_or_none()
    if row is None:
        ids = select(SessionRow.id).order_by(SessionRow.id.desc()).limit(MAX_SUGGESTIONS)
        newest = connection.scalars(ids).all()
        hint = f"The newest are {', '.join(map(str, newest))}." if newest else "No session is recorded yet."
        raise unknown_key("session", session_id, newest, hint)
    return session_from_row(row)


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
    """Sessions, the newest first. Optional filters: class, status, room, and a start at ``since`` or later
    and before ``until`` (aware times)."""
    statement = select_sessions().order_by(SessionRow.started_at.desc(), SessionRow.id.desc()).limit(limit)
    if class_name is not None:
        # By id, not by name, so that the index over class and time is used.
        statement = statement.where(SessionRow.class_group_id == _select_class_id(class_name))
    if status is not None:
        statement = statement.where(SessionRow.status == status.value)
    if room is not None:
        statement = statement.where(SessionRow.room == room)
    if since is not None:
        statement = statement.where(SessionRow.started_at >= since)
    if until is not None:
        statement = statement.where(SessionRow.started_at < until)
    return [session_from_row(row) for row in fetch_all(engine, statement)]


def _select_class_id(name: str) -> ScalarSelect[Any]:
    return select(ClassGroupRow.id).where(ClassGroupRow.name == name).scalar_subquery()


def get_latest_session(engine: Engine, class_name: str | None = None) -> SessionRecord:
    """The session that started last. Raises ``NotFound`` if there is none."""
    sessions = list_sessions(engine, class_name, limit=1)
    if not sessions:
        scope = "" if class_name is None else f" of class {class_name!r}"
        raise NotFound(
            f"No session{scope} is recorded yet.",
            "Analyse a recording or start a session first.",
            kind="session",
        )
    return sessions[0]


def list_students(engine: Engine, session_id: int) -> list[StudentRecord]:
    """The students of a session by id: its own, those of the roster with bins in it, and, once corrected,
    those of the corrections. Raises ``NotFound`` for an unknown session, as do the reads below."""
    of_session = IdentityIntervalRow.session_id == session_id
    with_bins = select(TimelineBinRow.student_id).where(
        TimelineBinRow.session_id == session_id, TimelineBinRow.student_id.is_not(None)
    )
    own = (StudentRow.session_id == session_id) & ~exists().where(of_session)
    # Erasing a person deletes the identity intervals of a student: their bins count as recorded again.
    uncorrected = StudentRow.id.in_(with_bins) & StudentRow.id.not_in(
        select(IdentityIntervalRow.student_id).where(of_session)
    )
    corrected = StudentRow.id.in_(select(IdentityIntervalRow.person_id).where(of_session))
    statement = select_students().where(own | uncorrected | corrected).order_by(StudentRow.id)
    _, rows = _read_with_identities(engine, session_id, statement)
    return [StudentRecord(**row._mapping) for row in rows]


def list_roster_students(engine: Engine, class_name: str) -> list[StudentRecord]:
    """The students of a class that are known beyond one session, by pseudonym."""
    statement = select_students().where(ClassGroupRow.name == class_name, StudentRow.session_id.is_(None))
    rows = fetch_all(engine, statement.order_by(StudentRow.pseudonym))
    return [StudentRecord(**row._mapping) for row in rows]


def load_bins(engine: Engine, session_id: int, since_s: float = 0.0) -> list[TimelineBin]:
    """The bins of a session that start at ``since_s`` (media seconds) or later, by person and time, one per
    person and time; bins of the whole class first."""
    statement = select_bins(session_id)
    if since_s > 0:
        statement = statement.where(TimelineBinRow.start_s >= since_s)
    identities, rows = _read_with_identities(engine, session_id, statement)
    recorded = [BINS.from_row(row) for row in rows]
    return merge_bins_by_person(recorded, identities) if identities.is_corrected else recorded


def select_bins(session_id: int) -> Select[Any]:
    """The bins of a session as recorded, in the order of the index that finds them."""
    statement = BINS.select().where(TimelineBinRow.session_id == session_id)
    return statement.order_by(TimelineBinRow.student_id.nulls_first(), TimelineBinRow.start_s)


def list_seats(engine: Engine, session_id: int) -> list[SeatRecord]:
    """The seats by person; a seat that changed its person during the session is listed for each of them."""
    statement = SEATS.select().where(SeatRow.session_id == session_id).order_by(SeatRow.student_id)
    identities, rows = _read_with_identities(engine, session_id, statement)
    recorded = [SEATS.from_row(row) for row in rows]
    seats = [
        replace(seat, student_id=person)
        for seat in recorded
        for person in identities.people_of(seat.student_id)
    ]
    return sorted(seats, key=lambda seat: seat.student_id)


def list_tracks(engine: Engine, session_id: int) -> list[TrackRecord]:
    """The tracks by number, each with the person that has the longest part of it."""
    statement = TRACKS.select().where(TrackRow.session_id == session_id).order_by(TrackRow.track_number)
    identities, rows = _read_with_identities(engine, session_id, statement)
    tracks = [TRACKS.from_row(row) for row in rows]
    return [
        replace(track, student_id=identities.main_person(track.student_id, track.first_s, track.last_s))
        for track in tracks
    ]


def list_markers(engine: Engine, session_id: int) -> list[MarkerRecord]:
    """The notes on the timeline, by time."""
    statement = MARKERS.select().where(MarkerRow.session_id == session_id)
    statement = statement.order_by(MarkerRow.at_s, MarkerRow.id)
    return [MARKERS.from_row(row) for row in _read_with_identities(engine, session_id, statement)[1]]


def list_gaps(engine: Engine, session_id: int) -> list[GapRecord]:
    """The intervals without observation, by time."""
    rows = _read_with_identities(engine, session_id, select_gaps(session_id))[1]
    return [GAPS.from_row(row) for row in rows]


def select_gaps(session_id: int) -> Select[Any]:
    """The gaps of a session by time."""
    return GAPS.select().where(GapRow.session_id == session_id).order_by(GapRow.start_s)


def list_flags(engine: Engine, session_id: int) -> list[FlagRecord]:
    """The flag decisions with their current reviews (``db.corrections.reviews``), by person and kind."""
    statement = FLAGS.select().where(FlagRow.session_id == session_id)
    statement = statement.order_by(FlagRow.student_id, FlagRow.kind)
    identities, rows = _read_with_identities(engine, session_id, statement)
    stored = [FLAGS.from_row(row) for row in rows]
    if not identities.is_corrected:
        return stored
    return assign_reviews(stored, identities, list_corrections(engine, session_id))


def list_corrections(engine: Engine, session_id: int) -> list[CorrectionRecord]:
    """The corrections of a session in the order of their creation, including undone ones."""
    with engine.connect() as connection:
        corrections = load_corrections(connection, [session_id])[session_id]
        if not corrections:
            get_session_in(connection, session_id)
        return corrections


def list_audit_entries(
    engine: Engine, limit: int | None = None, *, action: str = "", text: str = "", skip: int = 0
) -> list[AuditRecord]:
    """Entries of the audit log, the newest first, without the first ``skip``. Optional filters: ``action``,
    and ``text`` that the subject or detail contains (case-insensitive)."""
    statement = AUDIT_ENTRIES.select().order_by(AuditRow.at.desc(), AuditRow.id.desc())
    if action:
        statement = statement.where(AuditRow.action == action)
    if text:
        searched = AuditRow.subject, AuditRow.detail
        statement = statement.where(or_(*(column.icontains(text, autoescape=True) for column in searched)))
    return [AUDIT_ENTRIES.from_row(row) for row in fetch_all(engine, statement.limit(limit).offset(skip))]


def list_audit_actions(engine: Engine) -> list[str]:
    """Every action in the audit log, by name."""
    statement = select(AuditRow.action).distinct().order_by(AuditRow.action)
    return [str(row.action) for row in fetch_all(engine, statement)]


def _read_with_identities(
    engine: Engine, session_id: int, statement: Select[Any]
) -> tuple[IdentityMap, Sequence[AnyRow]]:
    """The identity map of a session and the rows of the statement. Without rows, raises ``NotFound`` if the
    session does not exist."""
    with engine.connect() as connection:
        identities = load_identity_map(connection, session_id)
        rows = connection.execute(statement).all()
        if not rows:
            get_session_in(connection, session_id)
        return identities, rows
