"""The list of classes, and one class over its lessons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from classpulse.services.history import SessionFilter, find_past_sessions, load_term, recent_trends
from classpulse.web.class_access import (
    audited_names,
    report_settings_for,
    requested_class,
    shows_students,
    summaries_pending,
    visible_classes,
)
from classpulse.web.context import context_of, localized, render_page, request_account
from classpulse.web.permissions import Permission, can_view_class
from classpulse.web.routing import route
from classpulse.web.svg_charts import panel_svg, sparkline_svg
from db.history import session_counts
from db.sessions import list_sessions
from reports.charts.levels import SharePoint
from reports.history.pages.trends import DRAWN_MEASURES, METHOD_NOTE, empty_weeks, trend_panels
from reports.history.presence import SessionPresence
from reports.history.term import TermStudent
from reports.history.weeks import CLASS_SESSION_HEADINGS, WEEK_HEADINGS, ClassTrends
from reports.text.dates import local_time
from reports.text.formatting import format_percent
from reports.text.i18n import _

WEEK_CHOICES = (6, 12, 26)
"""Periods of the charts, beside all lessons."""

LISTED_LESSONS = 8
"""Lessons listed on the page of a class."""


@dataclass(frozen=True)
class ClassStudent:
    """One student of the roster over the lessons: number of lessons seen and missed."""

    term: TermStudent
    seen: int
    missed: int
    sparkline: Markup


def classes_page(request: Request) -> Response:
    """The classes that the account may view."""
    context, account = context_of(request), request_account(request)
    groups, counts = visible_classes(request), session_counts(context.engine)
    sessions = [
        session for session in list_sessions(context.engine) if can_view_class(account, session.class_name)
    ]
    rows = []
    for group in groups:
        class_sessions = [session for session in sessions if session.class_name == group.name]
        rows.append(
            {
                "group": group,
                "lessons": len(class_sessions),
                "last": local_time(class_sessions[0].started_at, report_settings_for(request))
                if class_sessions
                else None,
                "open": sum(
                    counts[class_session.id].unreviewed
                    for class_session in class_sessions
                    if class_session.id in counts
                ),
            }
        )
    known_names = {known_group.name for known_group in groups}
    return render_page(
        request,
        "classes.html.j2",
        rows=rows,
        without_lessons=sorted(account.classes - known_names),
        shows_students=shows_students(context),
    )


@localized
def class_page(request: Request) -> Response:
    """The trends, lessons and students of one class."""
    context, group, settings = context_of(request), requested_class(request), report_settings_for(request)
    pending = summaries_pending(context)
    requested_weeks = request.query_params.get("weeks", "")
    weeks = (
        int(requested_weeks)
        if requested_weeks in map(str, WEEK_CHOICES)
        else None
        if requested_weeks == "all"
        else WEEK_CHOICES[1]
    )
    term = load_term(context.engine, group.name, settings)
    trends = recent_trends(context.engine, group.name, weeks, settings) if weeks else term.trends
    shows_people = shows_students(context)
    expressions = any(cell.sad for student in term.students for cell in student.cells)
    students = (
        [_student(student, trends, expressions=expressions) for student in term.students]
        if shows_people
        else []
    )
    names: dict[int, str] = {}
    if students:
        names = audited_names(
            request, [student.term.student_id for student in students], f"class {group.name}"
        )
    lessons = find_past_sessions(context.engine, SessionFilter(class_name=group.name), settings)
    return render_page(
        request,
        "class.html.j2",
        group=group,
        summaries_pending=pending,
        weeks=weeks,
        choices=WEEK_CHOICES,
        figures=trend_figures(trends),
        weeks_table=_table(WEEK_HEADINGS, [week.cells for week in trends.weeks], trends),
        lessons_table=_table(CLASS_SESSION_HEADINGS, [session.cells for session in trends.sessions], trends),
        note=_(METHOD_NOTE) if _has_expressions(trends) else "",
        lessons=lessons[:LISTED_LESSONS],
        total=len(lessons),
        watched_s=term.watched_s,
        open=sum(lesson.line.unreviewed or 0 for lesson in lessons),
        students=students,
        names=names,
        has_expressions=expressions,
        seat_only_count=term.seat_only_count,
        shows_students=shows_people,
    )


_PANEL_FIGURES = {
    name.removeprefix("resembling "): name for name in DRAWN_MEASURES if name.startswith("resembling ")
}
"""Full names of the panels; the report omits the words that its axis shows."""


def trend_figures(trends: ClassTrends) -> list[dict[str, Any]]:
    """One chart per available measure."""
    moments = [session.started_at for session in trends.sessions]
    links = {session.started_at: f"/lessons/{session.session_id}" for session in trends.sessions}
    empty = empty_weeks(trends)
    return [
        {
            "name": _PANEL_FIGURES.get(panel.label, panel.label),
            "svg": panel_svg(
                panel,
                moments,
                f"{_(_PANEL_FIGURES.get(panel.label, panel.label))}: "
                + ", ".join(format_percent(point.value) for point in panel.points),
                empty_spans=empty,
                links=links,
            ),
        }
        for panel in trend_panels(trends)
    ]


def _has_expressions(trends: ClassTrends) -> bool:
    return any(line.figures.get(name) for line in trends.sessions for name in _PANEL_FIGURES.values())


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], trends: ClassTrends) -> tuple[Any, Any]:
    """Headings and rows, without expression columns if no expression was computed."""
    hidden_headings = () if _has_expressions(trends) else tuple(_PANEL_FIGURES)
    kept_columns = [at for at, heading in enumerate(headings) if heading not in hidden_headings]
    return [headings[at] for at in kept_columns], [[row[at] for at in kept_columns] for row in rows]


def _student(student: TermStudent, trends: ClassTrends, *, expressions: bool) -> ClassStudent:
    # The cells cover all lessons, the trends possibly only the last weeks.
    moments = [line.started_at for line in trends.sessions]
    cells = student.cells[len(student.cells) - len(moments) :] if moments else ()
    pairs = [(at, cell) for at, cell in zip(moments, cells, strict=True)]
    points = []
    for at, cell in pairs:
        level = cell.sad if expressions else cell.away
        if level is not None:
            points.append(SharePoint(at, level.share, level.low, level.high, cell.flagged))
    alt = ", ".join(format_percent(point.value) for point in points)
    return ClassStudent(
        student,
        student.count(SessionPresence.SEEN),
        student.count(SessionPresence.MISSED),
        sparkline_svg(points, None, alt),
    )


ROUTES = [
    route("/classes", classes_page, Permission.VIEW),
    route("/classes/{group:int}", class_page, Permission.VIEW),
]
