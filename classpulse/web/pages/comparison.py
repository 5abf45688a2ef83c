"""Two lessons of a class side by side."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from classpulse.web.class_access import (
    audited_names,
    report_settings_for,
    requested_class,
    shows_students,
    summaries_pending,
)
from classpulse.web.context import context_of, localized, render_page
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from classpulse.web.svg_charts import difference_svg
from db.history import history_of_sessions
from db.sessions import list_sessions
from reports.history.comparison import MAX_CHANGES, Comparison, compare_sessions
from reports.history.pages.comparison import comparison_sentences
from reports.history.statistics import Estimate
from reports.text.dates import local_time


@localized
def lesson_comparison_page(request: Request) -> Response:
    """Choose two lessons; with both, what differs."""
    site, group, asked = context_of(request), requested_class(request), request.query_params
    waiting = summaries_pending(site)
    found = list_sessions(site.engine, group.name)
    chosen = [next((one.id for one in found if str(one.id) == asked.get(name)), None) for name in _PARAMETERS]
    comparison = None
    if chosen[0] is not None and chosen[1] is not None and chosen[0] != chosen[1]:
        comparison = compare_sessions(
            history_of_sessions(site.engine, [number for number in chosen if number is not None])
        )
    people = shows_students(site)
    if comparison and comparison.changes and people:
        audited_names(request, [], f"sessions {chosen[0]} and {chosen[1]}")
    return render_page(
        request,
        "compare.html.j2",
        group=group,
        waiting=waiting,
        lessons=[(one, local_time(one.started_at, report_settings_for(request))) for one in found],
        chosen=chosen,
        same=chosen[0] is not None and chosen[0] == chosen[1],
        found=comparison,
        sentences=comparison_sentences(comparison) if comparison else (),
        rows=_rows_with_charts(comparison) if comparison else [],
        changes=_changes_with_charts(comparison) if comparison and people else [],
    )


_PARAMETERS = ("first", "second")


def _rows_with_charts(found: Comparison) -> list[tuple[tuple[str, ...], object]]:
    widest = _chart_range([row.difference for row in found.rows])
    return [(row.cells, difference_svg(row.difference, widest)) for row in found.rows]


def _changes_with_charts(found: Comparison) -> list[tuple[tuple[str, ...], object]]:
    most = found.changes[:MAX_CHANGES]
    widest = _chart_range([one.difference for one in most])
    return [(one.cells, difference_svg(one.difference, widest)) for one in most]


def _chart_range(changes: list[Estimate | None]) -> float:
    """The end that is the furthest from zero, so that all are drawn to one scale."""
    ends = [abs(end) for one in changes if one for end in (one.low, one.high, one.value) if end is not None]
    return max([0.05, *ends])


ROUTES = [route("/classes/{group:int}/compare", lesson_comparison_page, Permission.VIEW)]
