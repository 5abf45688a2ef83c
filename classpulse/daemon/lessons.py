"""Lessons of the timetable and the sessions that they came to."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Engine

from db import queries
from db.records import SessionRecord, SessionStatus
from db.store import Store
from monitor.domain import GapReason
from monitor.timetable import Lesson

log = logging.getLogger(__name__)


def sessions_of(engine: Engine, lesson: Lesson) -> list[SessionRecord]:
    """The sessions of its class (and of its room, where both say one) that began during a lesson, the newest
    first."""
    found = queries.sessions(engine, lesson.class_name, since=lesson.starts_at, until=lesson.ends_at)
    return [one for one in found if None in (one.room, lesson.room) or one.room == lesson.room]


def ended_by_hand(engine: Engine, lesson: Lesson) -> bool:
    """Whether the newest session of a lesson that is still on was ended in good order: by somebody, then. The
    scheduler's ``over``: a restart is no reason to watch again."""
    found = sessions_of(engine, lesson)
    return bool(found) and found[0].status is SessionStatus.FINISHED


def broke_off_paused(engine: Engine, lesson: Lesson) -> bool:
    """Whether the newest session of a lesson that is still on was paused to its last: who paused it wants
    nothing seen, after a restart as before it."""
    found = sessions_of(engine, lesson)
    gaps = queries.gaps(engine, found[0].id) if found else []
    return bool(gaps) and gaps[-1].reason == GapReason.PAUSED.value and gaps[-1].end_s >= found[0].end_s


def tell_missed(engine: Engine, lesson: Lesson, now: datetime) -> bool:
    """Tell the log and the audit of a lesson that was not recorded, because too little was left of it when it
    could have been. False, and nothing is told, where somebody recorded it without the timetable."""
    if sessions_of(engine, lesson):
        return False
    room = f" in room {lesson.room}" if lesson.room else ""
    when = f"{lesson.starts_at:%Y-%m-%d %H:%M} to {lesson.ends_at:%H:%M} UTC"
    log.warning("the lesson of class %r%s, %s, was missed", lesson.class_name, room, when)
    with Store(engine).unit() as unit:
        unit.audit("missed", f"lesson of class {lesson.class_name}{room}", now, when)
        unit.commit()
    return True
