"""One student of a class over the lessons."""

from __future__ import annotations

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
from reports.text.formatting import format_percent
from reports.text.i18n import _


@localized
def class_student_page(request: Request) -> Response:
    """What each lesson holds of them, and where it is going."""
    context, group = context_of(request), requested_class(request)
    if not shows_students(context):
        raise HTTPException(404)
    waiting = summaries_pending(context)
    try:
        who, found = student_history_by_id(context.engine, int(request.path_params["student"]))
    except NotFound:
        raise HTTPException(404) from None
    if who.class_name != group.name:
        raise HTTPException(404)
    history = history_with_missed(context.engine, who.pseudonym, found, report_settings_for(request))
    lines = roster_student_lines(history)
    missed = [one.started_at for one in lines if one.presence is SessionPresence.MISSED]
    moments = [one.started_at for one in lines]
    addresses = {one.started_at: f"/lessons/{one.session_id}" for one in lines}
    expressions = any(one.sad or one.dominant_expression is not None for one in history.lines)
    figures = [
        {
            "name": panel.label,
            "svg": panel_svg(
                panel,
                moments,
                f"{_(panel.label)}: " + ", ".join(format_percent(one.value) for one in panel.points),
                missed=missed,
                links=addresses,
            ),
        }
        for panel in student_panels(history)
    ]
    return render_page(
        request,
        "student.html.j2",
        group=group,
        who=who,
        name=audited_names(request, [who.id], f"{who.pseudonym} of class {group.name}").get(who.id),
        waiting=waiting,
        history=history,
        lines=list(reversed(history.lines)),
        sentences=student_sentences(history) if history.lines else (),
        seen=history.count(SessionPresence.SEEN),
        missed=len(missed),
        figures=figures,
        expressions=expressions,
        # The first says what the share of sadness is.
        method=[_(one) for one in (METHOD_SENTENCES if expressions else METHOD_SENTENCES[1:])],
        one_lesson=who.session_id is not None,
    )


ROUTES = [route("/classes/{group:int}/students/{student:int}", class_student_page, Permission.VIEW)]
