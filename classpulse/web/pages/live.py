"""The live page of a running lesson: students, charts of the last minutes, camera preview."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from classpulse.web.context import (
    AppContext,
    context_of,
    error_json,
    render_fragment,
    render_page,
    request_account,
    request_language,
    requested_session,
)
from classpulse.web.daemon_status import DaemonSnapshot
from classpulse.web.live.charts import BandChart
from classpulse.web.live.people import band_counts, live_student_rows
from classpulse.web.live.snapshot import SessionFacts
from classpulse.web.permissions import Permission, is_allowed
from classpulse.web.routing import route
from db import sessions as queries
from db.errors import NotFound
from db.records import AnalysisMode, SessionRecord, SessionStatus
from model.errors import ProblemError
from monitor.daemon.errors import ControlError
from monitor.daemon.live_view import is_preview_allowed
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.narrative.small_faces import missed_faces_hint, missed_faces_problem
from reports.text.formatting import format_media_time
from reports.text.i18n import Language, use_language

UPDATE_INTERVAL_S = 0.5
"""A detection must be on the page within two seconds (``benchmarks/live.py``)."""

ACCESS_CHECK_INTERVAL_S = 15.0
"""How often a stream checks that the account may still view the class."""


@dataclass(frozen=True)
class LiveEvent:
    """The state of the session and the parts of the page. ``state`` is empty if it is unknown;
    ``next_session``: the session in which the lesson continues after this one."""

    session_id: int
    state: str
    is_over: bool
    parts: Mapping[str, str]
    next_session: int | None = None

    def format(self, sent: Mapping[str, str]) -> str:
        """The event for the stream, with the parts that differ from those in ``sent``."""
        values = {
            "session": self.session_id,
            "state": self.state,
            "is_over": self.is_over,
            "report": f"/lessons/{self.session_id}" if self.is_over else None,
            "next_url": None if self.next_session is None else f"/live/{self.next_session}",
            "parts": {name: html for name, html in self.parts.items() if sent.get(name) != html},
        }
        return f"data: {json.dumps(values)}\n\n"


def live_page(request: Request) -> Response:
    """The live page; redirects to the lesson page if the session has ended."""
    context, session = context_of(request), requested_session(request)
    if session.status is not SessionStatus.RUNNING:
        return RedirectResponse(f"/lessons/{session.id}", 303)
    return render_live(request, context, session)


def render_live(
    request: Request,
    context: AppContext,
    session: SessionRecord,
    code: int = 200,
    error: ProblemError | None = None,
) -> Response:
    """The live page of a running session."""
    if session.mode != AnalysisMode.AGGREGATE:
        context.audit_view(request_account(request), "view", f"session {session.id}")
    event = current_event(context, session.id, request_language(request))
    if event.is_over:
        return RedirectResponse(f"/lessons/{session.id}", 303)
    return render_page(
        request,
        "live.html.j2",
        code,
        session=session,
        event=event,
        error=error,
        has_preview=_is_preview_allowed(context, session),
    )


async def live_events(request: Request) -> Response:
    """The live page as an event stream, until the session ends or the account loses access."""
    session = await run_in_threadpool(requested_session, request)
    context, account = context_of(request), request_account(request)
    if session.mode != AnalysisMode.AGGREGATE:
        await run_in_threadpool(context.audit_view, account, "view", f"session {session.id}")

    async def stream() -> AsyncIterator[str]:
        sent: dict[str, str] = {}
        since_check_s = 0.0
        while True:
            event = await run_in_threadpool(current_event, context, session.id, request_language(request))
            yield event.format(sent)
            sent.update(event.parts)
            if event.is_over:
                return
            await asyncio.sleep(UPDATE_INTERVAL_S)
            since_check_s += UPDATE_INTERVAL_S
            if since_check_s >= ACCESS_CHECK_INTERVAL_S:
                since_check_s = 0.0
                if not await run_in_threadpool(_is_still_allowed, context, request, session):
                    return

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def live_preview(request: Request) -> Response:
    """The latest frame with boxes around the faces; 204 if there is none."""
    context, session = context_of(request), requested_session(request)
    if not _is_preview_allowed(context, session):
        raise HTTPException(404)
    context.audit_view(request_account(request), "view preview", f"session {session.id}")
    try:
        jpeg = context.previews.fetch(session.id)
    except ControlError as error:
        return JSONResponse(error_json(error), 409)
    if not jpeg:
        return Response(status_code=204)
    return Response(base64.b64decode(jpeg), media_type="image/jpeg")


def current_event(context: AppContext, session_id: int, language: Language) -> LiveEvent:
    """The current event of a session."""
    daemon = context.daemon.snapshot()
    recording = daemon.recording_of(session_id)
    if recording is None:
        try:
            session = queries.get_session(context.engine, session_id)
        except NotFound:  # it was just erased
            return LiveEvent(session_id, "", True, {})
        if session.status is not SessionStatus.RUNNING:
            return LiveEvent(session_id, session.status.value, True, {}, _successor_session(daemon, session))

    parts = context.live_pages.parts(
        session_id,
        recording,
        language,
        partial(_stored_parts, context, language),
        partial(_live_parts, context, language, daemon),
    )
    return LiveEvent(session_id, "" if recording is None else recording.state.value, False, parts)


def _successor_session(daemon: DaemonSnapshot, session: SessionRecord) -> int | None:
    """The session in which a lesson continues after its camera or process was lost."""
    successors = (
        recording
        for recording in daemon.recordings
        if (recording.class_name, recording.room) == (session.class_name, session.room)
    )
    return next((recording.session_id for recording in successors if recording.session_id is not None), None)


def _stored_parts(context: AppContext, language: Language, facts: SessionFacts) -> Mapping[str, str]:
    """The parts rendered from stored data, which change every few seconds."""
    began = facts.session.started_at.astimezone(context.zone)

    def at(media_s: float, form: str = "%H:%M:%S") -> str:
        moment: datetime = began + timedelta(seconds=media_s)
        return moment.strftime(form)

    values: dict[str, Any] = {"charts": facts.charts, "at": at, "clock": format_media_time}
    parts: dict[str, str] = {
        name: render_fragment(language, f"live_{name}.html.j2", **values) for name in ("tables", "markers")
    }
    for name, chart in _charts(facts):
        parts[f"{name}_chart"] = render_fragment(
            language, "live_chart.html.j2", **values, name=name, chart=chart
        )
    return parts


def _live_parts(
    context: AppContext,
    language: Language,
    daemon: DaemonSnapshot,
    facts: SessionFacts,
    recording: RecordingStatus | None,
) -> Mapping[str, str]:
    """The parts rendered from the recorder's status, which change with each frame."""
    is_seeing = recording is not None and recording.state is SessionState.RECORDING
    rows = live_student_rows(
        recording.live_students if recording is not None and is_seeing else (), facts.occupants
    )
    small_faces = facts.session.small_faces if recording is None else recording.small_faces
    with use_language(language):
        missed_faces, hint = (
            missed_faces_problem(small_faces),
            None if small_faces is None else missed_faces_hint(small_faces),
        )
    values: dict[str, Any] = {
        "recording": recording,
        "missed_faces": missed_faces,
        "hint": hint,
        "error": daemon.error,
        "session": facts.session,
        "rows": rows,
        "counts": band_counts(rows),
        "is_seeing": is_seeing,
        "began": facts.session.started_at.astimezone(context.zone),
        "mode": facts.session.mode,
    }
    parts: dict[str, str] = {
        name: render_fragment(language, f"live_{name}.html.j2", **values) for name in ("status", "people")
    }
    for name, chart in _charts(facts):
        parts[f"{name}_legend"] = render_fragment(
            language, "live_legend.html.j2", **values, name=name, chart=chart
        )
    return parts


def _charts(facts: SessionFacts) -> list[tuple[str, BandChart]]:
    faces = facts.charts.expressions
    return [("heads", facts.charts.heads), *([] if faces is None else [("faces", faces)])]


def _is_preview_allowed(context: AppContext, session: SessionRecord) -> bool:
    serve = context.config.settings.serve
    return is_preview_allowed(session.mode, in_behaviour_mode=serve.preview_in_behaviour_mode)


def _is_still_allowed(context: AppContext, request: Request, session: SessionRecord) -> bool:
    account = context.login_sessions.current_account(request)
    return account is not None and is_allowed(account, Permission.VIEW, session.class_name)


ROUTES = [
    route("/live/{session:int}", live_page, Permission.VIEW),
    route("/live/{session:int}/events", live_events, Permission.VIEW),
    route("/live/{session:int}/picture", live_preview, Permission.VIEW),
]
