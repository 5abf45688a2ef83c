"""Erase one student from a past lesson, at their wish: choose, read what goes, say yes."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.services.corrections import Register, read_register
from classpulse.services.erasure import erase_from_lesson
from classpulse.web.class_access import about_people, settings_for, sum_up_beside
from classpulse.web.context import account_of, language_of, render, session_for, site_of, words
from classpulse.web.pages.corrections import ONE_AT_A_TIME
from classpulse.web.permissions import Action
from classpulse.web.report_cache import start_making
from classpulse.web.routing import route
from db.records import SessionRecord, SessionStatus
from reports.text.dates import local_time


def ask(request: Request) -> Response:
    """What would go, and a button."""
    session = _session(request)
    site_of(request).audit(account_of(request), "look", f"session {session.id}")
    return _page(request, session, str(request.query_params.get("student", "")))


def erase(request: Request) -> Response:
    """The button was pressed."""
    session, site, _ = _session(request), site_of(request), words(language_of(request))
    number = str(request.state.form.get("student", ""))
    if request.state.form.get("sure") != "yes":
        return _page(request, session, number, _("Say that you are sure; nothing was erased."))

    def remake(session_id: int) -> None:
        start_making(site, session_id, language_of(request))
        sum_up_beside(site)

    try:
        with ONE_AT_A_TIME:
            register = read_register(site.engine, session.id)
            who = next((one for one in register.people if str(one.id) == number), None)
            if who is None:
                raise HTTPException(404)
            erase_from_lesson(site.engine, site.config, register, who, remake, by=account_of(request).name)
    except (UserError, OSError) as error:
        return _page(request, session, number, str(error))
    return RedirectResponse(f"/lessons/{session.id}#who", 303)


def _session(request: Request) -> SessionRecord:
    """The ended lesson, if it is about people. Raises HTTPException."""
    session = session_for(request, Action.ARRANGE)
    if not about_people(site_of(request), session) or session.status is SessionStatus.RUNNING:
        raise HTTPException(404)
    return session


def _page(request: Request, session: SessionRecord, number: str, error: str = "") -> Response:
    register: Register = read_register(site_of(request).engine, session.id)
    who = next((one for one in register.people if str(one.id) == number), None)
    if who is None:
        raise HTTPException(404)
    return render(
        request,
        "erasing.html.j2",
        400 if error else 200,
        session=session,
        started=local_time(session.started_at, settings_for(request)),
        who=who,
        error=error,
    )


ROUTES = [
    route("/lessons/{session:int}/erase", ask, Action.ARRANGE),
    route("/lessons/{session:int}/erase", erase, Action.ARRANGE, methods=("POST",)),
]
