"""One's own account: the password, and where one is logged in."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import Refusal
from classpulse.services import accounts
from classpulse.services.accounts import fits
from classpulse.web.context import account_of, language_of, render, site_of, words
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from db.accounts import account_and_hash, close_logins
from db.unit_of_work import Store
from reports.text.i18n import N_


def own(request: Request) -> Response:
    """The page."""
    return _page(request)


def change_password(request: Request) -> Response:
    """The form was sent; every other browser has to log in anew."""
    site, account, form = site_of(request), account_of(request), request.state.form
    key = f"name {account.name.casefold()}"
    try:
        if site.throttle.try_s(key, time.monotonic()) > 0:
            raise Refusal(N_("Too many tries. Wait a little, then try again."))
        found = account_and_hash(site.engine, account.name)
        if not fits(found[1] if found else None, str(form.get("old", ""))[:1000]):
            raise Refusal(N_("The old password is not right."))
        site.throttle.succeeded(key)
        if form.get("password") != form.get("again"):
            raise Refusal(N_("The two passwords differ."))
        accounts.set_password(site.engine, account.name, account, str(form.get("password", "")))
    except Refusal as refusal:
        return _page(request, 400, error=refusal.told(words(language_of(request))))
    answer = RedirectResponse("/account?changed=password", 303)
    site.logins.begin(answer, account)
    return answer


def end_login(request: Request) -> Response:
    """One of the own logins, or all, is to end."""
    site, account, form = site_of(request), account_of(request), request.state.form
    chosen = str(form.get("login", ""))
    ended = [one for one in site.logins.of(account) if chosen in ("all", one.token_hash[:HANDLE])]
    with Store(site.engine).unit() as unit:
        for one in ended:
            close_logins(unit, account.id, one.token_hash)
        unit.commit()
    return RedirectResponse("/account", 303)


HANDLE = 16
"""So much of a login's hash tells it from the others; the rest need not be in a page."""


def _page(request: Request, code: int = 200, error: str = "") -> Response:
    site = site_of(request)
    logins = [
        (one, one.token_hash[:HANDLE], site.logins.is_this(request, one))
        for one in site.logins.of(account_of(request))
    ]
    changed = request.query_params.get("changed") == "password"
    return render(request, "account.html.j2", code, logins=logins, error=error, changed=changed)


ROUTES = [
    route("/account", own, Action.LOOK),
    route("/account/password", change_password, Action.LOOK, methods=("POST",)),
    route("/account/logins", end_login, Action.LOOK, methods=("POST",)),
]
