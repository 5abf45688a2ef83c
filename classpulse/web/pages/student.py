"""One student of a class over the lessons."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from classpulse.services.history import with_missed
from classpulse.web.class_access import be_summed_up, called, group_for, keeps_students, settings_for
from classpulse.web.context import render, site_of, told_to_reader
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from classpulse.web.svg_charts import panel_svg
from db.errors import NotFound
from db.history import person_history
from reports.history.pages.student import METHOD, own_lines, sentences, student_panels
from reports.history.presence import Presence
from reports.text.formatting import percent
from reports.text.i18n import _


@told_to_reader
def student(request: Request) -> Response:
    """What each lesson holds of them, and where it is going."""
    site, group = site_of(request), group_for(request)
    if not keeps_students(site):
        raise HTTPException(404)
    waiting = be_summed_up(site)
    try:
        who, found = person_history(site.engine, int(request.path_params["student"]))
    except NotFound:
        raise HTTPException(404) from None
    if who.class_name != group.name:
        raise HTTPException(404)
    history = with_missed(site.engine, who.pseudonym, found, settings_for(request))
    lines = own_lines(history)
    missed = [one.started_at for one in lines if one.presence is Presence.MISSED]
    moments = [one.started_at for one in lines]
    addresses = {one.started_at: f"/lessons/{one.session_id}" for one in lines}
    expressions = any(one.sad or one.dominant is not None for one in history.lines)
    figures = [
        {
            "name": panel.label,
            "svg": panel_svg(
                panel,
                moments,
                f"{_(panel.label)}: " + ", ".join(percent(one.value) for one in panel.points),
                missed=missed,
                addresses=addresses,
            ),
        }
        for panel in student_panels(history)
    ]
    return render(
        request,
        "student.html.j2",
        group=group,
        who=who,
        name=called(request, [who.id], f"{who.pseudonym} of class {group.name}").get(who.id),
        waiting=waiting,
        history=history,
        lines=list(reversed(history.lines)),
        sentences=sentences(history) if history.lines else (),
        seen=history.count(Presence.SEEN),
        missed=len(missed),
        figures=figures,
        expressions=expressions,
        # The first says what the share of sadness is.
        method=[_(one) for one in (METHOD if expressions else METHOD[1:])],
        one_lesson=who.session_id is not None,
    )


ROUTES = [route("/classes/{group:int}/students/{student:int}", student, Action.LOOK)]
