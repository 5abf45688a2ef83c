"""Everybody's accounts, for administrators."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import Engine
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import Refusal
from classpulse.services import accounts
from classpulse.web.class_access import class_names
from classpulse.web.context import account_of, language_of, render, site_of, words
from classpulse.web.permissions import Action
from classpulse.web.routing import route
from db import accounts as stored
from db.accounts import Account, Role
from db.errors import NotFound


def overview(request: Request) -> Response:
    """Who has an account, and the form for another."""
    return _overview(request)


def add(request: Request) -> Response:
    """The form was sent; a password that was made is shown once."""
    site, form = site_of(request), request.state.form
    name, typed = str(form.get("name", ""))[:200], str(form.get("password", ""))
    password = typed or accounts.new_password(name)
    try:
        made = accounts.add(
            site.engine, account_of(request).name, name, _role(form), _classes(form), password
        )
    except Refusal as refusal:
        return _overview(request, 400, error=_told(request, refusal), name=name)
    if typed:
        return RedirectResponse("/accounts", 303)
    return _one(request, made, shown=password)


def one(request: Request) -> Response:
    """What can be changed of one account."""
    return _one(request, _account(request))


def change(request: Request) -> Response:
    """Another role, other classes."""
    form = request.state.form
    return _do(request, partial(accounts.change, role=_role(form), classes=_classes(form)))


def set_password(request: Request) -> Response:
    """A new password for somebody who has forgotten theirs: the one that was typed, or one that is shown."""
    typed = str(request.state.form.get("password", ""))
    password = typed or accounts.new_password(_account(request).name)
    doing = partial(accounts.set_password, password=password)
    return _do(request, doing, shown=None if typed else password)


def disable(request: Request) -> Response:
    """Somebody has left."""
    return _do(request, accounts.disable)


def enable(request: Request) -> Response:
    """Somebody is back."""
    return _do(request, accounts.enable)


def _do(
    request: Request, doing: Callable[[Engine, str, Account], None], shown: str | None = None
) -> Response:
    site, account = site_of(request), _account(request)
    try:
        doing(site.engine, account_of(request).name, account)
    except Refusal as refusal:
        return _one(request, account, 400, error=_told(request, refusal))
    if shown is not None:
        return _one(request, account, shown=shown)
    return RedirectResponse("/accounts", 303)


def _account(request: Request) -> Account:
    try:
        return stored.account(site_of(request).engine, int(request.path_params["account"]))
    except NotFound:
        raise HTTPException(404) from None


def _role(form: FormData) -> Role:
    try:
        return Role(str(form.get("role", "")))
    except ValueError:
        raise HTTPException(400) from None


def _classes(form: FormData) -> list[str]:
    """Those that were ticked, and new ones, one a line."""
    new = str(form.get("new_classes", "")).splitlines()
    return [name for name in (*map(str, form.getlist("class")), *new) if name.strip()]


def _told(request: Request, refusal: Refusal) -> str:
    return refusal.told(words(language_of(request)))


def _overview(request: Request, code: int = 200, error: str = "", name: str = "") -> Response:
    return render(
        request,
        "accounts.html.j2",
        code,
        accounts=stored.accounts(site_of(request).engine),
        classes=class_names(request),
        error=error,
        name=name,
    )


def _one(
    request: Request, account: Account, code: int = 200, *, error: str = "", shown: str = ""
) -> Response:
    return render(
        request,
        "accounts_one.html.j2",
        code,
        one=account,
        classes=class_names(request),
        error=error,
        shown=shown,
    )


ROUTES = [
    route("/accounts", overview, Action.ADMINISTER),
    route("/accounts", add, Action.ADMINISTER, methods=("POST",)),
    route("/accounts/{account:int}", one, Action.ADMINISTER),
    route("/accounts/{account:int}", change, Action.ADMINISTER, methods=("POST",)),
    route("/accounts/{account:int}/password", set_password, Action.ADMINISTER, methods=("POST",)),
    route("/accounts/{account:int}/disable", disable, Action.ADMINISTER, methods=("POST",)),
    route("/accounts/{account:int}/enable", enable, Action.ADMINISTER, methods=("POST",)),
]
