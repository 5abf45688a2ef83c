"""Erasing what an online lesson holds of a student who has withdrawn."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from classpulse.config.settings import Config
from classpulse.services.erasure import erase_students_and_report
from db import sessions as queries
from db.engine import truncate_wal
from db.erasure import find_recorded_id
from db.records import SessionStatus

log = logging.getLogger(__name__)

CLOCK_TOLERANCE = timedelta(seconds=5)
"""A session's first picture may be dated a little before the lesson was opened, where the clock was set."""

RegenerateReport = Callable[[Config, int], None]
"""Makes the report of a session anew."""


@dataclass(frozen=True)
class WithdrawnStudent:
    """Who wants nothing kept: ``pseudonym`` of a lesson of class ``class_name`` in ``room`` since
    ``opened_at``; ``student_id`` where they are on the roster."""

    class_name: str
    room: str
    opened_at: datetime
    pseudonym: str
    student_id: int | None


def erase_withdrawn_student(
    engine: Engine,
    config: Config,
    withdrawn: WithdrawnStudent,
    regenerate: RegenerateReport,
    *,
    acknowledged: bool,
) -> bool:
    """Erase what the lesson's ended sessions hold of them, with reports that show them; True once nothing is
    left and nothing will come. A running session is its recording's, which erases by itself; ``acknowledged`` says
    whether it has understood that. Raises DatabaseError and OSError."""
    has_data_left = False
    since = withdrawn.opened_at - CLOCK_TOLERANCE
    for session in queries.list_sessions(engine, withdrawn.class_name, room=withdrawn.room, since=since):
        student = find_recorded_id(engine, session.id, withdrawn.pseudonym, withdrawn.student_id)
        if session.status is SessionStatus.RUNNING:
            has_data_left = has_data_left or student is not None or not acknowledged
        elif student is not None:
            erase_students_and_report(engine, config, session.id, [student], "somebody withdrew")
            regenerate(config, session.id)
    if not has_data_left and not truncate_wal(engine):
        log.info("the database's log still holds what was erased, because somebody is reading")
    return not has_data_left


def regenerate_in_background(config: Config, session_id: int) -> None:
    """Make a session's report again, in a process of its own, which nobody waits for."""
    command = [sys.executable, "-m", "classpulse", "--config", str(config.path), "report", str(session_id)]
    null = subprocess.DEVNULL
    work = {"stdin": null, "stdout": null, "stderr": null, "check": False}
    threading.Thread(target=subprocess.run, args=(command,), kwargs=work, name="report", daemon=True).start()
