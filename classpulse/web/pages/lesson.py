"""One lesson: its students, corrections, report and downloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
from model.errors import ProblemError
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
    """One student of the lesson; ``line`` is None until the session is summarised."""

    student: StudentRecord
    line: StudentLine | None


def lesson_page(request: Request) -> Response:
    """The page of one lesson."""
    return render_lesson(request, requested_session(request))


def render_lesson(request: Request, session: SessionRecord, error: ProblemError | None = None) -> Response:
    """The page of a lesson, with the error of one of its forms."""
    context, settings, language = context_of(request), report_settings_for(request), request_language(request)
    ended = session.status is not SessionStatus.RUNNING
    (history,) = history_of_sessions(context.engine, [session.id]).sessions
    previous, following = _neighbours(request, session)
    markers = queries.list_markers(context.engine, session.id)
    return render_page(
        request,
        "lesson.html.j2",
        400 if error else 200,
        error=error,
        session=session,
        started=local_time(session.started_at, settings),
        group=class_by_name(request, session.class_name),
        ended=ended,
        summaries_pending=ended and history.summary is None and summaries_pending(context),
        **_student_section(request, session, history.students),
        markers=[(format_media_time(marker.at_s), marker.text) for marker in markers],
        gaps=_gaps(request, session),
        missed_faces=_missed_faces_warning(request, session),
        is_report_current=find_current_report(context, session, "html", language) is not None,
        is_generating=context.jobs.is_running(report_job_key(session.id, "html", language)),
        previous=previous,
        following=following,
        local=lambda at: local_time(at, settings),
    )


def _student_section(
    request: Request, session: SessionRecord, summaries: Sequence[StudentSummary]
) -> dict[str, Any]:
    """The template values about single students; empty where they must not be shown."""
    context = context_of(request)
    if not shows_session_students(context, session):
        return {
            "shows_students": False, "rows": [], "names": {}, "roster": [], "has_expressions": False,
            "can_manage": False, "corrections": [],
        }  # fmt: skip
    rows = _rows(request, session, summaries)
    roster = queries.list_roster_students(context.engine, session.class_name)
    ids = {row.student.id for row in rows} | {student.id for student in roster}
    return {
        "shows_students": True,
        "rows": rows,
        "names": audited_names(request, ids, f"session {session.id}"),
        "roster": sorted(roster, key=lambda student: natural_sort_key(student.pseudonym)),
        "has_expressions": any(row.line and row.line.sad for row in rows),
        "can_manage": session.status is not SessionStatus.RUNNING
        and is_allowed(request_account(request), Permission.MANAGE, session.class_name),
        "corrections": _corrections(request, session),
    }


async def lesson_report_page(request: Request) -> Response:
    """The HTML report for the iframe; generated if it is missing or outdated."""
    context, session = context_of(request), await run_in_threadpool(requested_session, request)
    await run_in_threadpool(
        context.audit, request_account(request), "view", f"session {session.id}", "report"
    )
    cached = await run_in_threadpool(find_current_report, context, session, "html", request_language(request))
    try:
        return embedded_document(
            await current_report_bytes(context, session, "html", request_language(request), cached=cached)
        )
    except (ReportError, OSError) as error:
        failed = await run_in_threadpool(
            render_page, request, "report_failed.html.j2", 500, error=error, session=session
        )
        failed.headers["Content-Security-Policy"] = PAGE_POLICY.replace(
            "frame-ancestors 'none'", "frame-ancestors 'self'"
        )
        return failed


async def lesson_report_file(request: Request) -> Response:
    """The report as a download; generated if it is missing or outdated."""
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
            render_page, request, "report_failed.html.j2", 500, error=error, session=session
        )
    started = local_time(session.started_at, report_settings_for(request))
    name = get_translator(request_language(request))(N_("%(name)s %(day)s session %(number)d")) % {
        "name": session.class_name,
        "day": f"{started:%Y-%m-%d}",
        "number": session.id,
    }
    return file_download(content, name, kind)


def regenerate_report(request: Request) -> Response:
    """Regenerate the report."""
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
        queries.list_students(context.engine, session.id),
        key=lambda student: natural_sort_key(student.pseudonym),
    ):
        student_flags = tuple(flag for flag in flags if flag.student_id == student.id)
        summary = summaries.get(student.id)
        rows.append(
            LessonStudentRow(
                student, student_session_line(session, summary, student_flags, settings) if summary else None
            )
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
    """The warning about undetected small faces: problem and hint."""
    with use_language(request_language(request)):
        problem = missed_faces_problem(session.small_faces)
        if problem is None or session.small_faces is None:
            return None
        return problem, missed_faces_hint(session.small_faces)


def _neighbours(
    request: Request, session: SessionRecord
) -> tuple[SessionRecord | None, SessionRecord | None]:
    """The previous and the next lesson of the class."""
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
