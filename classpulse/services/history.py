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
from db.history import class_history, list_class_sessions, session_counts
from db.records import SessionRecord, SessionStatus, StudentSession
from db.sessions import list_sessions
from reports.history.sessions import SessionLine, session_lines
from reports.history.student import StudentHistory, build_student_history, find_roster_student
from reports.history.term import TermHistory, build_term_history
from reports.history.weeks import ClassTrends, build_class_trends, monday_midnight
from reports.rendering.paper import PaperSize
from reports.text.dates import ReportSettings, local_time
from reports.text.i18n import Language, use_language


def recent_trends(engine: Engine, class_name: str, weeks: int, settings: ReportSettings) -> ClassTrends:
    """A class over so many weeks, up to that of its latest lesson; no lessons where it has none."""
    latest = list_sessions(engine, class_name, limit=1)
    if not latest:
        return ClassTrends(class_name, (), ())
    last = local_time(latest[0].started_at, settings)
    since = day_start(monday_midnight(last) - timedelta(weeks=weeks - 1), settings)
    return build_class_trends(class_name, class_history(engine, class_name, since).sessions, settings, weeks)


def history_with_missed(
    engine: Engine, name: str, found: Sequence[StudentSession], settings: ReportSettings
) -> StudentHistory:
    """The history of whoever is called ``name``, with the lessons of their class that they missed."""
    person = find_roster_student(found)
    lessons = list_class_sessions(engine, person.class_name) if person else []
    return build_student_history(name, found, lessons, settings)


def load_term(
    engine: Engine,
    class_name: str,
    settings: ReportSettings,
    since: datetime | None = None,
    until: datetime | None = None,
) -> TermHistory:
    """The term of a class between two days, which both count."""
    history = class_history(engine, class_name, day_start(since, settings), day_end(until, settings))
    return build_term_history(class_name, history, settings)


def render_term_html(term: TermHistory, language: Language) -> str:
    """Its report as a page in a language. Takes a second or two."""
    # Here and not above: the charts' library takes longer to import than most commands take.
    from reports.history.document import render_document_html
    from reports.history.pages.term import term_page

    with use_language(language):
        return render_document_html(term_page(term))


def render_term_pdf(term: TermHistory, paper: PaperSize, language: Language) -> bytes:
    """Its report as a PDF in a language; the term must have a lesson. Raises ReportError if it cannot be laid
    out."""
    from reports.history.pages.term import term_title
    from reports.rendering.pdf import render_pdf

    with use_language(language):
        named = term_title(term)
    return render_pdf(render_term_html(term, language), named, term.trends.sessions[-1].started_at, paper)


@dataclass(frozen=True)
class SessionFilter:
    """Which sessions: each None or False asks for nothing. ``since`` and ``until`` are days without a zone,
    meant in the report's; the last counts. ``flagged`` are those with a flag."""

    class_name: str | None = None
    room: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: SessionStatus | None = None
    flagged: bool = False


@dataclass(frozen=True)
class PastSession:
    """A session, and its line of the list."""

    session: SessionRecord
    line: SessionLine


def find_past_sessions(
    engine: Engine,
    filters: SessionFilter,
    settings: ReportSettings,
    is_visible: Callable[[str], bool] = lambda class_name: True,
) -> list[PastSession]:
    """The sessions that are wanted, of the classes that ``is_visible`` is true of, the newest first. Raises
    ReportError for an unknown time zone."""
    found = queries.list_sessions(
        engine,
        filters.class_name,
        filters.status,
        room=filters.room,
        since=day_start(filters.since, settings),
        until=day_end(filters.until, settings),
    )
    seen = [one for one in found if is_visible(one.class_name)]
    lines = session_lines(seen, session_counts(engine), settings)
    told = [PastSession(session, line) for session, line in zip(seen, lines, strict=True)]
    return [one for one in told if one.line.flagged or not filters.flagged]


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


def page_language(config: Config, requested: Language | None) -> Language:
    """The language that a page is written in."""
    return requested or config.settings.output.language
