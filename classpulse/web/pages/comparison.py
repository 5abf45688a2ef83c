"""Two lessons of a class side by side."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from classpulse.web.class_access import be_summed_up, called, group_for, keeps_students, settings_for
from classpulse.web.context import render, site_of, told_to_reader
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from classpulse.web.svg_charts import difference_svg
from db.history import lessons_of
from db.sessions import sessions
from reports.history.comparison import MOST_CHANGES, Comparison, compared
from reports.history.pages.comparison import sentences
from reports.history.statistics import Estimate
from reports.text.dates import local_time


@told_to_reader
def compare(request: Request) -> Response:
    """Choose two lessons; with both, what differs."""
    site, group, asked = site_of(request), group_for(request), request.query_params
    waiting = be_summed_up(site)
    found = sessions(site.engine, group.name)
    chosen = [next((one.id for one in found if str(one.id) == asked.get(name)), None) for name in _BOTH]
    comparison = None
    if chosen[0] is not None and chosen[1] is not None and chosen[0] != chosen[1]:
        comparison = compared(lessons_of(site.engine, [number for number in chosen if number is not None]))
    people = keeps_students(site)
    if comparison and comparison.changes and people:
        called(request, [], f"sessions {chosen[0]} and {chosen[1]}")
    return render(
        request,
        "compare.html.j2",
        group=group,
        waiting=waiting,
        lessons=[(one, local_time(one.started_at, settings_for(request))) for one in found],
        chosen=chosen,
        same=chosen[0] is not None and chosen[0] == chosen[1],
        found=comparison,
        sentences=sentences(comparison) if comparison else (),
        rows=_drawn(comparison) if comparison else [],
        changes=_changes(comparison) if comparison and people else [],
    )


_BOTH = ("first", "second")


def _drawn(found: Comparison) -> list[tuple[tuple[str, ...], object]]:
    widest = _widest([row.change for row in found.rows])
    return [(row.cells, difference_svg(row.change, widest)) for row in found.rows]


def _changes(found: Comparison) -> list[tuple[tuple[str, ...], object]]:
    most = found.changes[:MOST_CHANGES]
    widest = _widest([one.change for one in most])
    return [(one.cells, difference_svg(one.change, widest)) for one in most]


def _widest(changes: list[Estimate | None]) -> float:
    """The end that is the furthest from zero, so that all are drawn to one scale."""
    ends = [abs(end) for one in changes if one for end in (one.low, one.high, one.value) if end is not None]
    return max([0.05, *ends])


ROUTES = [route("/classes/{group:int}/compare", compare, Action.LOOK)]
