"""Keeping to ``retention.keep_days``: what has been kept long enough is erased, with its reports.

For the daemon: call ``enforce`` once a night; it returns what went and what could not, and raises
DatabaseError.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from classpulse.console import count
from classpulse.reportfolder import find_report_folders, remove_report
from classpulse.settings import Config
from classpulse.summarising import sum_up
from classpulse.uploads import Upload, erasable, erase_recording
from db.engine import clear_log
from db.retention import ended_before, erase_session
from db.store import Store

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
