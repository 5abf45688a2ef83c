"""One's own account: the password, and where one is logged in."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import LocalizedError
from classpulse.services import accounts
from classpulse.services.accounts import verify_password
from classpulse.web.context import context_of, get_translator, render_page, request_account, request_language
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from db.accounts import delete_logins, find_account_and_hash
from db.unit_of_work import Store
from reports.text.i18n import N_


def own_account_page(request: Request) -> Response:
    """The page."""
    return _render(request)


def change_own_password(request: Request) -> Response:
    """The form was sent; every other browser has to log in anew."""
    site, account, form = context_of(request), request_account(request), request.state.form
    key = f"name {account.name.casefold()}"
    try:
        if site.login_limiter.acquire(key, time.monotonic()) > 0:
            raise LocalizedError(N_("Too many tries. Wait a little, then try again."))
        found = find_account_and_hash(site.engine, account.name)
        if not verify_password(found[1] if found else None, str(form.get("old", ""))[:1000]):
            raise LocalizedError(N_("The old password is not right."))
        site.login_limiter.record_success(key)
        if form.get("password") != form.get("again"):
            raise LocalizedError(N_("The two passwords differ."))
        accounts.set_account_password(site.engine, account.name, account, str(form.get("password", "")))
    except LocalizedError as refusal:
        return _render(request, 400, error=refusal.message(get_translator(request_language(request))))
    answer = RedirectResponse("/account?changed=password", 303)
    site.login_sessions.start(answer, account)
    return answer


def end_login(request: Request) -> Response:
    """One of the own logins, or all, is to end."""
    site, account, form = context_of(request), request_account(request), request.state.form
    chosen = str(form.get("login", ""))
    ended = [
        one
        for one in site.login_sessions.list_for(account)
        if chosen in ("all", one.token_hash[:TOKEN_PREFIX_LENGTH])
    ]
    with Store(site.engine).unit_of_work() as unit:
        for one in ended:
            delete_logins(unit, account.id, one.token_hash)
        unit.commit()
    return RedirectResponse("/account", 303)


TOKEN_PREFIX_LENGTH = 16
"""So much of a login's hash tells it from the others; the rest need not be in a page."""


def _render(request: Request, code: int = 200, error: str = "") -> Response:
    site = context_of(request)
    logins = [
        (one, one.token_hash[:TOKEN_PREFIX_LENGTH], site.login_sessions.is_current(request, one))
        for one in site.login_sessions.list_for(request_account(request))
    ]
    changed = request.query_params.get("changed") == "password"
    return render_page(request, "account.html.j2", code, logins=logins, error=error, changed=changed)


ROUTES = [
    route("/account", own_account_page, Permission.VIEW),
    route("/account/password", change_own_password, Permission.VIEW, methods=("POST",)),
    route("/account/logins", end_login, Permission.VIEW, methods=("POST",)),
]
