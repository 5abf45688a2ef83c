"""Every route says who may use it; one that does not cannot be made."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from python_multipart.exceptions import FormParserError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message

from classpulse.web.context import site_of, wants_page
from classpulse.web.permissions import Action, may
from reports.text.i18n import N_

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

MOST_FORM_BYTES, MOST_FORM_FIELDS = 1 << 20, 500
"""Of a form; recordings and pictures have routes that read their own bodies."""


class Open(StrEnum):
    """Routes for who is not logged in."""

    ANYBODY = "anybody"


MOST_NUMBER = (1 << 31) - 1
"""No session, student or account has a greater one: PostgreSQL could not store it."""

Guard = Action | Open
Page = Callable[[Request], Response | Awaitable[Response]]


def route(
    path: str,
    page: Page,
    guard: Guard,
    *,
    methods: tuple[str, ...] = ("GET",),
    form: bool = True,
    own_body: bool = False,
) -> Route:
    """A route that ``guard`` stands before: a login whose account may do that with some class. Which class it
    is the page itself must ask (``session_for``, ``require``). Anything but GET needs the form's token, in
    the field ``token`` or the header ``X-Form-Token``; with ``form`` False in the header alone, and the body
    is not read. With ``own_body`` the page reads the body as it comes, and asks for the token itself
    (``require_token``) before it does anything.

    ``page`` may be a plain function, which then runs in a thread, or a coroutine.
    """

    @wraps(page)
    async def guarded(request: Request) -> Response:
        site = site_of(request)
        if any(isinstance(one, int) and one > MOST_NUMBER for one in request.path_params.values()):
            raise HTTPException(404)
        account = await run_in_threadpool(site.logins.account, request)
        request.state.account = account
        if guard is not Open.ANYBODY:
            if account is None:
                return _to_login(request)
            if not may(account, Action(guard)):
                raise HTTPException(403)
        if request.method in UNSAFE and not own_body:
            await _require_token(request, form=form)
        return await _run(page, request)

    made = Route(path, guarded, methods=list(methods), name=page.__name__)
    made.guard, made.own_body = guard, own_body  # type: ignore[attr-defined]
    return made


async def _run(page: Page, request: Request) -> Response:
    if inspect.iscoroutinefunction(page):
        answer: Response = await page(request)
        return answer
    result: Any = await run_in_threadpool(page, request)
    return result  # type: ignore[no-any-return]


async def _require_token(request: Request, *, form: bool) -> None:
    token = request.headers.get("X-Form-Token", "")
    if form:
        request.state.form = await _read_form(request)
        token = token or str(request.state.form.get("token", ""))
    require_token(request, token)


def require_token(request: Request, token: str) -> None:
    """Raises 403 where the token is not that of this browser's forms."""
    if not site_of(request).logins.fits(request, token):
        raise HTTPException(403, N_("This page is too old, or came from somewhere else; open it again."))


async def _read_form(request: Request) -> FormData:
    """The form that was sent; the body is counted while it comes, because not every one says its length."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_FORM_BYTES:
            raise HTTPException(413)
    # Starlette counts the fields of multipart forms alone.
    if body.count(b"&") >= MOST_FORM_FIELDS:
        raise HTTPException(413)

    async def again() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    try:
        return await Request(request.scope, again).form(max_files=0, max_fields=MOST_FORM_FIELDS)
    except FormParserError:
        raise HTTPException(400) from None


def _to_login(request: Request) -> Response:
    """Pages ask for a login; what a script asks for is refused."""
    if request.method != "GET" or not wants_page(request):
        raise HTTPException(401)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/login?" + urlencode({"to": target}), 303)
