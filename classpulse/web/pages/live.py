"""A lesson while it is being recorded: who is present, the class's last minutes, the picture."""

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

from classpulse.web.context import Site, account_of, fragment, language_of, render, session_for, site_of
from classpulse.web.daemon_status import Look
from classpulse.web.live.charts import Chart
from classpulse.web.live.people import counts, people
from classpulse.web.live.snapshot import Facts
from classpulse.web.permissions import Action, may
from classpulse.web.routing import route
from db import sessions as queries
from db.errors import NotFound
from db.records import Mode, SessionRecord, SessionStatus
from monitor.daemon.errors import ControlError
from monitor.daemon.live_view import may_be_shown
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from reports.narrative.small_faces import hint, problem
from reports.text.formatting import clock
from reports.text.i18n import Language, speaking

EACH_S = 0.5
"""How often a page is told how it stands: a look at the class must be on it within two seconds."""

GUARD_S = 15.0
"""How often it is asked whether who watches still may."""


@dataclass(frozen=True)
class Moment:
    """One event: how the session stands, and the parts of the page. ``state`` is empty where that is not
    known; ``next_session`` is where the lesson goes on once this session is over."""

    session_id: int
    state: str
    is_over: bool
    parts: Mapping[str, str]
    next_session: int | None = None

    def line(self, sent: Mapping[str, str]) -> str:
        """As an event of a stream, with those parts that differ from what was sent before."""
        values = {
            "session": self.session_id,
            "state": self.state,
            "over": self.is_over,
            "report": f"/lessons/{self.session_id}" if self.is_over else None,
            "next": None if self.next_session is None else f"/live/{self.next_session}",
            "parts": {name: html for name, html in self.parts.items() if sent.get(name) != html},
        }
        return f"data: {json.dumps(values)}\n\n"


def live(request: Request) -> Response:
    """The page; of a lesson that is over, its report."""
    site, session = site_of(request), session_for(request)
    if session.status is not SessionStatus.RUNNING:
        return RedirectResponse(f"/lessons/{session.id}", 303)
    return show(request, site, session)


def show(request: Request, site: Site, session: SessionRecord, code: int = 200, error: str = "") -> Response:
    """The page of a session that is running."""
    if session.mode != Mode.AGGREGATE:
        site.audit_look(account_of(request), "look", f"session {session.id}")
    now = moment(site, session.id, language_of(request))
    if now.is_over:
        return RedirectResponse(f"/lessons/{session.id}", 303)
    return render(
        request,
        "live.html.j2",
        code,
        session=session,
        now=now,
        error=error,
        has_picture=may_be_shown(session.mode, site.config.settings),
    )


async def events(request: Request) -> Response:
    """The same as a stream of events, until the session ends or who watches may not any more."""
    session = await run_in_threadpool(session_for, request)
    site, account = site_of(request), account_of(request)
    if session.mode != Mode.AGGREGATE:
        await run_in_threadpool(site.audit_look, account, "look", f"session {session.id}")

    async def stream() -> AsyncIterator[str]:
        sent: dict[str, str] = {}
        guarded_s = 0.0
        while True:
            now = await run_in_threadpool(moment, site, session.id, language_of(request))
            yield now.line(sent)
            sent.update(now.parts)
            if now.is_over:
                return
            await asyncio.sleep(EACH_S)
            guarded_s += EACH_S
            if guarded_s >= GUARD_S:
                guarded_s = 0.0
                if not await run_in_threadpool(_still_may, site, request, session):
                    return

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def picture(request: Request) -> Response:
    """The last look with the faces outlined; no content where there is nothing to see."""
    site, session = site_of(request), session_for(request)
    if not may_be_shown(session.mode, site.config.settings):
        raise HTTPException(404)
    site.audit_look(account_of(request), "watch", f"session {session.id}")
    try:
        jpeg = site.pictures.picture(session.id)
    except ControlError as error:
        return JSONResponse({"error": str(error)}, 409)
    if not jpeg:
        return Response(status_code=204)
    return Response(base64.b64decode(jpeg), media_type="image/jpeg")


def moment(site: Site, session_id: int, language: Language) -> Moment:
    """How a session stands now."""
    look = site.daemon.look()
    recording = look.of_session(session_id)
    if recording is None:
        try:
            session = queries.session(site.engine, session_id)
        except NotFound:  # it was erased at this moment
            return Moment(session_id, "", True, {})
        if session.status is not SessionStatus.RUNNING:
            return Moment(session_id, session.status.value, True, {}, _goes_on(look, session))

    parts = site.board.parts(
        session_id,
        recording,
        language,
        partial(_of_stored, site, language),
        partial(_of_now, site, language, look),
    )
    return Moment(session_id, "" if recording is None else recording.state.value, False, parts)


def _goes_on(look: Look, session: SessionRecord) -> int | None:
    """A lesson whose camera went away or whose process died goes on in another session."""
    mine = (
        one for one in look.recordings if (one.class_name, one.room) == (session.class_name, session.room)
    )
    return next((one.session_id for one in mine if one.session_id is not None), None)


def _of_stored(site: Site, language: Language, facts: Facts) -> Mapping[str, str]:
    """The parts that change when the recording writes, every few seconds."""
    began = facts.session.started_at.astimezone(site.zone)

    def at(media_s: float, form: str = "%H:%M:%S") -> str:
        moment: datetime = began + timedelta(seconds=media_s)
        return moment.strftime(form)

    context: dict[str, Any] = {"curves": facts.curves, "at": at, "clock": clock}
    parts: dict[str, str] = {
        name: fragment(language, f"live_{name}.html.j2", **context) for name in ("tables", "markers")
    }
    for name, chart in _charts(facts):
        parts[f"{name}_chart"] = fragment(language, "live_chart.html.j2", **context, name=name, chart=chart)
    return parts


def _of_now(
    site: Site, language: Language, look: Look, facts: Facts, recording: RecordingStatus | None
) -> Mapping[str, str]:
    """The parts that change with each look at the class."""
    is_seeing = recording is not None and recording.state is SessionState.RECORDING
    rows = people(recording.people if recording is not None and is_seeing else (), facts.known)
    found = facts.session.small_faces if recording is None else recording.small_faces
    with speaking(language):
        missed, remedy = problem(found), None if found is None else hint(found)
    context: dict[str, Any] = {
        "recording": recording,
        "missed": missed,
        "remedy": remedy,
        "problem": look.problem,
        "session": facts.session,
        "rows": rows,
        "counts": counts(rows),
        "is_seeing": is_seeing,
        "began": facts.session.started_at.astimezone(site.zone),
        "mode": facts.session.mode,
    }
    parts: dict[str, str] = {
        name: fragment(language, f"live_{name}.html.j2", **context) for name in ("standing", "people")
    }
    for name, chart in _charts(facts):
        parts[f"{name}_legend"] = fragment(language, "live_legend.html.j2", **context, name=name, chart=chart)
    return parts


def _charts(facts: Facts) -> list[tuple[str, Chart]]:
    faces = facts.curves.faces
    return [("heads", facts.curves.heads), *([] if faces is None else [("faces", faces)])]


def _still_may(site: Site, request: Request, session: SessionRecord) -> bool:
    account = site.logins.account(request)
    return account is not None and may(account, Action.LOOK, session.class_name)


ROUTES = [
    route("/live/{session:int}", live, Action.LOOK),
    route("/live/{session:int}/events", events, Action.LOOK),
    route("/live/{session:int}/picture", picture, Action.LOOK),
]
