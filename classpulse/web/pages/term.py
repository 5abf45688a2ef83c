"""The report of a class's term: in a frame, and as a PDF."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from classpulse.services.history import term_html, term_of, term_pdf
from classpulse.web.class_access import called, day, group_for, keeps_students, settings_for, sum_up_beside
from classpulse.web.context import language_of, render, site_of, words
from classpulse.web.downloads import document, download
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from db.roster import ClassGroup
from db.sessions import sessions
from reports.history.term import Term
from reports.text.i18n import N_


def term(request: Request) -> Response:
    """The page around the report: from when to when, and the PDF."""
    site, group = site_of(request), group_for(request)
    since, until = _days(request)
    asked = {name: f"{at:%Y-%m-%d}" for name, at in (("since", since), ("until", until)) if at is not None}
    return render(
        request,
        "term.html.j2",
        group=group,
        since=since,
        until=until,
        query="?" + urlencode(asked) if asked else "",
        lessons=bool(sessions(site.engine, group.name, limit=1)),
        keeps=keeps_students(site),
    )


async def term_report(request: Request) -> Response:
    """The report, to be shown in a frame."""
    group = await run_in_threadpool(_looked, request)
    language = language_of(request)
    content = await _made(request, group, "html", lambda found: term_html(found, language).encode())
    return document(content)


async def term_file(request: Request) -> Response:
    """The report as a PDF."""
    group, site = await run_in_threadpool(_looked, request), site_of(request)
    paper, language = site.config.settings.output.paper, language_of(request)
    content = await _made(request, group, "pdf", lambda found: term_pdf(found, paper, language))
    return download(content, words(language)(N_("%(name)s term report")) % {"name": group.name}, "pdf")


async def _made(request: Request, group: ClassGroup, kind: str, write: Callable[[Term], bytes]) -> bytes:
    site, (since, until), settings = site_of(request), _days(request), settings_for(request)

    def make() -> bytes:
        found = term_of(site.engine, group.name, settings, since, until)
        if not found.lessons:
            raise HTTPException(404)
        return write(found)

    sum_up_beside(site)  # before it, for there is one worker
    return await site.making.made(("term", group.id, since, until, kind, language_of(request)), make)


def _looked(request: Request) -> ClassGroup:
    group = group_for(request)
    if not keeps_students(site_of(request)):
        raise HTTPException(404)
    called(request, [], f"class {group.name}, term")
    return group


def _days(request: Request) -> tuple[datetime | None, datetime | None]:
    asked = request.query_params
    return day(asked.get("since", "")), day(asked.get("until", ""))


ROUTES = [
    route("/classes/{group:int}/term", term, Action.LOOK),
    route("/classes/{group:int}/term/report", term_report, Action.LOOK),
    route("/classes/{group:int}/term.pdf", term_file, Action.LOOK),
]
