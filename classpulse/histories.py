"""What the record holds over many sessions, read for a person: the commands' and the dashboard's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine

from classpulse.historypage import day_end, day_start
from db.lessons import bare_lessons, class_history
from db.queries import sessions
from db.records import StudentSession
from reports.history.student import StudentHistory, roster_person, told_history
from reports.history.term import Term, class_term
from reports.history.weeks import ClassTrends, class_trends, monday_before
from reports.language import Language, speaking
from reports.paper import Paper
from reports.report import ReportSettings, local_time


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
    from reports.pdf import to_pdf

    with speaking(language):
        named = title(term)
    return to_pdf(term_html(term, language), named, term.trends.lessons[-1].started_at, paper)
