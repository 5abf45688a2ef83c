"""Writing: a unit of work that rolls back unless it is committed.

The writes of one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from db import sessions as gaps
from db import sql as mapping
from db import summaries
from db.clock import now_utc
from db.corrections import store as corrections
from db.engine import write_connection
from db.errors import NotFound
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
    """What is written here is kept when ``commit`` is called and not otherwise. From ``Store.unit``.

    The recording's own writes (students, bins, seats, tracks, gaps, progress) move the session's
    ``last_written_at``; what another program may add later (a marker, a flag, a correction) does not.
    Every method raises a ``db.errors.DatabaseError``: ``Conflict`` for a row that the schema refuses. After
    one, leave the unit: a batch may be half written in it, and a commit would keep that half.
    """

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock
        self._touched_sessions: set[int] = set()

    @property
    def connection(self) -> Connection:
        """The open transaction, for the modules of ``db`` that have tables of their own."""
        return self._connection

    def commit(self) -> None:
        """Keep everything written so far; what follows belongs to the next commit."""
        if self._touched_sessions:
            touched = update(SessionRow).where(SessionRow.id.in_(sorted(self._touched_sessions)))
            self._connection.execute(touched.values(last_written_at=self._clock()))
            self._touched_sessions.clear()
        self._connection.commit()

    def get_or_create_class(self, name: str) -> int:
        """The number of the class of that name, which is stored if it is new."""
        upsert(self._connection, ClassGroupRow, [{"name": name}], ("name",))
        return self._connection.scalars(select(ClassGroupRow.id).where(ClassGroupRow.name == name)).one()

    def start_session(self, new: NewSession) -> int:
        """Store a running session, and its class if that is new; returns the session's number."""
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
        return self._insert(SessionRow, values)

    def end_session(self, session_id: int, status: SessionStatus, ended_at: datetime, reason: str) -> None:
        """Close a session; ``reason`` says in words why ("end of the file", "stopped by SIGTERM"). It ends
        when it started where the clock was set back behind that. Verdicts of later sessions, where it is a
        recording of an earlier lesson, are to be made anew."""
        self._update_session(session_id, status=status.value, ended_at=ended_at, status_reason=reason)
        self._clamp_end(session_id)
        summaries.delete_later_summaries(self._connection, session_id)

    def interrupt_session(self, session_id: int, reason: str) -> bool:
        """Close a session whose process is gone, ending it when it last wrote (not before it started,
        whatever the clock said), and that of a recording no later than where it had come to. False, and
        nothing is changed, if it is not running any more."""
        running = SessionRow.id == session_id, SessionRow.status == SessionStatus.RUNNING.value
        found = self._connection.execute(select(SessionRow).where(*running)).one_or_none()
        if found is None:
            return False
        ended_at = found.last_written_at
        if found.expected_s is not None:
            ended_at = min(ended_at, found.started_at + timedelta(seconds=found.end_s))
        statement = update(SessionRow).where(*running)
        values = {"status": SessionStatus.INTERRUPTED.value, "ended_at": ended_at, "status_reason": reason}
        changed = self._connection.execute(statement.values(**values)).rowcount == 1
        self._clamp_end(session_id)
        summaries.delete_later_summaries(self._connection, session_id)
        return changed

    def save_progress(self, session_id: int, progress: SessionProgress) -> None:
        """How far the session has come; replaces what was written before."""
        self._touched_sessions.add(session_id)
        self._update_session(session_id, **vars(progress))

    def save_small_faces(self, session_id: int, missed_faces: SmallFaces) -> None:
        """Store the result of the search for missed faces; replaces an earlier one."""
        self._touched_sessions.add(session_id)
        self._update_session(session_id, small_faces=missed_faces.to_json())

    def add_student(self, session_id: int, pseudonym: str) -> int:
        """Store a person of this session, in the session's class; returns the student's number."""
        self._touched_sessions.add(session_id)
        return self.add_unrecorded_student(session_id, pseudonym)

    def add_unrecorded_student(self, session_id: int, pseudonym: str, *, to_roster: bool = False) -> int:
        """Store a person who was not recorded, for a correction: of this session, or of its class's roster.
        Returns the student's number; ``Conflict`` if the name is taken there."""
        group = self._connection.scalar(select(SessionRow.class_group_id).where(SessionRow.id == session_id))
        if group is None:
            raise NotFound(f"there is no session {session_id} to add {pseudonym!r} to")
        own = None if to_roster else session_id
        return self._insert(StudentRow, {"class_group_id": group, "session_id": own, "pseudonym": pseudonym})

    def rename_students(self, session_id: int, pseudonyms: Mapping[int, str]) -> None:
        """Give students of a session new pseudonyms by number, all at once, so that two may swap.
        ``NotFound`` if one is not of this session, ``Conflict`` if a name stays taken."""
        if not pseudonyms:
            return
        self._touched_sessions.add(session_id)
        of_session = select(StudentRow.id).where(StudentRow.session_id == session_id)
        strangers = set(pseudonyms) - set(self._connection.scalars(of_session))
        if strangers:
            raise NotFound(f"session {session_id} has no student {', '.join(map(str, sorted(strangers)))}")
        # Uniqueness is checked row by row, so everyone leaves the old name before anyone takes a new one.
        self._write_pseudonyms({student_id: f"(renaming {student_id})" for student_id in pseudonyms})
        self._write_pseudonyms(pseudonyms)

    def reassign_to_roster_student(self, session_id: int, student_id: int, roster_student_id: int) -> None:
        """Hand all that a student of a session has there to a person of the roster; the student, known by
        the seat alone, is no more. ``Conflict`` where that person has bins of the same times already."""
        self._touched_sessions.add(session_id)
        for table in (TimelineBinRow, SeatRow, TrackRow, FlagRow):
            theirs = update(table).where(table.session_id == session_id, table.student_id == student_id)
            self._connection.execute(theirs.values(student_id=roster_student_id))
        gone = delete(StudentRow).where(StudentRow.id == student_id, StudentRow.session_id == session_id)
        if self._connection.execute(gone).rowcount == 0:
            raise NotFound(f"session {session_id} has no student {student_id}")

    def write_bins(self, session_id: int, bins: Sequence[TimelineBin]) -> None:
        """Store bins; one of the same student and ``start_s`` replaces the earlier one."""
        self._touched_sessions.add(session_id)
        of_students = [mapping.bin_to_row(session_id, item) for item in bins if item.student_id is not None]
        of_class = [mapping.bin_to_row(session_id, item) for item in bins if item.student_id is None]
        upsert(self._connection, TimelineBinRow, of_students, ("session_id", "student_id", "start_s"))
        upsert(
            self._connection,
            TimelineBinRow,
            of_class,
            ("session_id", "start_s"),
            where=TimelineBinRow.student_id.is_(None),
        )

    def save_seats(self, session_id: int, seats: Sequence[SeatRecord]) -> None:
        """Store where students sit, one seat each; a later one replaces it."""
        self._touched_sessions.add(session_id)
        values = [mapping.seat_to_row(session_id, seat) for seat in seats]
        upsert(self._connection, SeatRow, values, ("session_id", "student_id"))

    def save_tracks(self, session_id: int, tracks: Sequence[TrackRecord]) -> None:
        """Store tracks; one of the same ``track_number`` replaces the earlier one."""
        self._touched_sessions.add(session_id)
        values = [mapping.track_to_row(session_id, track) for track in tracks]
        upsert(self._connection, TrackRow, values, ("session_id", "track_number"))

    def save_gaps(self, session_id: int, session_gaps: Sequence[GapRecord]) -> None:
        """Store when nothing could be seen; one of the same ``start_s`` replaces the earlier one."""
        self._touched_sessions.add(session_id)
        gaps.save_gaps(self._connection, session_id, session_gaps)

    def add_marker(self, session_id: int, at_s: float, text: str) -> int:
        """Put a note on the timeline at ``at_s`` seconds of media time; returns its number."""
        return self._insert(MarkerRow, {"session_id": session_id, "at_s": at_s, "text": text})

    def save_flags(self, flags: Sequence[FlagRecord]) -> None:
        """Store verdicts. One made again replaces outcome and numbers; a person's review of it stays."""
        values = [mapping.flag_to_row(flag) for flag in flags]
        upsert(self._connection, FlagRow, values, ("session_id", "student_id", "kind"), keep=_REVIEW_COLUMNS)

    def save_summaries(self, summary: SessionSummary, students: Sequence[StudentSummary]) -> None:
        """Store what a session holds, summed up; what was summed up before goes."""
        summaries.save_summaries(self._connection, summary, students)

    def save_review(self, flag: FlagRecord) -> None:
        """Store a person's review (``review``, ``reviewed_by``, ``reviewed_at``, ``note``) of a flag
        that is stored; outcome and numbers are left alone. Raises ``NotFound``."""
        statement = update(FlagRow).where(
            FlagRow.session_id == flag.session_id,
            FlagRow.student_id == flag.student_id,
            FlagRow.kind == flag.kind,
        )
        values = {name: getattr(flag, name) for name in _REVIEW_COLUMNS}
        if self._connection.execute(statement.values(**values)).rowcount == 0:
            raise NotFound(f"session {flag.session_id} has no {flag.kind!r} of student {flag.student_id}")

    def add_correction(self, session_id: int, correction: Correction, created_at: datetime) -> int:
        """Store a correction of who is who (``db.corrections.store.add_correction``); returns its number."""
        return corrections.add_correction(self._connection, session_id, correction, created_at)

    def undo_last_correction(self, session_id: int, undone_at: datetime) -> CorrectionRecord:
        """Take the last correction back (``db.corrections.store.undo_last_correction``); returns it."""
        return corrections.undo_last_correction(self._connection, session_id, undone_at)

    def add_audit_entry(self, action: str, subject: str, at: datetime, detail: str = "") -> None:
        """Note who did what to which data; ``subject`` in words ("session 3"), for it may be erased."""
        self._insert(AuditRow, {"action": action, "subject": subject, "at": at, "detail": detail})

    def _insert(self, table: type[Any], values: Mapping[str, Any]) -> int:
        key = self._connection.execute(insert(table).values(**values)).inserted_primary_key
        assert key is not None  # it is, for a single row
        return int(key[0])

    def _clamp_end(self, session_id: int) -> None:
        backwards = update(SessionRow).where(
            SessionRow.id == session_id, SessionRow.ended_at < SessionRow.started_at
        )
        self._connection.execute(backwards.values(ended_at=SessionRow.started_at))

    def _update_session(self, session_id: int, **values: Any) -> None:
        statement = update(SessionRow).where(SessionRow.id == session_id).values(**values)
        if self._connection.execute(statement).rowcount == 0:
            raise NotFound(f"there is no session {session_id}")

    def _write_pseudonyms(self, pseudonyms: Mapping[int, str]) -> None:
        statement = update(StudentRow).where(StudentRow.id == bindparam("who"))
        self._connection.execute(
            statement.values(pseudonym=bindparam("name")),
            [{"who": who, "name": name} for who, name in pseudonyms.items()],
        )


class Store:
    """Where a lecture is written. ``clock`` gives aware UTC for ``last_written_at``."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now_utc) -> None:
        self.engine = engine
        self._clock = clock

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """One transaction: ``with store.unit() as unit: ...; unit.commit()``. Left without a commit, by an
        exception or otherwise, it changes nothing.

        It holds SQLite's one write lock, so work out first what to write. Raises ``DatabaseLocked``
        after the engine's busy timeout. Not to be nested; in memory, not to be mixed with reads.
        """
        with write_connection(self.engine) as connection:
            connection.begin()
            yield UnitOfWork(connection, self._clock)
            # Closing the connection rolls back what was not committed.


def interrupt_abandoned_sessions(
    store: Store, is_running: Callable[[SessionRecord], bool], now: datetime
) -> list[int]:
    """Close sessions that say they are running although their process is gone (a crash, a power cut).

    They become ``interrupted``, ended when they last wrote, and the audit says so; ``now`` is aware
    UTC. Returns their numbers, the oldest first.
    """
    running = list_sessions(store.engine, status=SessionStatus.RUNNING)
    gone = sorted(record.id for record in running if not is_running(record))
    if not gone:
        return []
    reason = f"the recording program ended without closing the session (found {now:%Y-%m-%d %H:%M} UTC)"
    with store.unit_of_work() as unit:
        closed = [session_id for session_id in gone if unit.interrupt_session(session_id, reason)]
        for session_id in closed:
            unit.add_audit_entry("close", f"session {session_id}", now, reason)
        unit.commit()
    return closed
