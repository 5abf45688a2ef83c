"""One student of a class over the lessons."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from classpulse.services.history import history_with_missed
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
from classpulse.web.svg_charts import panel_svg
from db.errors import NotFound
from db.history import student_history_by_id
from reports.history.pages.student import (
    METHOD_SENTENCES,
    roster_student_lines,
    student_panels,
    student_sentences,
)
from reports.history.presence import SessionPresence
from reports.history.student import StudentHistory
from reports.text.formatting import format_percent
from reports.text.i18n import _


@localized
def class_student_page(request: Request) -> Response:
    """The history of one student: charts, flags and all lessons."""
    context, group = context_of(request), requested_class(request)
    if not shows_students(context):
        raise HTTPException(404)
    pending = summaries_pending(context)
    try:
        student, sessions = student_history_by_id(context.engine, int(request.path_params["student"]))
    except NotFound:
        raise HTTPException(404) from None
    if student.class_name != group.name:
        raise HTTPException(404)
    history = history_with_missed(context.engine, student.pseudonym, sessions, report_settings_for(request))
    names = audited_names(request, [student.id], f"{student.pseudonym} of class {group.name}")
    has_expressions = any(line.sad or line.dominant_expression is not None for line in history.lines)
    return render_page(
        request,
        "student.html.j2",
        group=group,
        student=student,
        name=names.get(student.id),
        summaries_pending=pending,
        history=history,
        lines=list(reversed(history.lines)),
        sentences=student_sentences(history) if history.lines else (),
        seen=history.count(SessionPresence.SEEN),
        missed=sum(line.presence is SessionPresence.MISSED for line in roster_student_lines(history)),
        figures=student_figures(history),
        has_expressions=has_expressions,
        # The first sentence explains the share of sadness.
        method=[_(text) for text in (METHOD_SENTENCES if has_expressions else METHOD_SENTENCES[1:])],
        is_seat_only=student.session_id is not None,
    )


def student_figures(history: StudentHistory) -> list[dict[str, Any]]:
    """One chart per available measure, as ``name`` and ``svg``."""
    lines = roster_student_lines(history)
    missed = [line.started_at for line in lines if line.presence is SessionPresence.MISSED]
    links = {line.started_at: f"/lessons/{line.session_id}" for line in lines}
    figures = []
    for panel in student_panels(history):
        alt = f"{_(panel.label)}: " + ", ".join(format_percent(point.value) for point in panel.points)
        svg = panel_svg(panel, [line.started_at for line in lines], alt, missed=missed, links=links)
        figures.append({"name": panel.label, "svg": svg})
    return figures


ROUTES = [route("/classes/{group:int}/students/{student:int}", class_student_page, Permission.VIEW)]
