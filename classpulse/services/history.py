"""What the record holds over many sessions, read for a person: the commands' and the dashboard's.

The past sessions, narrowed down: what ``classpulse sessions`` and the dashboard list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from classpulse.config.settings import Config
from db import sessions as queries
from db.history import bare_lessons, class_history, session_counts
from db.records import SessionRecord, SessionStatus, StudentSession
from db.sessions import sessions
from reports.history.sessions import SessionLine, session_lines
from reports.history.student import StudentHistory, roster_person, told_history
from reports.history.term import Term, class_term
from reports.history.weeks import ClassTrends, class_trends, monday_before
from reports.rendering.paper import Paper
from reports.text.dates import ReportSettings, local_time
from reports.text.i18n import Language, speaking


def last_weeks(engine: Engine, class_name: str, weeks: int, settings: ReportSettings) -> ClassTrends:
    """A class over so many weeks, up to that of its latest lesson; no lessons where it has none."""
    latest = sessions(engine, class_name, limit=1)
    if not latest:
        return ClassTrends(class_name, (), ())
    last = local_time(latest[0].started_at, settings)
    since = day_start(monday_before(last) - timedelta(weeks=weeks - 1), settings)
    return class_trends(class_name, class_history(engine, class_name, since).lessons, settings, weeks)


def with_missed(
    engine: Engine, name: str, found: Sequence[StudentSession], settings: ReportSettings
) -> StudentHistory:
    """The history of whoever is called ``name``, with the lessons of their class that they missed."""
    person = roster_person(found)
    lessons = bare_lessons(engine, person.class_name) if person else []
    return told_history(name, found, lessons, settings)


def term_of(
    engine: Engine,
    class_name: str,
    settings: ReportSettings,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Term:
    """The term of a class between two days, which both count."""
    history = class_history(engine, class_name, day_start(since, settings), day_end(until, settings))
    return class_term(class_name, history, settings)


def term_html(term: Term, language: Language) -> str:
    """Its report as a page in a language. Takes a second or two."""
    # Here and not above: the charts' library takes longer to import than most commands take.
    from reports.history.document import to_html
    from reports.history.pages.term import term_page

    with speaking(language):
        return to_html(term_page(term))


def term_pdf(term: Term, paper: Paper, language: Language) -> bytes:
    """Its report as a PDF in a language; the term must have a lesson. Raises ReportError if it cannot be laid
    out."""
    from reports.history.pages.term import title
    from reports.rendering.pdf import to_pdf

    with speaking(language):
        named = title(term)
    return to_pdf(term_html(term, language), named, term.trends.lessons[-1].started_at, paper)


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


def day_start(day: datetime | None, settings: ReportSettings) -> datetime | None:
    """The midnight that a day begins with, in the report's zone."""
    if day is None:
        return None
    zone = local_time(day.astimezone(), settings).tzinfo if settings.timezone else None
    return day.replace(tzinfo=zone) if zone else day.astimezone()


def day_end(day: datetime | None, settings: ReportSettings) -> datetime | None:
    """The midnight that a day ends with."""
    return None if day is None else day_start(day + timedelta(days=1), settings)


def report_settings(config: Config) -> ReportSettings:
    """In whose zone times are told and dates are meant."""
    return ReportSettings(timezone=config.settings.output.time_zone)


def language_of(config: Config, asked: Language | None) -> Language:
    """The language that a page is written in."""
    return asked or config.settings.output.language
