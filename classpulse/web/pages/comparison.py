"""Comparison of two lessons of a class."""

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
    """The form for choosing two lessons and, with both, their differences."""
    context, group, query = context_of(request), requested_class(request), request.query_params
    pending = summaries_pending(context)
    sessions = list_sessions(context.engine, group.name)
    chosen_ids = [
        next((session.id for session in sessions if str(session.id) == query.get(name)), None)
        for name in _PARAMETERS
    ]
    comparison = None
    if chosen_ids[0] is not None and chosen_ids[1] is not None and chosen_ids[0] != chosen_ids[1]:
        comparison = compare_sessions(
            history_of_sessions(context.engine, [number for number in chosen_ids if number is not None])
        )
    shows_people = shows_students(context)
    if comparison and comparison.changes and shows_people:
        audited_names(request, [], f"sessions {chosen_ids[0]} and {chosen_ids[1]}")
    return render_page(
        request,
        "compare.html.j2",
        group=group,
        summaries_pending=pending,
        lessons=[
            (session, local_time(session.started_at, report_settings_for(request))) for session in sessions
        ],
        chosen_ids=chosen_ids,
        is_same=chosen_ids[0] is not None and chosen_ids[0] == chosen_ids[1],
        comparison=comparison,
        sentences=comparison_sentences(comparison) if comparison else (),
        rows=_rows_with_charts(comparison) if comparison else [],
        changes=_changes_with_charts(comparison) if comparison and shows_people else [],
    )


_PARAMETERS = ("first", "second")


def _rows_with_charts(comparison: Comparison) -> list[tuple[tuple[str, ...], object]]:
    chart_range = _chart_range([row.difference for row in comparison.rows])
    return [(row.cells, difference_svg(row.difference, chart_range)) for row in comparison.rows]


def _changes_with_charts(comparison: Comparison) -> list[tuple[tuple[str, ...], object]]:
    largest = comparison.changes[:MAX_CHANGES]
    chart_range = _chart_range([change.difference for change in largest])
    return [(change.cells, difference_svg(change.difference, chart_range)) for change in largest]


def _chart_range(changes: list[Estimate | None]) -> float:
    """The largest absolute interval bound, so that all charts have the same scale."""
    ends = [
        abs(end)
        for change in changes
        if change
        for end in (change.low, change.high, change.value)
        if end is not None
    ]
    return max([0.05, *ends])


ROUTES = [route("/classes/{group:int}/compare", lesson_comparison_page, Permission.VIEW)]
