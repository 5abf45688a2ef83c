"""Writes: a unit of work is one transaction, rolled back unless it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from db import summaries
from db.clock import now_utc
from db.corrections import store as corrections
from db.engine import write_connection
from db.errors import unknown_key
from db.mapping import BINS, FLAGS, GAPS, SEATS, TRACKS
from db.records import (
    Correction,
    CorrectionRecord,
    FlagRecord,
    GapRecord,
    NewSession,
    SeatRecord,
    SessionProgress,
    SessionRecord,
    SessionStatus,
    SessionSummary,
    StudentSummary,
    TimelineBin,
    TrackRecord,
)
from db.schema import (
    AuditRow,
    ClassGroupRow,
    FlagRow,
    GapRow,
    MarkerRow,
    SeatRow,
    SessionRow,
    StudentRow,
    TimelineBinRow,
    TrackRow,
)
from db.sessions import list_sessions
from db.small_faces import SmallFaces
from db.sql import upsert

_REVIEW_COLUMNS = ("review", "reviewed_by", "reviewed_at", "note")


class UnitOfWork:
    """The writes of one transaction, from ``Store.unit_of_work``. Only ``commit`` makes them permanent.

    Writes of the recording itself (students, bins, seats, tracks, gaps, progress) set the session's
    ``last_written_at``; later additions (a marker, a flag, a correction) do not. Every method raises a
    ``db.errors.DatabaseError``: ``Conflict`` if the schema rejects a row. Leave the unit after an error: a
    batch may be half written, and a commit would keep that half.
    """

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock
        self._touched_sessions: set[int] = set()

    @property
    def connection(self) -> Connection:
        """The open transaction, for the modules of ``db`` that write tables of their own."""
        return self._connection

    def commit(self) -> None:
        """Make everything written so far permanent; later writes belong to the next commit."""
        if self._touched_sessions:
            touched = update(SessionRow).where(SessionRow.id.in_(sorted(self._touched_sessions)))
            self._connection.execute(touched.values(last_written_at=self._clock()))
            self._touched_sessions.clear()
        self._connection.commit()

    def insert_row(self, table: type[Any], values: Mapping[str, Any]) -> int:
        """Insert one row; returns its primary key."""
        key = self._connection.execute(insert(table).values(**values)).inserted_primary_key
        assert key is not None  # always set for a single row
        return int(key[0])

    def get_or_create_class(self, name: str) -> int:
        """The id of the class of that name, which is stored if it is new."""
        upsert(self._connection, ClassGroupRow, [{"name": name}], ("name",))
        return self._connection.scalars(select(ClassGroupRow.id).where(ClassGroupRow.name == name)).one()

    def start_session(self, new: NewSession) -> int:
        """Store a running session, and its class if that is new; returns the session's id."""
        values = {name: value for name, value in vars(new).items() if name != "class_name"} | {
            "class_group_id": self.get_or_create_class(new.class_name),
            "last_written_at": self._clock(),
            "status": SessionStatus.RUNNING.value,
            "status_reason": "",
            "end_s": 0.0,
            "watched_s": 0.0,
            "frames_sampled": 0,
            "frames_dropped": 0,
            "settings": dict(new.settings),
            "versions": dict(new.versions),
        }
        return self.insert_row(SessionRow, values)

    def end_session(self, session_id: int, status: SessionStatus, ended_at: datetime, reason: str) -> None:
        """End a session; ``reason`` is a text ("end of the file", "stopped by SIGTERM"). If the clock was
        set back before its start, it ends at its start. Summaries of later sessions are deleted, because
        their flag decisions may depend on this one."""
        self._update_session(session_id, status=status.value, ended_at=ended_at, status_reason=reason)
        self._clamp_end(session_id)
        summaries.delete_later_summaries(self._connection, session_id)

    def interrupt_session(self, session_id: int, reason: str) -> bool:
        """End a session whose process is gone, at the time of its last write (not before its start); a
        recording of known duration ends no later than its media time. Returns False, without a change, if
        the session is not running."""
        running = SessionRow.id == session_id, SessionRow.status == SessionStatus.RUNNING.value
        row = self._connection.execute(select(SessionRow).where(*running)).one_or_none()
        if row is None:
            return False
        ended_at = row.last_written_at
        if row.expected_s is not None:
            ended_at = min(ended_at, row.started_at + timedelta(seconds=row.end_s))
        statement = update(SessionRow).where(*running)
        values = {"status": SessionStatus.INTERRUPTED.value, "ended_at": ended_at, "status_reason": reason}
        is_changed = self._connection.execute(statement.values(**values)).rowcount == 1
        self._clamp_end(session_id)
        summaries.delete_later_summaries(self._connection, session_id)
        return is_changed

    def save_progress(self, session_id: int, progress: SessionProgress) -> None:
        """Store the progress of a session in place of the earlier one."""
        self._touched_sessions.add(session_id)
        self._update_session(session_id, **vars(progress))

    def save_small_faces(self, session_id: int, missed_faces: SmallFaces) -> None:
        """Store the result of the search for missed faces in place of an earlier one."""
        self._touched_sessions.add(session_id)
        self._update_session(session_id, small_faces=missed_faces.to_json())

    def add_student(self, session_id: int, pseudonym: str) -> int:
        """Store a student of this session; returns the student's id."""
        self._touched_sessions.add(session_id)
        return self.add_unrecorded_student(session_id, pseudonym)

    def add_unrecorded_student(self, session_id: int, pseudonym: str, *, to_roster: bool = False) -> int:
        """Store a student that was not recorded, for a correction: of this session, or of its class's roster.
        Returns the student's id. Raises ``Conflict`` if the pseudonym is taken there."""
        class_id = self._connection.scalar(
            select(SessionRow.class_group_id).where(SessionRow.id == session_id)
        )
        if class_id is None:
            raise unknown_key("session", session_id)
        own_session = None if to_roster else session_id
        values = {"class_group_id": class_id, "session_id": own_session, "pseudonym": pseudonym}
        return self.insert_row(StudentRow, values)

    def rename_students(self, session_id: int, pseudonyms: Mapping[int, str]) -> None:
        """Set new pseudonyms of students of a session, by id, all at once, so that two may swap. Raises
        ``NotFound`` if a student is not of this session, ``Conflict`` if a pseudonym stays taken."""
        if not pseudonyms:
            return
        self._touched_sessions.add(session_id)
        of_session = select(StudentRow.id).where(StudentRow.session_id == session_id)
        unknown = sorted(set(pseudonyms) - set(self._connection.scalars(of_session)))
        if unknown:
            raise unknown_key("student", unknown[0], scope=f" in session {session_id}")
        # Uniqueness is checked row by row, so all old pseudonyms are released before a new one is set.
        self._write_pseudonyms({student_id: f"(renaming {student_id})" for student_id in pseudonyms})
        self._write_pseudonyms(pseudonyms)

    def reassign_to_roster_student(self, session_id: int, student_id: int, roster_student_id: int) -> None:
        """Assign all data of a student of a session to a roster student, and delete the student. Raises
        ``Conflict`` if the roster student has bins of the same times."""
        self._touched_sessions.add(session_id)
        for table in (TimelineBinRow, SeatRow, TrackRow, FlagRow):
            of_student = update(table).where(table.session_id == session_id, table.student_id == student_id)
            self._connection.execute(of_student.values(student_id=roster_student_id))
        student = delete(StudentRow).where(StudentRow.id == student_id, StudentRow.session_id == session_id)
        if self._connection.execute(student).rowcount == 0:
            raise unknown_key("student", student_id, scope=f" in session {session_id}")

    def write_bins(self, session_id: int, bins: Sequence[TimelineBin]) -> None:
        """Store bins; a bin replaces an earlier one of the same student and ``start_s``."""
        self._touched_sessions.add(session_id)
        of_students = [BINS.to_row(one, session_id=session_id) for one in bins if one.student_id is not None]
        of_class = [BINS.to_row(one, session_id=session_id) for one in bins if one.student_id is None]
        upsert(self._connection, TimelineBinRow, of_students, ("session_id", "student_id", "start_s"))
        upsert(
            self._connection,
            TimelineBinRow,
            of_class,
            ("session_id", "start_s"),
            where=TimelineBinRow.student_id.is_(None),
        )

    def delete_bins(self, session_id: int, from_s: float) -> None:
        """Delete the bins of a session with ``start_s`` of ``from_s`` or later."""
        self._touched_sessions.add(session_id)
        self._connection.execute(
            delete(TimelineBinRow).where(
                TimelineBinRow.session_id == session_id, TimelineBinRow.start_s >= from_s
            )
        )

    def save_seats(self, session_id: int, seats: Sequence[SeatRecord]) -> None:
        """Store the seats of students, one each; a seat replaces an earlier one of the student."""
        self._touched_sessions.add(session_id)
        rows = [SEATS.to_row(seat, session_id=session_id) for seat in seats]
        upsert(self._connection, SeatRow, rows, ("session_id", "student_id"))

    def save_tracks(self, session_id: int, tracks: Sequence[TrackRecord]) -> None:
        """Store tracks; a track replaces an earlier one of the same ``track_number``."""
        self._touched_sessions.add(session_id)
        rows = [TRACKS.to_row(track, session_id=session_id) for track in tracks]
        upsert(self._connection, TrackRow, rows, ("session_id", "track_number"))

    def save_gaps(self, session_id: int, session_gaps: Sequence[GapRecord]) -> None:
        """Store gaps; a gap replaces an earlier, shorter one of the same ``start_s``."""
        self._touched_sessions.add(session_id)
        rows = [GAPS.to_row(gap, session_id=session_id) for gap in session_gaps]
        upsert(self._connection, GapRow, rows, ("session_id", "start_s"))

    def add_marker(self, session_id: int, at_s: float, text: str) -> int:
        """Store a note on the timeline at ``at_s`` seconds of media time; returns its id."""
        return self.insert_row(MarkerRow, {"session_id": session_id, "at_s": at_s, "text": text})

    def save_flags(self, flags: Sequence[FlagRecord]) -> None:
        """Store flag decisions. A repeated decision replaces outcome and numbers and keeps its review."""
        rows = [FLAGS.to_row(flag) for flag in flags]
        upsert(self._connection, FlagRow, rows, ("session_id", "student_id", "kind"), keep=_REVIEW_COLUMNS)

    def save_summaries(self, summary: SessionSummary, students: Sequence[StudentSummary]) -> None:
        """Store the summaries of a session in place of earlier ones."""
        summaries.save_summaries(self._connection, summary, students)

    def save_review(self, flag: FlagRecord) -> None:
        """Store the review (``review``, ``reviewed_by``, ``reviewed_at``, ``note``) of a stored flag;
        outcome and numbers do not change. Raises ``NotFound``."""
        statement = update(FlagRow).where(
            FlagRow.session_id == flag.session_id,
            FlagRow.student_id == flag.student_id,
            FlagRow.kind == flag.kind,
        )
        values = {name: getattr(flag, name) for name in _REVIEW_COLUMNS}
        if self._connection.execute(statement.values(**values)).rowcount == 0:
            scope = f" of student {flag.student_id} in session {flag.session_id}"
            raise unknown_key("flag", flag.kind, scope=scope)

    def add_correction(self, session_id: int, correction: Correction, created_at: datetime) -> int:
        """Store a correction (``db.corrections.store.add_correction``); returns its id."""
        return corrections.add_correction(self._connection, session_id, correction, created_at)

    def undo_last_correction(self, session_id: int, undone_at: datetime) -> CorrectionRecord:
        """Undo the last correction (``db.corrections.store.undo_last_correction``) and return it."""
        return corrections.undo_last_correction(self._connection, session_id, undone_at)

    def add_audit_entry(self, action: str, subject: str, at: datetime, detail: str = "") -> None:
        """Store an entry of the audit log. ``subject`` is text ("session 3"), because the data may be
        erased."""
        self.insert_row(AuditRow, {"action": action, "subject": subject, "at": at, "detail": detail})

    def _clamp_end(self, session_id: int) -> None:
        backwards = update(SessionRow).where(
            SessionRow.id == session_id, SessionRow.ended_at < SessionRow.started_at
        )
        self._connection.execute(backwards.values(ended_at=SessionRow.started_at))

    def _update_session(self, session_id: int, **values: Any) -> None:
        statement = update(SessionRow).where(SessionRow.id == session_id).values(**values)
        if self._connection.execute(statement).rowcount == 0:
            raise unknown_key("session", session_id)

    def _write_pseudonyms(self, pseudonyms: Mapping[int, str]) -> None:
        statement = update(StudentRow).where(StudentRow.id == bindparam("student"))
        self._connection.execute(
            statement.values(pseudonym=bindparam("new_pseudonym")),
            [{"student": student, "new_pseudonym": name} for student, name in pseudonyms.items()],
        )


class Store:
    """The writable database. ``clock`` returns aware UTC for ``last_written_at``."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now_utc) -> None:
        self.engine = engine
        self._clock = clock

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """One transaction: ``with store.unit_of_work() as unit: ...; unit.commit()``. Without a commit it
        changes nothing.

        It holds SQLite's only write lock, so compute before, not within. Raises ``DatabaseLocked`` after the
        engine's busy timeout. Do not nest; with a database in memory, do not mix with reads.
        """
        with write_connection(self.engine) as connection:
            connection.begin()
            yield UnitOfWork(connection, self._clock)
            # Closing the connection rolls back what was not committed.


def interrupt_abandoned_sessions(
    store: Store, is_running: Callable[[SessionRecord], bool], now: datetime
) -> list[int]:
    """End sessions that are stored as running although their process is gone (a crash, a power cut).

    They become ``interrupted``, with the end at their last write, and an audit entry each; ``now`` is aware
    UTC. Returns their ids, the oldest first.
    """
    running = list_sessions(store.engine, status=SessionStatus.RUNNING)
    abandoned = sorted(record.id for record in running if not is_running(record))
    if not abandoned:
        return []
    reason = f"the recorder ended without closing the session (found {now:%Y-%m-%d %H:%M} UTC)"
    with store.unit_of_work() as unit:
        closed = [session_id for session_id in abandoned if unit.interrupt_session(session_id, reason)]
        for session_id in closed:
            unit.add_audit_entry("close", f"session {session_id}", now, reason)
        unit.commit()
    return closed
