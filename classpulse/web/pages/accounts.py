"""Management of all accounts, for administrators."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import Engine
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import LocalizedError
from classpulse.services import accounts
from classpulse.web.class_access import selectable_class_names
from classpulse.web.context import context_of, get_translator, render_page, request_account, request_language
from classpulse.web.permissions import Permission
from classpulse.web.routing import route
from db import accounts as stored
from db.accounts import Account, Role
from db.errors import NotFound


def accounts_page(request: Request) -> Response:
    """The list of accounts and the form for a new one."""
    return _render_accounts(request)


def add_account_from_form(request: Request) -> Response:
    """Create an account; a generated password is shown once."""
    context, form = context_of(request), request.state.form
    name, typed_password = str(form.get("name", ""))[:200], str(form.get("password", ""))
    password = typed_password or accounts.generate_password(name)
    try:
        account = accounts.create_account(
            context.engine,
            request_account(request).name,
            name,
            _form_role(form),
            _form_classes(form),
            password,
        )
    except LocalizedError as error:
        return _render_accounts(request, 400, error=_error_text(request, error), name=name)
    if typed_password:
        return RedirectResponse("/accounts", 303)
    return _render_account(request, account, shown_password=password)


def account_page(request: Request) -> Response:
    """The forms for one account."""
    return _render_account(request, _requested_account(request))


def edit_account(request: Request) -> Response:
    """Change role and classes."""
    form = request.state.form
    return _apply_change(
        request, partial(accounts.update_account, role=_form_role(form), classes=_form_classes(form))
    )


def reset_password(request: Request) -> Response:
    """Set the typed password, or a generated one, which is shown once."""
    typed_password = str(request.state.form.get("password", ""))
    password = typed_password or accounts.generate_password(_requested_account(request).name)
    change = partial(accounts.set_account_password, password=password)
    return _apply_change(request, change, shown_password=None if typed_password else password)


def deactivate_account(request: Request) -> Response:
    """Disable an account."""
    return _apply_change(request, accounts.disable_account)


def reactivate_account(request: Request) -> Response:
    """Enable an account."""
    return _apply_change(request, accounts.enable_account)


def _apply_change(
    request: Request, change: Callable[[Engine, str, Account], None], shown_password: str | None = None
) -> Response:
    context, account = context_of(request), _requested_account(request)
    try:
        change(context.engine, request_account(request).name, account)
    except LocalizedError as error:
        return _render_account(request, account, 400, error=_error_text(request, error))
    if shown_password is not None:
        return _render_account(request, account, shown_password=shown_password)
    return RedirectResponse("/accounts", 303)


def _requested_account(request: Request) -> Account:
    try:
        return stored.get_account(context_of(request).engine, int(request.path_params["account"]))
    except NotFound:
        raise HTTPException(404) from None


def _form_role(form: FormData) -> Role:
    try:
        return Role(str(form.get("role", "")))
    except ValueError:
        raise HTTPException(400) from None


def _form_classes(form: FormData) -> list[str]:
    """The ticked classes and the new ones, one per line."""
    new = str(form.get("new_classes", "")).splitlines()
    return [name for name in (*map(str, form.getlist("class")), *new) if name.strip()]


def _error_text(request: Request, error: LocalizedError) -> str:
    return error.message(get_translator(request_language(request)))


def _render_accounts(request: Request, code: int = 200, error: str = "", name: str = "") -> Response:
    return render_page(
        request,
        "accounts.html.j2",
        code,
        accounts=stored.list_accounts(context_of(request).engine),
        classes=selectable_class_names(request),
        error=error,
        name=name,
    )


def _render_account(
    request: Request, account: Account, code: int = 200, *, error: str = "", shown_password: str = ""
) -> Response:
    return render_page(
        request,
        "accounts_one.html.j2",
        code,
        edited=account,
        classes=selectable_class_names(request),
        error=error,
        shown_password=shown_password,
    )


ROUTES = [
    route("/accounts", accounts_page, Permission.ADMINISTER),
    route("/accounts", add_account_from_form, Permission.ADMINISTER, methods=("POST",)),
    route("/accounts/{account:int}", account_page, Permission.ADMINISTER),
    route("/accounts/{account:int}", edit_account, Permission.ADMINISTER, methods=("POST",)),
    route("/accounts/{account:int}/password", reset_password, Permission.ADMINISTER, methods=("POST",)),
    route("/accounts/{account:int}/disable", deactivate_account, Permission.ADMINISTER, methods=("POST",)),
    route("/accounts/{account:int}/enable", reactivate_account, Permission.ADMINISTER, methods=("POST",)),
]
