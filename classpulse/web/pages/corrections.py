"""Who is who in a past lesson: what ``classpulse seats name``, ``merge``, ``split`` and ``undo`` do."""

from __future__ import annotations

import threading

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.services.corrections import Desk, Person, Register, read_register
from classpulse.services.times import read_time
from classpulse.web.class_access import about_people, sum_up_beside
from classpulse.web.context import account_of, language_of, render, session_for, site_of, words
from classpulse.web.pages.lesson import show
from classpulse.web.permissions import Action
from classpulse.web.report_cache import start_making
from classpulse.web.routing import route
from db.errors import Conflict, NotFound
from db.records import CorrectionRecord, StudentRecord

ONE_AT_A_TIME = threading.Lock()
"""Each looks at what the others have left."""


def correct(request: Request) -> Response:
    """One of the forms of the lesson's page was sent."""
    session, site, _ = session_for(request, Action.ARRANGE), site_of(request), words(language_of(request))
    if not about_people(site, session):
        return render(request, "refused.html.j2", 404, status=404, detail="")
    try:
        with ONE_AT_A_TIME:
            register = read_register(site.engine, session.id)
            record = _correct(request, Desk(site.engine, site.config, register, account_of(request).name))
    except ValueError:
        error = _("This is no time; expected minutes and seconds, such as 12:30.")
    except (UserError, NotFound, Conflict) as problem:
        error = str(problem)
    else:
        start_making(site, record.session_id, language_of(request))
        sum_up_beside(site)
        return RedirectResponse(f"/lessons/{session.id}#who", 303)
    return show(request, session, error)


def _correct(request: Request, desk: Desk) -> CorrectionRecord:
    form, register, _ = request.state.form, desk.register, words(language_of(request))
    what = str(form.get("what", ""))
    if what == "undo":
        return desk.take_back()
    student = _of_session(register, str(form.get("student", "")))
    if student is None:
        raise UserError(_("Say who of the lesson is meant."))
    person = _person(register, str(form.get("person", "")), str(form.get("new", ""))[:60])
    if what == "split":
        return desk.split(student, read_time(str(form.get("at", "")).strip()), person)
    if person is None:
        raise UserError(_("Say who it was."))
    if what == "name":
        return desk.name(student, person)
    other = _of_session(register, str(form.get("person", "")))
    if what != "merge" or other is None:
        raise UserError(_("Say which two of the lesson are one."))
    return desk.merge(student, other)


def _of_session(register: Register, number: str) -> StudentRecord | None:
    return next((who for who in register.people if str(who.id) == number), None)


def _person(register: Register, number: str, new: str) -> Person | None:
    """Somebody of the roster or of the lesson by number, or else who is new on the roster."""
    if new.strip():
        known = {who.pseudonym.casefold() for who in register.roster}
        return register.of_roster(new, new=" ".join(new.split()).casefold() not in known)
    return next((who for who in (*register.roster, *register.people) if str(who.id) == number), None)


ROUTES = [
    route("/lessons/{session:int}/corrections", correct, Action.ARRANGE, methods=("POST",)),
]
