"""The past sessions, narrowed down: what ``classpulse sessions`` and the dashboard list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from classpulse.historypage import day_end, day_start
from db import queries
from db.counts import session_counts
from db.records import SessionRecord, SessionStatus
from reports.history.sessions import SessionLine, session_lines
from reports.report import ReportSettings


@dataclass(frozen=True)
class Wanted:
    """Which sessions: each None or False asks for nothing. ``since`` and ``until`` are days without a zone,
    meant in the report's; the last counts. ``flagged`` are those with a flag."""

    class_name: str | None = None
    room: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: SessionStatus | None = None
    flagged: bool = False


@dataclass(frozen=True)
class PastLesson:
    """A session, and its line of the list."""

    session: SessionRecord
    line: SessionLine


def past_lessons(
    engine: Engine,
    wanted: Wanted,
    settings: ReportSettings,
    sees: Callable[[str], bool] = lambda class_name: True,
) -> list[PastLesson]:
    """The sessions that are wanted, of the classes that ``sees`` is true of, the newest first. Raises
    ReportError for an unknown time zone."""
    found = queries.sessions(
        engine,
        wanted.class_name,
        wanted.status,
        room=wanted.room,
        since=day_start(wanted.since, settings),
        until=day_end(wanted.until, settings),
    )
    seen = [one for one in found if sees(one.class_name)]
    lines = session_lines(seen, session_counts(engine), settings)
    told = [PastLesson(session, line) for session, line in zip(seen, lines, strict=True)]
    return [one for one in told if one.line.flagged or not wanted.flagged]
