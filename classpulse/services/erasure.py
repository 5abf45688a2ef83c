"""Erasure: expired sessions with their reports and recordings, and single students from a session.

``erase_expired`` enforces ``retention.keep_days``; the dashboard, online lessons and ``classpulse data
erase`` erase students.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.errors import UserError
from classpulse.formatting import english_count
from classpulse.services.assessment import summarise_pending
from classpulse.services.corrections import SessionPeople
from classpulse.services.report_files import delete_report_folders, find_report_folders
from classpulse.services.uploads import Upload, erasable_uploads, erase_upload
from db.clock import now_utc
from db.engine import truncate_wal
from db.erasure import erase_session, erase_student, find_recorded_ids, sessions_ended_before
from db.records import StudentRecord
from db.unit_of_work import Store

log = logging.getLogger(__name__)


class SharedRecording(UserError):
    """A part of what was recorded of a student is attributed to another one, so it cannot be erased alone."""


@dataclass(frozen=True)
class ErasureResult:
    """What was erased: the numbers of the ``sessions``, counts of the ``students`` known from them alone,
    report ``folders`` and uploaded ``recordings``. ``failed``: a line for each item that could not be erased
    and is tried again next time."""

    sessions: tuple[int, ...] = ()
    students: int = 0
    folders: int = 0
    recordings: int = 0
    failed: tuple[str, ...] = ()


def find_expired(engine: Engine, config: Config, now: datetime, days: int) -> ErasureResult:
    """What ``erase_expired`` would erase, without the students; nothing is changed."""
    before = now - timedelta(days=days)
    sessions = tuple(sessions_ended_before(engine, before))
    folders = sum(len(find_report_folders(config.output_folder, number)) for number in sessions)
    recordings = sum(upload.recording_exists for upload in erasable_uploads(config, sessions, before))
    return ErasureResult(sessions, folders=folders, recordings=recordings)


def erase_expired(engine: Engine, config: Config, now: datetime, days: int) -> ErasureResult:
    """Erase the sessions that ended more than ``days`` days before ``now``, oldest first, with their uploaded
    recordings, and recordings of that age without a session."""
    before = now - timedelta(days=days)
    numbers = sessions_ended_before(engine, before)
    sessions: list[int] = []
    failed: list[str] = []
    recordings, kept = _erase_recordings(config, erasable_uploads(config, numbers, before), failed)
    if numbers:
        # Pending flags must be computed while their baseline sessions still exist.
        summarise_pending(engine, config, quiet=True)
    students = folders = 0
    for number in numbers:
        if number in kept:
            continue
        try:
            # Before the session, so that a folder that cannot be removed is found again next time.
            folders += len(delete_report_folders(config.output_folder, number))
        except OSError as error:
            failed.append(f"the report of session {number} cannot be deleted ({error.strerror or error})")
            continue
        with Store(engine).unit_of_work() as unit:
            # One transaction per session: the writes of a running recording wait for it.
            erased = erase_session(unit, number)
            if erased is None:
                continue
            students_with = english_count(erased.students, "student")
            detail = f"ended more than {english_count(days, 'day')} ago; {students_with} erased with it"
            unit.add_audit_entry("erase", f"session {number}", now, detail)
            unit.commit()
        sessions.append(number)
        students += erased.students
    if sessions and not truncate_wal(engine):
        failed.append("the write-ahead log still contains erased data because the database is being read")
    for line in failed:
        log.warning("%s; it will be tried again", line)
    return ErasureResult(tuple(sessions), students, folders, recordings, tuple(failed))


def _erase_recordings(
    config: Config, uploads: list[Upload], failed: list[str]
) -> tuple[int, set[int | None]]:
    """The number of erased recordings, and the sessions of those that could not be erased."""
    erased, kept = 0, set()
    for upload in uploads:
        try:
            erased += erase_upload(config, upload)
        except OSError as error:
            # Without the file name, which may contain a student's name.
            of = "" if upload.session_id is None else f" of session {upload.session_id}"
            failed.append(f"the recording{of} cannot be deleted ({error.strerror or error})")
            kept.add(upload.session_id)
    return erased, kept


def erase_student_from_session(
    engine: Engine,
    config: Config,
    people: SessionPeople,
    student: StudentRecord,
    regenerate: Callable[[int], object],
    *,
    actor: str | None = None,
) -> int:
    """Erase a student from an ended session, with its report, which ``regenerate`` writes again; returns the
    number of erased bins. The audit entry names ``actor`` but never the student. Raises SharedRecording,
    DatabaseError and OSError."""
    session_id = people.session.id
    recordings = find_recorded_ids(engine, session_id, student.id)
    if recordings.shared:
        raise SharedRecording(
            f"A correction attributes a part of the recording of {student.pseudonym} to another student.",
            "Undo the correction first, or erase the whole lesson.",
        )
    bins = erase_students_and_report(
        engine, config, session_id, recordings.exclusive, "a student", actor=actor
    )
    if not truncate_wal(engine):
        log.info("the write-ahead log still contains erased data because the database is being read")
    regenerate(session_id)
    return bins


def erase_students_and_report(
    engine: Engine,
    config: Config,
    session_id: int,
    students: Iterable[int],
    reason: str,
    *,
    actor: str | None = None,
) -> int:
    """Erase students, by id, from a session and delete its report; returns the number of erased bins.
    ``reason``, without names, and ``actor`` are for the audit log. Raises DatabaseError and OSError."""
    # First, so that the erasure can be repeated if the report cannot be deleted.
    delete_report_folders(config.output_folder, session_id)
    with Store(engine).unit_of_work() as unit:
        bins = sum(erase_student(unit, session_id, number) for number in students)
        detail = f"{reason}; {bins} bins deleted" + (f", by {actor}" if actor else "")
        unit.add_audit_entry("erase", f"session {session_id}", now_utc(), detail)
        unit.commit()
    # A report that was written meanwhile. A report still being written checks for erased students itself
    # (``generate_report``).
    with suppress(OSError):
        delete_report_folders(config.output_folder, session_id)
    return bins
