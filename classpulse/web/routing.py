"""Routes with access control and CSRF protection; ``route`` requires an access rule."""

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
"""Limits of a form; recordings and images have routes that read the body themselves."""


class PublicAccess(StrEnum):
    """Access without a login."""

    ANYONE = "anyone"


MAX_ID = (1 << 31) - 1
"""The largest database id: PostgreSQL's integer."""

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
    """A route that requires a login with the permission ``access`` for at least one class.

    The handler itself checks the class (``requested_session``, ``requested_class``, ``require_permission``).
    Methods other than GET require the CSRF token in the form field ``csrf_token`` or the header
    ``X-CSRF-Token``; with ``form`` False only in the header, and the body is not read. With ``streams_body``
    the handler reads the body and checks the token (``require_csrf_token``). A handler is a plain function,
    run in a thread, or a coroutine.
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
    """Raises HTTPException 403 for an invalid CSRF token."""
    if not context_of(request).login_sessions.is_valid_csrf_token(request, token):
        raise HTTPException(403, N_("This page is outdated or came from another site. Open it again."))


async def _read_form(request: Request) -> FormData:
    """Read the form. The size is checked while reading, because a chunked body has no length header."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
    # Starlette limits the number of fields of multipart forms only.
    if body.count(b"&") >= MAX_FORM_FIELDS:
        raise HTTPException(413)

    async def receive_body() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    try:
        return await Request(request.scope, receive_body).form(max_files=0, max_fields=MAX_FORM_FIELDS)
    except FormParserError:
        raise HTTPException(400) from None


def _redirect_to_login(request: Request) -> Response:
    """Redirect pages to the login; raises HTTPException 401 for scripts and forms."""
    if request.method != "GET" or not accepts_html(request):
        raise HTTPException(401)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/login?" + urlencode({"return_to": target}), 303)
