"""One past lesson: what it holds, its report, and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.web.class_access import about_people, be_summed_up, called, group_named, settings_for
from classpulse.web.context import account_of, language_of, render, session_for, site_of, words
from classpulse.web.downloads import document, download
from classpulse.web.permissions import Action, may
from classpulse.web.report_cache import KINDS, fresh_report, key_of, report_bytes, start_making
from classpulse.web.routing import route
from classpulse.web.security_headers import POLICY
from db import sessions as queries
from db.history import lessons_of
from db.records import CorrectionRecord, SessionRecord, SessionStatus, StudentRecord, StudentSummary
from reports.errors import ReportError
from reports.history.student import StudentLine, student_line
from reports.narrative.corrections import told
from reports.narrative.small_faces import hint, problem
from reports.text.dates import local_time
from reports.text.formatting import clock, reading_key
from reports.text.i18n import N_, speaking
from reports.timeline.gaps import why


@dataclass(frozen=True)
class Row:
    """One person of the lesson; ``line`` is None before it is summed up."""

    who: StudentRecord
    line: StudentLine | None


def lesson(request: Request) -> Response:
    """Everything about one lesson."""
    return show(request, session_for(request))


def show(request: Request, session: SessionRecord, error: str = "") -> Response:
    """The page, with what went wrong with a form of it."""
    site, settings, language = site_of(request), settings_for(request), language_of(request)
    ended, people = session.status is not SessionStatus.RUNNING, about_people(site, session)
    (found,) = lessons_of(site.engine, [session.id]).lessons
    waiting = ended and found.summary is None and be_summed_up(site)
    rows = _rows(request, session, found.students) if people else []
    roster = queries.roster(site.engine, session.class_name) if people else []
    names = {}
    if people:
        names = called(
            request, {one.who.id for one in rows} | {one.id for one in roster}, f"session {session.id}"
        )
    before, after = _neighbours(request, session)
    return render(
        request,
        "lesson.html.j2",
        400 if error else 200,
        error=error,
        session=session,
        started=local_time(session.started_at, settings),
        group=group_named(request, session.class_name),
        ended=ended,
        waiting=waiting,
        about_people=people,
        rows=rows,
        names=names,
        roster=sorted(roster, key=lambda who: reading_key(who.pseudonym)),
        expressions=any(one.line and one.line.sad for one in rows),
        arrange=people and ended and may(account_of(request), Action.ARRANGE, session.class_name),
        corrections=_corrections(request, session) if people else [],
        markers=[(clock(one.at_s), one.text) for one in queries.markers(site.engine, session.id)],
        gaps=_gaps(request, session),
        missed=_missed(request, session),
        fresh=fresh_report(site, session, "html", language) is not None,
        making=site.making.is_going(key_of(session.id, "html", language)),
        before=before,
        after=after,
        local=lambda at: local_time(at, settings),
    )


async def report(request: Request) -> Response:
    """The report itself, to be shown in a frame; made now where it is missing or old."""
    site, session = site_of(request), await run_in_threadpool(session_for, request)
    await run_in_threadpool(site.audit, account_of(request), "look", f"session {session.id}", "report")
    fresh = await run_in_threadpool(fresh_report, site, session, "html", language_of(request))
    try:
        return document(await report_bytes(site, session, "html", language_of(request), fresh=fresh))
    except (ReportError, OSError) as error:
        failed = await run_in_threadpool(
            render, request, "report_failed.html.j2", 500, problem=str(error), session=session
        )
        failed.headers["Content-Security-Policy"] = POLICY.replace(
            "frame-ancestors 'none'", "frame-ancestors 'self'"
        )
        return failed


async def report_file(request: Request) -> Response:
    """The report as a file to keep; made now where it is missing or old."""
    kind = request.path_params["kind"]
    site, session = site_of(request), await run_in_threadpool(session_for, request)
    if kind not in KINDS:
        raise HTTPException(404)
    await run_in_threadpool(
        site.audit, account_of(request), "look", f"session {session.id}", f"report as {kind}"
    )
    fresh = await run_in_threadpool(fresh_report, site, session, kind, language_of(request))
    try:
        content = await report_bytes(site, session, kind, language_of(request), fresh=fresh)
    except (ReportError, OSError) as error:
        return await run_in_threadpool(
            render, request, "report_failed.html.j2", 500, problem=str(error), session=session
        )
    started = local_time(session.started_at, settings_for(request))
    named = words(language_of(request))(N_("%(name)s %(day)s session %(number)d")) % {
        "name": session.class_name,
        "day": f"{started:%Y-%m-%d}",
        "number": session.id,
    }
    return download(content, named, kind)


def make_again(request: Request) -> Response:
    """Somebody asks for the report to be made anew."""
    session = session_for(request)
    start_making(site_of(request), session.id, language_of(request))
    return RedirectResponse(f"/lessons/{session.id}#report", 303)


def _rows(request: Request, session: SessionRecord, summed_up: Sequence[StudentSummary]) -> list[Row]:
    site, settings = site_of(request), settings_for(request)
    summaries = {one.student_id: one for one in summed_up}
    flags = queries.flags(site.engine, session.id)
    rows = []
    for who in sorted(queries.students(site.engine, session.id), key=lambda who: reading_key(who.pseudonym)):
        own = tuple(one for one in flags if one.student_id == who.id)
        summary = summaries.get(who.id)
        rows.append(Row(who, student_line(session, summary, own, settings) if summary else None))
    return rows


def _corrections(request: Request, session: SessionRecord) -> list[tuple[CorrectionRecord, str]]:
    made = queries.corrections(site_of(request).engine, session.id)
    with speaking(language_of(request)):
        return [(one, told(one)) for one in made]


def _gaps(request: Request, session: SessionRecord) -> list[tuple[str, str, str]]:
    with speaking(language_of(request)):
        return [
            (clock(one.start_s), clock(one.end_s), why(one.reason))
            for one in queries.gaps(site_of(request).engine, session.id)
        ]


def _missed(request: Request, session: SessionRecord) -> tuple[str, str] | None:
    """The warning that faces were missed: the problem and what to do about it."""
    with speaking(language_of(request)):
        told = problem(session.small_faces)
        return None if told is None or session.small_faces is None else (told, hint(session.small_faces))


def _neighbours(
    request: Request, session: SessionRecord
) -> tuple[SessionRecord | None, SessionRecord | None]:
    """The lessons of the class before this one and after it."""
    found = sorted(
        queries.sessions(site_of(request).engine, session.class_name),
        key=lambda one: (one.started_at, one.id),
    )
    at = [one.id for one in found].index(session.id)
    return (found[at - 1] if at else None, found[at + 1] if at + 1 < len(found) else None)


ROUTES = [
    route("/lessons/{session:int}", lesson, Action.LOOK),
    route("/lessons/{session:int}/report", report, Action.LOOK),
    route("/lessons/{session:int}/report", make_again, Action.LOOK, methods=("POST",)),
    route("/lessons/{session:int}/report.{kind}", report_file, Action.LOOK),
]
