"""Erasure of the data of a participant who has withdrawn from an online lesson."""

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
"""A session may start slightly before its lesson was opened if the computer's clock was set back."""

RegenerateReport = Callable[[Config, int], None]
"""Regenerates the report of a session."""


@dataclass(frozen=True)
class WithdrawnStudent:
    """A withdrawn participant of the lesson of ``class_name`` in ``room`` since ``opened_at``; ``student_id``
    is None for a student who is not on the roster."""

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
    """Erase the participant from the ended sessions of the lesson and their reports.

    The recorder of a running session erases the participant itself; ``acknowledged``: it has confirmed the
    request. Returns True once no data are left and none will be added. Raises DatabaseError and OSError.
    """
    has_data_left = False
    since = withdrawn.opened_at - CLOCK_TOLERANCE
    for session in queries.list_sessions(engine, withdrawn.class_name, room=withdrawn.room, since=since):
        student = find_recorded_id(engine, session.id, withdrawn.pseudonym, withdrawn.student_id)
        if session.status is SessionStatus.RUNNING:
            has_data_left = has_data_left or student is not None or not acknowledged
        elif student is not None:
            erase_students_and_report(engine, config, session.id, [student], "a participant withdrew")
            regenerate(config, session.id)
    if not has_data_left and not truncate_wal(engine):
        log.info("the write-ahead log still contains erased data because of a concurrent reader")
    return not has_data_left


def regenerate_in_background(config: Config, session_id: int) -> None:
    """Regenerate the report of a session in a separate process."""
    command = [sys.executable, "-m", "classpulse", "--config", str(config.path), "report", str(session_id)]
    null = subprocess.DEVNULL
    work = {"stdin": null, "stdout": null, "stderr": null, "check": False}
    threading.Thread(target=subprocess.run, args=(command,), kwargs=work, name="report", daemon=True).start()
