"""The term report of a class: in an iframe and as PDF."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from classpulse.services.history import load_term, render_term_html, render_term_pdf
from classpulse.web.class_access import (
    audited_names,
    parse_day,
    report_settings_for,
    requested_class,
    shows_students,
    summarise_in_background,
)
from classpulse.web.context import context_of, get_translator, render_page, request_language
from classpulse.web.downloads import embedded_document, file_download
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from db.roster import ClassGroup
from db.sessions import list_sessions
from reports.history.term import TermHistory
from reports.text.i18n import N_


def class_term_page(request: Request) -> Response:
    """The page around the report, with the period and the PDF link."""
    context, group = context_of(request), requested_class(request)
    since, until = _requested_days(request)
    days = {name: f"{at:%Y-%m-%d}" for name, at in (("since", since), ("until", until)) if at is not None}
    return render_page(
        request,
        "term.html.j2",
        group=group,
        since=since,
        until=until,
        query="?" + urlencode(days) if days else "",
        lessons=bool(list_sessions(context.engine, group.name, limit=1)),
        shows_students=shows_students(context),
    )


async def class_term_report(request: Request) -> Response:
    """The HTML report for the iframe."""
    group = await run_in_threadpool(_audited_class, request)
    language = request_language(request)
    content = await _generate(
        request, group, "html", lambda history: render_term_html(history, language).encode()
    )
    return embedded_document(content)


async def class_term_file(request: Request) -> Response:
    """The report as a PDF."""
    group, context = await run_in_threadpool(_audited_class, request), context_of(request)
    paper, language = context.config.settings.output.paper, request_language(request)
    content = await _generate(
        request, group, "pdf", lambda history: render_term_pdf(history, paper, language)
    )
    return file_download(
        content, get_translator(language)(N_("%(name)s term report")) % {"name": group.name}, "pdf"
    )


async def _generate(
    request: Request, group: ClassGroup, kind: str, write: Callable[[TermHistory], bytes]
) -> bytes:
    context, (since, until), settings = (
        context_of(request),
        _requested_days(request),
        report_settings_for(request),
    )

    def generate() -> bytes:
        history = load_term(context.engine, group.name, settings, since, until)
        if not history.sessions:
            raise HTTPException(404)
        return write(history)

    summarise_in_background(context)  # first, because there is one worker
    return await context.jobs.result(
        ("term", group.id, since, until, kind, request_language(request)), generate
    )


def _audited_class(request: Request) -> ClassGroup:
    group = requested_class(request)
    if not shows_students(context_of(request)):
        raise HTTPException(404)
    audited_names(request, [], f"class {group.name}, term")
    return group


def _requested_days(request: Request) -> tuple[datetime | None, datetime | None]:
    query = request.query_params
    return parse_day(query.get("since", "")), parse_day(query.get("until", ""))


ROUTES = [
    route("/classes/{group:int}/term", class_term_page, Permission.VIEW),
    route("/classes/{group:int}/term/report", class_term_report, Permission.VIEW),
    route("/classes/{group:int}/term.pdf", class_term_file, Permission.VIEW),
]
