"""Keeping to ``retention.keep_days``: what has been kept long enough is erased, with its reports.

For the daemon: call ``enforce`` once a night; it returns what went and what could not, and raises
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
from classpulse.formatting import count
from classpulse.services.assessment import sum_up
from classpulse.services.corrections import Register
from classpulse.services.report_files import find_report_folders, remove_report
from classpulse.services.uploads import Upload, erasable, erase_recording
from db.clock import now_utc
from db.engine import clear_log
from db.erasure import ended_before, erase_session, erase_student, recordings_of
from db.records import StudentRecord
from db.unit_of_work import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Erasure:
    """What went: the numbers of the ``sessions``, the ``students`` known from them alone, the report
    ``folders``, the uploaded ``recordings``. ``failed`` says in a line each what could not be erased; it is
    tried again the next time."""

    sessions: tuple[int, ...] = ()
    students: int = 0
    folders: int = 0
    recordings: int = 0
    failed: tuple[str, ...] = ()


def enforce(engine: Engine, config: Config, now: datetime) -> Erasure:
    """Erase the sessions that ended more than ``retention.keep_days`` before ``now`` (aware); nothing if it
    is None."""
    days = config.settings.retention.keep_days
    return Erasure() if days is None else erase_older(engine, config, now, days)


def found_older(engine: Engine, config: Config, now: datetime, days: int) -> Erasure:
    """What ``erase_older`` would take; nothing is changed. The students are not counted."""
    before = now - timedelta(days=days)
    sessions = tuple(ended_before(engine, before))
    folders = sum(len(find_report_folders(config.output_folder, number)) for number in sessions)
    recordings = sum(one.there for one in erasable(config, sessions, before))
    return Erasure(sessions, folders=folders, recordings=recordings)


def erase_older(engine: Engine, config: Config, now: datetime, days: int) -> Erasure:
    """Erase the sessions that ended more than ``days`` days before ``now``, the oldest first, with the
    recordings that were uploaded for them; and recordings of that age that led to no session."""
    before = now - timedelta(days=days)
    numbers = ended_before(engine, before)
    sessions: list[int] = []
    failed: list[str] = []
    recordings, kept = _erase_recordings(config, erasable(config, numbers, before), failed)
    if numbers:
        # Verdicts that were never made would be held against less from now on.
        sum_up(engine, config, quiet=True)
    students = folders = 0
    for number in numbers:
        if number in kept:
            continue
        try:
            # First, so that what cannot be removed is known tomorrow, too.
            folders += len(remove_report(config.output_folder, number))
        except OSError as error:
            failed.append(f"the report of session {number} cannot be removed ({error.strerror or error})")
            continue
        with Store(engine).unit() as unit:
            # One transaction each: a recording's own writes wait for it.
            erased = erase_session(unit, number)
            if erased is None:
                continue
            detail = f"ended more than {count(days, 'day')} ago; {count(erased.students, 'student')} with it"
            unit.audit("erase", f"session {number}", now, detail)
            unit.commit()
        sessions.append(number)
        students += erased.students
    if sessions and not clear_log(engine):
        failed.append("the database's log still holds what was erased, because somebody is reading")
    for line in failed:
        log.warning("%s; it is tried again", line)
    return Erasure(tuple(sessions), students, folders, recordings, tuple(failed))


def _erase_recordings(
    config: Config, uploads: list[Upload], failed: list[str]
) -> tuple[int, set[int | None]]:
    """How many recordings went, and the sessions of those that did not."""
    gone, kept = 0, set()
    for one in uploads:
        try:
            gone += erase_recording(config, one)
        except OSError as error:
            # Not by its name, which may be somebody's.
            of = "" if one.session_id is None else f" of session {one.session_id}"
            failed.append(f"the recording{of} cannot be removed ({error.strerror or error})")
            kept.add(one.session_id)
    return gone, kept


def erase_from_lesson(
    engine: Engine,
    config: Config,
    register: Register,
    who: StudentRecord,
    remake: Callable[[int], object],
    *,
    by: str | None = None,
) -> int:
    """Erase all that an ended session holds of somebody, with its report, which ``remake`` makes again;
    returns how many bins went. The audit says that it was done and ``by`` whom, never of whom. Raises
    UserError where a part of what was recorded as them is somebody else's, DatabaseError and OSError."""
    session_id = register.session.id
    recordings = recordings_of(engine, session_id, who.id)
    if recordings.shared:
        raise UserError(
            f"a part of what was recorded of {who.pseudonym} is somebody else's since a correction: take the "
            "correction back first, or erase the lesson"
        )
    bins = erase_with_report(engine, config, session_id, recordings.own, "a student", by=by)
    if not clear_log(engine):
        log.info("the database's log still holds what was erased, because somebody is reading")
    remake(session_id)
    return bins


def erase_with_report(
    engine: Engine,
    config: Config,
    session_id: int,
    students: Iterable[int],
    why: str,
    *,
    by: str | None = None,
) -> int:
    """Erase what a session holds of ``students``, by their numbers, and its report; returns how many bins
    went. The audit says ``why``, in words without names, and ``by`` whom. Raises DatabaseError and
    OSError."""
    # First, so that it can be tried again where the report cannot be removed.
    remove_report(config.output_folder, session_id)
    with Store(engine).unit() as unit:
        bins = sum(erase_student(unit, session_id, number) for number in students)
        detail = f"{why}; {bins} bins with it" + (f", by {by}" if by else "")
        unit.audit("erase", f"session {session_id}", now_utc(), detail)
        unit.commit()
    # One that was written since. Where that goes on, whoever writes it sees that somebody is gone
    # (``make_report``).
    with suppress(OSError):
        remove_report(config.output_folder, session_id)
    return bins
