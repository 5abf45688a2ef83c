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

from classpulse.web.context import accepts_html, context_of
from classpulse.web.permissions import Permission, is_allowed
from reports.text.i18n import N_

UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})

MAX_FORM_BYTES, MAX_FORM_FIELDS = 1 << 20, 500
"""Of a form; recordings and pictures have routes that read their own bodies."""


class PublicAccess(StrEnum):
    """Routes for who is not logged in."""

    ANYONE = "anybody"


MAX_ID = (1 << 31) - 1
"""No session, student or account has a greater one: PostgreSQL could not store it."""

AccessRule = Permission | PublicAccess
PageHandler = Callable[[Request], Response | Awaitable[Response]]


def route(
    path: str,
    handler: PageHandler,
    access: AccessRule,
    *,
    methods: tuple[str, ...] = ("GET",),
    form: bool = True,
    streams_body: bool = False,
) -> Route:
    """A route that ``access`` stands before: a login whose account may do that with some class. Which class it
    is the page itself must ask (``session_for``, ``require``). Anything but GET needs the form's token, in
    the field ``csrf_token`` or the header ``X-CSRF-Token``; with ``form`` False in the header alone, and the body
    is not read. With ``streams_body`` the page reads the body as it comes, and asks for the token itself
    (``require_csrf_token``) before it does anything.

    ``handler`` may be a plain function, which then runs in a thread, or a coroutine.
    """

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        context = context_of(request)
        if any(isinstance(value, int) and value > MAX_ID for value in request.path_params.values()):
            raise HTTPException(404)
        account = await run_in_threadpool(context.login_sessions.current_account, request)
        request.state.account = account
        if access is not PublicAccess.ANYONE:
            if account is None:
                return _redirect_to_login(request)
            if not is_allowed(account, Permission(access)):
                raise HTTPException(403)
        if request.method in UNSAFE_METHODS and not streams_body:
            await _check_csrf_token(request, form=form)
        return await _call_handler(handler, request)

    guarded_route = Route(path, guarded, methods=list(methods), name=handler.__name__)
    guarded_route.access, guarded_route.streams_body = access, streams_body  # type: ignore[attr-defined]
    return guarded_route


async def _call_handler(handler: PageHandler, request: Request) -> Response:
    if inspect.iscoroutinefunction(handler):
        answer: Response = await handler(request)
        return answer
    result: Any = await run_in_threadpool(handler, request)
    return result  # type: ignore[no-any-return]


async def _check_csrf_token(request: Request, *, form: bool) -> None:
    token = request.headers.get("X-CSRF-Token", "")
    if form:
        request.state.form = await _read_form(request)
        token = token or str(request.state.form.get("csrf_token", ""))
    require_csrf_token(request, token)


def require_csrf_token(request: Request, token: str) -> None:
    """Raises 403 where the token is not that of this browser's forms."""
    if not context_of(request).login_sessions.is_valid_csrf_token(request, token):
        raise HTTPException(403, N_("This page is too old, or came from somewhere else; open it again."))


async def _read_form(request: Request) -> FormData:
    """The form that was sent; the body is counted while it comes, because not every one says its length."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    # Starlette counts the fields of multipart forms alone.
    if body.count(b"&") >= MAX_FORM_FIELDS:
        raise HTTPException(413)

    async def again() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    try:
        return await Request(request.scope, again).form(max_files=0, max_fields=MAX_FORM_FIELDS)
    except FormParserError:
        raise HTTPException(400) from None


def _redirect_to_login(request: Request) -> Response:
    """Pages ask for a login; what a script asks for is refused."""
    if request.method != "GET" or not accepts_html(request):
        raise HTTPException(401)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/login?" + urlencode({"return_to": target}), 303)
