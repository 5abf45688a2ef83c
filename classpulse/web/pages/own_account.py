"""The user's own account: password and logins."""

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
    """The page of the user's own account."""
    return _render(request)


def change_own_password(request: Request) -> Response:
    """Change the password and end all other logins."""
    context, account, form = context_of(request), request_account(request), request.state.form
    key = f"name {account.name.casefold()}"
    try:
        if context.login_limiter.acquire(key, time.monotonic()) > 0:
            raise LocalizedError(N_("Too many attempts. Wait a moment, then try again."))
        account_and_hash = find_account_and_hash(context.engine, account.name)
        if not verify_password(
            account_and_hash[1] if account_and_hash else None, str(form.get("current_password", ""))[:1000]
        ):
            raise LocalizedError(N_("The current password is wrong."))
        context.login_limiter.record_success(key)
        if form.get("password") != form.get("repeat_password"):
            raise LocalizedError(N_("The two passwords are different."))
        accounts.set_account_password(context.engine, account.name, account, str(form.get("password", "")))
    except LocalizedError as error:
        return _render(request, 400, error=error.message(get_translator(request_language(request))))
    answer = RedirectResponse("/account?changed=password", 303)
    context.login_sessions.start(answer, account)
    return answer


def end_login(request: Request) -> Response:
    """End one of the user's logins, or all."""
    context, account, form = context_of(request), request_account(request), request.state.form
    chosen = str(form.get("login", ""))
    ended = [
        login
        for login in context.login_sessions.list_for(account)
        if chosen in ("all", login.token_hash[:TOKEN_PREFIX_LENGTH])
    ]
    with Store(context.engine).unit_of_work() as unit:
        for login in ended:
            delete_logins(unit, account.id, login.token_hash)
        unit.commit()
    return RedirectResponse("/account", 303)


TOKEN_PREFIX_LENGTH = 16
"""Characters of a login's hash that identify it; the page need not contain the whole hash."""


def _render(request: Request, code: int = 200, error: str = "") -> Response:
    context = context_of(request)
    logins = [
        (login, login.token_hash[:TOKEN_PREFIX_LENGTH], context.login_sessions.is_current(request, login))
        for login in context.login_sessions.list_for(request_account(request))
    ]
    changed = request.query_params.get("changed") == "password"
    return render_page(request, "account.html.j2", code, logins=logins, error=error, changed=changed)


ROUTES = [
    route("/account", own_account_page, Permission.VIEW),
    route("/account/password", change_own_password, Permission.VIEW, methods=("POST",)),
    route("/account/logins", end_login, Permission.VIEW, methods=("POST",)),
]
