"""One past lesson: what it holds, its report, and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.web.class_access import (
    audited_names,
    class_by_name,
    report_settings_for,
    shows_session_students,
    summaries_pending,
)
from classpulse.web.context import (
    context_of,
    get_translator,
    render_page,
    request_account,
    request_language,
    requested_session,
)
from classpulse.web.downloads import embedded_document, file_download
from classpulse.web.permissions import Permission, is_allowed
from classpulse.web.report_cache import (
    REPORT_KINDS,
    current_report_bytes,
    find_current_report,
    report_job_key,
    start_report_job,
)
from classpulse.web.routing import route
from classpulse.web.security_headers import PAGE_POLICY
from db import sessions as queries
from db.history import history_of_sessions
from db.records import CorrectionRecord, SessionRecord, SessionStatus, StudentRecord, StudentSummary
from reports.errors import ReportError
from reports.history.student import StudentLine, student_session_line
from reports.narrative.corrections import describe_correction
from reports.narrative.small_faces import missed_faces_hint, missed_faces_problem
from reports.text.dates import local_time
from reports.text.formatting import format_media_time, natural_sort_key
from reports.text.i18n import N_, use_language
from reports.timeline.gaps import describe_gap_reason


@dataclass(frozen=True)
class LessonStudentRow:
    """One person of the lesson; ``line`` is None before it is summed up."""

    student: StudentRecord
    line: StudentLine | None


def lesson_page(request: Request) -> Response:
    """Everything about one lesson."""
    return render_lesson(request, requested_session(request))


def render_lesson(request: Request, session: SessionRecord, error: str = "") -> Response:
    """The page, with what went wrong with a form of it."""
    context, settings, language = context_of(request), report_settings_for(request), request_language(request)
    ended, people = session.status is not SessionStatus.RUNNING, shows_session_students(context, session)
    (found,) = history_of_sessions(context.engine, [session.id]).sessions
    waiting = ended and found.summary is None and summaries_pending(context)
    rows = _rows(request, session, found.students) if people else []
    roster = queries.list_roster_students(context.engine, session.class_name) if people else []
    names = {}
    if people:
        names = audited_names(
            request, {one.student.id for one in rows} | {one.id for one in roster}, f"session {session.id}"
        )
    before, after = _neighbours(request, session)
    return render_page(
        request,
        "lesson.html.j2",
        400 if error else 200,
        error=error,
        session=session,
        started=local_time(session.started_at, settings),
        group=class_by_name(request, session.class_name),
        ended=ended,
        waiting=waiting,
        about_people=people,
        rows=rows,
        names=names,
        roster=sorted(roster, key=lambda who: natural_sort_key(who.pseudonym)),
        expressions=any(one.line and one.line.sad for one in rows),
        can_manage=people
        and ended
        and is_allowed(request_account(request), Permission.MANAGE, session.class_name),
        corrections=_corrections(request, session) if people else [],
        markers=[
            (format_media_time(one.at_s), one.text) for one in queries.list_markers(context.engine, session.id)
        ],
        gaps=_gaps(request, session),
        missed=_missed_faces_warning(request, session),
        fresh=find_current_report(context, session, "html", language) is not None,
        making=context.jobs.is_running(report_job_key(session.id, "html", language)),
        before=before,
        after=after,
        local=lambda at: local_time(at, settings),
    )


async def lesson_report_page(request: Request) -> Response:
    """The report itself, to be shown in a frame; made now where it is missing or old."""
    context, session = context_of(request), await run_in_threadpool(requested_session, request)
    await run_in_threadpool(context.audit, request_account(request), "view", f"session {session.id}", "report")
    cached = await run_in_threadpool(find_current_report, context, session, "html", request_language(request))
    try:
        return embedded_document(
            await current_report_bytes(context, session, "html", request_language(request), cached=cached)
        )
    except (ReportError, OSError) as error:
        failed = await run_in_threadpool(
            render_page, request, "report_failed.html.j2", 500, problem=str(error), session=session
        )
        failed.headers["Content-Security-Policy"] = PAGE_POLICY.replace(
            "frame-ancestors 'none'", "frame-ancestors 'self'"
        )
        return failed


async def lesson_report_file(request: Request) -> Response:
    """The report as a file to keep; made now where it is missing or old."""
    kind = request.path_params["kind"]
    context, session = context_of(request), await run_in_threadpool(requested_session, request)
    if kind not in REPORT_KINDS:
        raise HTTPException(404)
    await run_in_threadpool(
        context.audit, request_account(request), "view", f"session {session.id}", f"report as {kind}"
    )
    cached = await run_in_threadpool(find_current_report, context, session, kind, request_language(request))
    try:
        content = await current_report_bytes(context, session, kind, request_language(request), cached=cached)
    except (ReportError, OSError) as error:
        return await run_in_threadpool(
            render_page, request, "report_failed.html.j2", 500, problem=str(error), session=session
        )
    started = local_time(session.started_at, report_settings_for(request))
    name = get_translator(request_language(request))(N_("%(name)s %(day)s session %(number)d")) % {
        "name": session.class_name,
        "day": f"{started:%Y-%m-%d}",
        "number": session.id,
    }
    return file_download(content, name, kind)


def regenerate_report(request: Request) -> Response:
    """Somebody asks for the report to be made anew."""
    session = requested_session(request)
    start_report_job(context_of(request), session.id, request_language(request))
    return RedirectResponse(f"/lessons/{session.id}#report", 303)


def _rows(
    request: Request, session: SessionRecord, student_summaries: Sequence[StudentSummary]
) -> list[LessonStudentRow]:
    context, settings = context_of(request), report_settings_for(request)
    summaries = {summary.student_id: summary for summary in student_summaries}
    flags = queries.list_flags(context.engine, session.id)
    rows = []
    for student in sorted(
        queries.list_students(context.engine, session.id), key=lambda student: natural_sort_key(student.pseudonym)
    ):
        student_flags = tuple(flag for flag in flags if flag.student_id == student.id)
        summary = summaries.get(student.id)
        rows.append(
            LessonStudentRow(student, student_session_line(session, summary, student_flags, settings) if summary else None)
        )
    return rows


def _corrections(request: Request, session: SessionRecord) -> list[tuple[CorrectionRecord, str]]:
    corrections = queries.list_corrections(context_of(request).engine, session.id)
    with use_language(request_language(request)):
        return [(correction, describe_correction(correction)) for correction in corrections]


def _gaps(request: Request, session: SessionRecord) -> list[tuple[str, str, str]]:
    with use_language(request_language(request)):
        return [
            (format_media_time(gap.start_s), format_media_time(gap.end_s), describe_gap_reason(gap.reason))
            for gap in queries.list_gaps(context_of(request).engine, session.id)
        ]


def _missed_faces_warning(request: Request, session: SessionRecord) -> tuple[str, str] | None:
    """The warning that faces were missed: the problem and what to do about it."""
    with use_language(request_language(request)):
        told = missed_faces_problem(session.small_faces)
        return (
            None
            if told is None or session.small_faces is None
            else (told, missed_faces_hint(session.small_faces))
        )


def _neighbours(
    request: Request, session: SessionRecord
) -> tuple[SessionRecord | None, SessionRecord | None]:
    """The lessons of the class before this one and after it."""
    sessions = sorted(
        queries.list_sessions(context_of(request).engine, session.class_name),
        key=lambda session: (session.started_at, session.id),
    )
    at = [session.id for session in sessions].index(session.id)
    return (sessions[at - 1] if at else None, sessions[at + 1] if at + 1 < len(sessions) else None)


ROUTES = [
    route("/lessons/{session:int}", lesson_page, Permission.VIEW),
    route("/lessons/{session:int}/report", lesson_report_page, Permission.VIEW),
    route("/lessons/{session:int}/report", regenerate_report, Permission.VIEW, methods=("POST",)),
    route("/lessons/{session:int}/report.{kind}", lesson_report_file, Permission.VIEW),
]
