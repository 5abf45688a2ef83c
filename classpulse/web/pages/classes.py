"""Classes: which there are, and one over its lessons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from classpulse.services.history import Wanted, last_weeks, past_lessons, term_of
from classpulse.web.class_access import (
    be_summed_up,
    called,
    group_for,
    keeps_students,
    seen_groups,
    settings_for,
)
from classpulse.web.context import account_of, render, site_of, told_to_reader
from classpulse.web.permissions import Action, sees_class
from classpulse.web.routing import route
from classpulse.web.svg_charts import panel_svg, spark_svg
from db.history import session_counts
from db.sessions import sessions
from reports.charts.levels import Point
from reports.history.pages.trends import DRAWN, NOTE, empty_weeks, trend_panels
from reports.history.presence import Presence
from reports.history.term import TermStudent
from reports.history.weeks import LESSON_HEADINGS, WEEK_HEADINGS, ClassTrends
from reports.text.dates import local_time
from reports.text.formatting import percent
from reports.text.i18n import _

WEEKS = (6, 12, 26)
"""What a class can be looked at over; and all."""

LAST = 8
"""Lessons that are listed here; all are under "Lessons"."""


@dataclass(frozen=True)
class Student:
    """One of the roster over the lessons."""

    term: TermStudent
    seen: int
    missed: int
    spark: Markup


def classes(request: Request) -> Response:
    """The classes that this account sees."""
    site, account = site_of(request), account_of(request)
    groups, counts = seen_groups(request), session_counts(site.engine)
    found = [one for one in sessions(site.engine) if sees_class(account, one.class_name)]
    rows = []
    for group in groups:
        own = [one for one in found if one.class_name == group.name]
        rows.append(
            {
                "group": group,
                "lessons": len(own),
                "last": local_time(own[0].started_at, settings_for(request)) if own else None,
                "open": sum(counts[one.id].open for one in own if one.id in counts),
            }
        )
    known = {one.name for one in groups}
    return render(
        request,
        "classes.html.j2",
        rows=rows,
        unknown=sorted(account.classes - known),
        keeps=keeps_students(site),
    )


@told_to_reader
def class_page(request: Request) -> Response:
    """One class: its trend, its lessons, its students."""
    site, group, settings = site_of(request), group_for(request), settings_for(request)
    waiting = be_summed_up(site)
    asked = request.query_params.get("weeks", "")
    weeks = int(asked) if asked in map(str, WEEKS) else None if asked == "all" else WEEKS[1]
    term = term_of(site.engine, group.name, settings)
    trends = last_weeks(site.engine, group.name, weeks, settings) if weeks else term.trends
    people = keeps_students(site)
    expressions = any(cell.sad for one in term.students for cell in one.cells)
    students = [_student(one, trends, expressions=expressions) for one in term.students] if people else []
    names: dict[int, str] = {}
    if students:
        names = called(request, [one.term.student_id for one in students], f"class {group.name}")
    lessons = past_lessons(site.engine, Wanted(class_name=group.name), settings)
    return render(
        request,
        "class.html.j2",
        group=group,
        waiting=waiting,
        weeks=weeks,
        choices=WEEKS,
        figures=trend_figures(trends),
        weeks_table=_table(WEEK_HEADINGS, [one.cells for one in trends.weeks], trends),
        lessons_table=_table(LESSON_HEADINGS, [one.cells for one in trends.lessons], trends),
        note=_(NOTE) if _has_expressions(trends) else "",
        lessons=lessons[:LAST],
        total=len(lessons),
        watched_s=term.watched_s,
        open=sum(one.line.open or 0 for one in lessons),
        students=students,
        names=names,
        expressions=expressions,
        by_seat=term.by_seat,
        keeps=people,
    )


_CALLED = {name.removeprefix("resembling "): name for name in DRAWN if name.startswith("resembling ")}
"""A panel of the report leaves out what its axis says."""


def trend_figures(trends: ClassTrends) -> list[dict[str, Any]]:
    """A chart for each figure that there is."""
    moments = [one.started_at for one in trends.lessons]
    addresses = {one.started_at: f"/lessons/{one.session_id}" for one in trends.lessons}
    empty = empty_weeks(trends)
    return [
        {
            "name": _CALLED.get(panel.label, panel.label),
            "svg": panel_svg(
                panel,
                moments,
                f"{_(_CALLED.get(panel.label, panel.label))}: "
                + ", ".join(percent(one.value) for one in panel.points),
                empty=empty,
                addresses=addresses,
            ),
        }
        for panel in trend_panels(trends)
    ]


def _has_expressions(trends: ClassTrends) -> bool:
    return any(line.figures.get(name) for line in trends.lessons for name in _CALLED.values())


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], trends: ClassTrends) -> tuple[Any, Any]:
    """Headings and rows; without the columns of expressions where none was computed."""
    spare = () if _has_expressions(trends) else tuple(_CALLED)
    kept = [at for at, heading in enumerate(headings) if heading not in spare]
    return [headings[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _student(one: TermStudent, trends: ClassTrends, *, expressions: bool) -> Student:
    # The cells are those of all lessons; the trends may be of the last weeks alone.
    moments = [line.started_at for line in trends.lessons]
    cells = one.cells[len(one.cells) - len(moments) :] if moments else ()
    pairs = [(at, cell) for at, cell in zip(moments, cells, strict=True)]
    points = []
    for at, cell in pairs:
        level = cell.sad if expressions else cell.away
        if level is not None:
            points.append(Point(at, level.share, level.low, level.high, cell.flagged))
    alt = ", ".join(percent(point.value) for point in points)
    return Student(one, one.count(Presence.SEEN), one.count(Presence.MISSED), spark_svg(points, None, alt))


ROUTES = [
    route("/classes", classes, Action.LOOK),
    route("/classes/{group:int}", class_page, Action.LOOK),
]
