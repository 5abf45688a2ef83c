"""Erasing one student from a past lesson, at their wish: what the dashboard, online lessons and ``classpulse
data erase`` share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from sqlalchemy import Engine

from classpulse.errors import UserError
from classpulse.register import Register
from classpulse.reportfolder import remove_report
from classpulse.settings import Config
from db.engine import clear_log
from db.records import StudentRecord
from db.retention import erase_student, recordings_of
from db.store import Store, now_utc

log = logging.getLogger(__name__)


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
