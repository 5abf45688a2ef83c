"""History over several sessions for the commands and the dashboard: filters, trends, terms and their
pages."""

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
    """The trends of a class over ``weeks`` weeks up to its latest session; empty without sessions."""
    latest = list_sessions(engine, class_name, limit=1)
    if not latest:
        return ClassTrends(class_name, (), ())
    last = local_time(latest[0].started_at, settings)
    since = day_start(monday_midnight(last) - timedelta(weeks=weeks - 1), settings)
    return build_class_trends(class_name, class_history(engine, class_name, since).sessions, settings, weeks)


def history_with_missed(
    engine: Engine, name: str, found: Sequence[StudentSession], settings: ReportSettings
) -> StudentHistory:
    """The history of the student ``name``, including the missed sessions of the class."""
    person = find_roster_student(found)
    class_sessions = list_class_sessions(engine, person.class_name) if person else []
    return build_student_history(name, found, class_sessions, settings)


def load_term(
    engine: Engine,
    class_name: str,
    settings: ReportSettings,
    since: datetime | None = None,
    until: datetime | None = None,
) -> TermHistory:
    """The term of a class between two days, both included."""
    history = class_history(engine, class_name, day_start(since, settings), day_end(until, settings))
    return build_term_history(class_name, history, settings)


def render_term_html(term: TermHistory, language: Language) -> str:
    """The term report as HTML. Takes a second or two."""
    # Imported late: the chart library takes longer to import than most commands take to run.
    from reports.history.document import render_document_html
    from reports.history.pages.term import term_page

    with use_language(language):
        return render_document_html(term_page(term))


def render_term_pdf(term: TermHistory, paper: PaperSize, language: Language) -> bytes:
    """The term report as PDF; the term must have a session. Raises ReportError if the layout fails."""
    from reports.history.pages.term import term_title
    from reports.rendering.pdf import render_pdf

    with use_language(language):
        title = term_title(term)
    return render_pdf(render_term_html(term, language), title, term.trends.sessions[-1].started_at, paper)


@dataclass(frozen=True)
class SessionFilter:
    """Selects sessions; None and False select all. ``since`` and ``until`` are days in the zone of the
    reports, both included. ``flagged``: only sessions with a flag."""

    class_name: str | None = None
    room: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    status: SessionStatus | None = None
    flagged: bool = False


@dataclass(frozen=True)
class PastSession:
    """A session and its line in the list."""

    session: SessionRecord
    line: SessionLine


def find_past_sessions(
    engine: Engine,
    filters: SessionFilter,
    settings: ReportSettings,
    is_visible: Callable[[str], bool] = lambda class_name: True,
) -> list[PastSession]:
    """The selected sessions of the visible classes, newest first. Raises ReportError for an unknown time
    zone."""
    sessions = queries.list_sessions(
        engine,
        filters.class_name,
        filters.status,
        room=filters.room,
        since=day_start(filters.since, settings),
        until=day_end(filters.until, settings),
    )
    visible = [session for session in sessions if is_visible(session.class_name)]
    lines = session_lines(visible, session_counts(engine), settings)
    past = [PastSession(session, line) for session, line in zip(visible, lines, strict=True)]
    return [entry for entry in past if entry.line.flagged or not filters.flagged]


def day_start(day: datetime | None, settings: ReportSettings) -> datetime | None:
    """The start of a day in the zone of the reports."""
    if day is None:
        return None
    zone = local_time(day.astimezone(), settings).tzinfo if settings.timezone else None
    return day.replace(tzinfo=zone) if zone else day.astimezone()


def day_end(day: datetime | None, settings: ReportSettings) -> datetime | None:
    """The end of a day in the zone of the reports."""
    return None if day is None else day_start(day + timedelta(days=1), settings)


def report_settings(config: Config) -> ReportSettings:
    """The report settings: the zone of times and dates."""
    return ReportSettings(timezone=config.settings.output.time_zone)


def page_language(config: Config, requested: Language | None) -> Language:
    """The requested language, else the configured one."""
    return requested or config.settings.output.language
