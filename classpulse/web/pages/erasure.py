"""Erasure of one student from a past lesson at the student's request, with a confirmation page."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import UserError
from classpulse.services.corrections import SessionPeople, load_session_people
from classpulse.services.erasure import erase_student_from_session
from classpulse.web.class_access import report_settings_for, shows_session_students, summarise_in_background
from classpulse.web.context import (
    context_of,
    get_translator,
    render_page,
    request_account,
    request_language,
    requested_session,
)
from classpulse.web.pages.corrections import CORRECTION_LOCK
from classpulse.web.permissions import Permission
from classpulse.web.report_cache import start_report_job
from classpulse.web.routing import route
from db.records import SessionRecord, SessionStatus
from reports.text.dates import local_time


def erasure_page(request: Request) -> Response:
    """The confirmation page: what will be erased."""
    session = _requested_session(request)
    context_of(request).audit(request_account(request), "view", f"session {session.id}")
    return _render(request, session, str(request.query_params.get("student", "")))


def submit_erasure(request: Request) -> Response:
    """Erase the student if the confirmation is ticked."""
    session, context, _ = (
        _requested_session(request),
        context_of(request),
        get_translator(request_language(request)),
    )
    student_id = str(request.state.form.get("student", ""))
    if request.state.form.get("sure") != "yes":
        return _render(
            request,
            session,
            student_id,
            UserError(_("Nothing was erased."), _("Tick the box to confirm the erasure.")),
        )

    def regenerate(session_id: int) -> None:
        start_report_job(context, session_id, request_language(request))
        summarise_in_background(context)

    try:
        with CORRECTION_LOCK:
            people = load_session_people(context.engine, session.id)
            student = next(
                (candidate for candidate in people.students if str(candidate.id) == student_id), None
            )
            if student is None:
                raise HTTPException(404)
            erase_student_from_session(
                context.engine,
                context.config,
                people,
                student,
                regenerate,
                actor=request_account(request).name,
            )
    except (UserError, OSError) as error:
        return _render(request, session, student_id, error)
    return RedirectResponse(f"/lessons/{session.id}#students", 303)


def _requested_session(request: Request) -> SessionRecord:
    """The requested session. Raises HTTPException 404 if it is running or has no data about single students."""
    session = requested_session(request, Permission.MANAGE)
    if not shows_session_students(context_of(request), session) or session.status is SessionStatus.RUNNING:
        raise HTTPException(404)
    return session


def _render(
    request: Request, session: SessionRecord, student_id: str, error: Exception | None = None
) -> Response:
    people: SessionPeople = load_session_people(context_of(request).engine, session.id)
    student = next((candidate for candidate in people.students if str(candidate.id) == student_id), None)
    if student is None:
        raise HTTPException(404)
    return render_page(
        request,
        "erasing.html.j2",
        400 if error else 200,
        session=session,
        started=local_time(session.started_at, report_settings_for(request)),
        student=student,
        error=error,
    )


ROUTES = [
    route("/lessons/{session:int}/erase", erasure_page, Permission.MANAGE),
    route("/lessons/{session:int}/erase", submit_erasure, Permission.MANAGE, methods=("POST",)),
]
