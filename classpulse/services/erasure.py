"""Keeping to ``retention.keep_days``: what has been kept long enough is erased, with its reports.

For the daemon: call ``enforce_retention`` once a night; it returns what went and what could not, and raises
DatabaseError.

Erasing one student from a past lesson, at their wish: what the dashboard, online lessons and ``classpulse
data erase`` share.
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


@dataclass(frozen=True)
class ErasureResult:
    """What went: the numbers of the ``sessions``, the ``students`` known from them alone, the report
    ``folders``, the uploaded ``recordings``. ``failed`` says in a line each what could not be erased; it is
    tried again the next time."""

    sessions: tuple[int, ...] = ()
    students: int = 0
    folders: int = 0
    recordings: int = 0
    failed: tuple[str, ...] = ()


def enforce_retention(engine: Engine, config: Config, now: datetime) -> ErasureResult:
    """Erase the sessions that ended more than ``retention.keep_days`` before ``now`` (aware); nothing if it
    is None."""
    days = config.settings.retention.keep_days
    return ErasureResult() if days is None else erase_expired(engine, config, now, days)


def find_expired(engine: Engine, config: Config, now: datetime, days: int) -> ErasureResult:
    """What ``erase_expired`` would take; nothing is changed. The students are not counted."""
    before = now - timedelta(days=days)
    sessions = tuple(sessions_ended_before(engine, before))
    folders = sum(len(find_report_folders(config.output_folder, number)) for number in sessions)
    recordings = sum(one.recording_exists for one in erasable_uploads(config, sessions, before))
    return ErasureResult(sessions, folders=folders, recordings=recordings)


def erase_expired(engine: Engine, config: Config, now: datetime, days: int) -> ErasureResult:
    """Erase the sessions that ended more than ``days`` days before ``now``, the oldest first, with the
    recordings that were uploaded for them; and recordings of that age that led to no session."""
    before = now - timedelta(days=days)
    numbers = sessions_ended_before(engine, before)
    sessions: list[int] = []
    failed: list[str] = []
    recordings, kept = _erase_recordings(config, erasable_uploads(config, numbers, before), failed)
    if numbers:
        # Verdicts that were never made would be held against less from now on.
        summarise_pending(engine, config, quiet=True)
    students = folders = 0
    for number in numbers:
        if number in kept:
            continue
        try:
            # First, so that what cannot be removed is known tomorrow, too.
            folders += len(delete_report_folders(config.output_folder, number))
        except OSError as error:
            failed.append(f"the report of session {number} cannot be removed ({error.strerror or error})")
            continue
        with Store(engine).unit_of_work() as unit:
            # One transaction each: a recording's own writes wait for it.
            erased = erase_session(unit, number)
            if erased is None:
                continue
            detail = f"ended more than {english_count(days, 'day')} ago; {english_count(erased.students, 'student')} with it"
            unit.add_audit_entry("erase", f"session {number}", now, detail)
            unit.commit()
        sessions.append(number)
        students += erased.students
    if sessions and not truncate_wal(engine):
        failed.append("the database's log still holds what was erased, because somebody is reading")
    for line in failed:
        log.warning("%s; it is tried again", line)
    return ErasureResult(tuple(sessions), students, folders, recordings, tuple(failed))


def _erase_recordings(
    config: Config, uploads: list[Upload], failed: list[str]
) -> tuple[int, set[int | None]]:
    """How many recordings went, and the sessions of those that did not."""
    gone, kept = 0, set()
    for one in uploads:
        try:
            gone += erase_upload(config, one)
        except OSError as error:
            # Not by its name, which may be somebody's.
            of = "" if one.session_id is None else f" of session {one.session_id}"
            failed.append(f"the recording{of} cannot be removed ({error.strerror or error})")
            kept.add(one.session_id)
    return gone, kept


def erase_student_from_session(
    engine: Engine,
    config: Config,
    people: SessionPeople,
    student: StudentRecord,
    regenerate: Callable[[int], object],
    *,
    actor: str | None = None,
) -> int:
    """Erase all that an ended session holds of somebody, with its report, which ``regenerate`` makes again;
    returns how many bins went. The audit says that it was done and ``actor`` whom, never of whom. Raises
    UserError where a part of what was recorded as them is somebody else's, DatabaseError and OSError."""
    session_id = people.session.id
    recordings = find_recorded_ids(engine, session_id, student.id)
    if recordings.shared:
        raise UserError(
            f"a part of what was recorded of {student.pseudonym} is somebody else's since a correction: take the "
            "correction back first, or erase the lesson"
        )
    bins = erase_students_and_report(
        engine, config, session_id, recordings.exclusive, "a student", actor=actor
    )
    if not truncate_wal(engine):
        log.info("the database's log still holds what was erased, because somebody is reading")
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
    """Erase what a session holds of ``students``, by their numbers, and its report; returns how many bins
    went. The audit says ``reason``, in words without names, and ``actor`` whom. Raises DatabaseError and
    OSError."""
    # First, so that it can be tried again where the report cannot be removed.
    delete_report_folders(config.output_folder, session_id)
    with Store(engine).unit_of_work() as unit:
        bins = sum(erase_student(unit, session_id, number) for number in students)
        detail = f"{reason}; {bins} bins with it" + (f", by {actor}" if actor else "")
        unit.add_audit_entry("erase", f"session {session_id}", now_utc(), detail)
        unit.commit()
    # One that was written since. Where that goes on, whoever writes it sees that somebody is gone
    # (``make_report``).
    with suppress(OSError):
        delete_report_folders(config.output_folder, session_id)
    return bins
