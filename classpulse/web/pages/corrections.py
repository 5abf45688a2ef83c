"""Corrections of identity assignments in a past lesson: assign, merge, split and undo."""

from __future__ import annotations

import threading

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.services.corrections import CorrectionService, Person, SessionPeople, load_session_people
from classpulse.services.times import InvalidTime, parse_media_time
from classpulse.web.class_access import shows_session_students, summarise_in_background
from classpulse.web.context import (
    context_of,
    get_translator,
    render_page,
    request_account,
    request_language,
    requested_session,
)
from classpulse.web.pages.lesson import render_lesson
from classpulse.web.permissions import Permission
from classpulse.web.report_cache import start_report_job
from classpulse.web.routing import route
from db.errors import Conflict, NotFound
from db.records import CorrectionRecord, StudentRecord
from model.errors import ProblemError

CORRECTION_LOCK = threading.Lock()
"""Serialises corrections and erasures: each reads the result of the previous one."""


def submit_correction(request: Request) -> Response:
    """Apply a correction from the forms of the lesson page."""
    session, context, _ = (
        requested_session(request, Permission.MANAGE),
        context_of(request),
        get_translator(request_language(request)),
    )
    if not shows_session_students(context, session):
        return render_page(request, "refused.html.j2", 404, status=404, detail="")
    try:
        with CORRECTION_LOCK:
            people = load_session_people(context.engine, session.id)
            record = _apply_correction(
                request,
                CorrectionService(context.engine, context.config, people, request_account(request).name),
            )
    except InvalidTime:
        error: ProblemError = UserError(
            _("This is not a time."), _("Use minutes and seconds, such as 12:30.")
        )
    except (UserError, NotFound, Conflict) as problem:
        error = problem
    else:
        start_report_job(context, record.session_id, request_language(request))
        summarise_in_background(context)
        return RedirectResponse(f"/lessons/{session.id}#students", 303)
    return render_lesson(request, session, error)


def _apply_correction(request: Request, corrections: CorrectionService) -> CorrectionRecord:
    form, people, _ = request.state.form, corrections.people, get_translator(request_language(request))
    action = str(form.get("action", ""))
    if action == "undo":
        return corrections.undo()
    student = _find_student(people, str(form.get("student", "")))
    if student is None:
        raise UserError(_("Choose a student of the lesson."))
    person = _find_person(people, str(form.get("person", "")), str(form.get("new", ""))[:60])
    if action == "split":
        return corrections.split(student, parse_media_time(str(form.get("at", "")).strip()), person)
    if person is None:
        raise UserError(_("Choose who the student is."))
    if action == "assign":
        return corrections.assign(student, person)
    other = _find_student(people, str(form.get("person", "")))
    if action != "merge" or other is None:
        raise UserError(_("Choose two students of the lesson."))
    return corrections.merge(student, other)


def _find_student(people: SessionPeople, number: str) -> StudentRecord | None:
    return next((student for student in people.students if str(student.id) == number), None)


def _find_person(people: SessionPeople, number: str, new: str) -> Person | None:
    """A person of the roster or the lesson by id, or a new student for the roster."""
    if new.strip():
        known_pseudonyms = {student.pseudonym.casefold() for student in people.roster}
        return people.find_in_roster(new, new=" ".join(new.split()).casefold() not in known_pseudonyms)
    return next((person for person in (*people.roster, *people.students) if str(person.id) == number), None)


ROUTES = [
    route("/lessons/{session:int}/corrections", submit_correction, Permission.MANAGE, methods=("POST",)),
]
