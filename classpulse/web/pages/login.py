"""Login, logout, language, and creation of the first administrator."""

from __future__ import annotations

import hmac
import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import LocalizedError
from classpulse.services import accounts
from classpulse.services.accounts import verify_password
from classpulse.web.context import (
    LANGUAGES,
    AppContext,
    client_address,
    context_of,
    get_translator,
    render_page,
    request_language,
)
from classpulse.web.permissions import Permission
from classpulse.web.routing import PublicAccess, route
from db.accounts import Role, count_administrators, find_account_and_hash
from reports.text.i18n import N_


def login_page(request: Request) -> Response:
    """The login form; redirects to the setup while there is no administrator."""
    if _setup_code(context_of(request)) is not None:
        return RedirectResponse("/setup", 303)
    return render_page(
        request,
        "login.html.j2",
        return_to=_safe_target(request.query_params.get("return_to")),
        error="",
        name="",
    )


def log_in(request: Request) -> Response:
    """Check the password and start a login session."""
    context, form, _ = context_of(request), request.state.form, get_translator(request_language(request))
    name, password = str(form.get("name", ""))[:200], str(form.get("password", ""))[:1000]
    return_to = _safe_target(str(form.get("return_to", "")))
    by_name, by_address = f"name {name.casefold()}", client_address(request)
    now_s = time.monotonic()
    wait_s = context.address_limiter.acquire(by_address, now_s) or context.login_limiter.acquire(
        by_name, now_s
    )
    if wait_s > 0:
        error = _("Too many attempts. Wait %d seconds, then try again.") % (wait_s + 1)
        return render_page(request, "login.html.j2", 429, return_to=return_to, error=error, name=name)
    account_and_hash = find_account_and_hash(context.engine, name)
    is_valid = verify_password(account_and_hash[1] if account_and_hash else None, password)
    if account_and_hash is None or not is_valid or account_and_hash[0].disabled:
        error = _("Name or password is wrong.")
        return render_page(request, "login.html.j2", 401, return_to=return_to, error=error, name=name)
    context.login_limiter.record_success(by_name)
    # Earlier failures remain: an account must not be usable to reset the limit of its address.
    context.address_limiter.record_success(by_address, reset=False)
    answer = RedirectResponse(return_to, 303)
    context.login_sessions.start(answer, account_and_hash[0])
    context.audit(account_and_hash[0], "login", f"account {account_and_hash[0].name}")
    return answer


def log_out(request: Request) -> Response:
    """End the login session."""
    answer = RedirectResponse("/login", 303)
    context_of(request).login_sessions.end(request, answer)
    return answer


def setup_page(request: Request) -> Response:
    """The form for the first administrator, which requires the code shown in the terminal."""
    if _setup_code(context_of(request)) is None:
        return RedirectResponse("/login", 303)
    return render_page(request, "setup.html.j2", error="", name="")


def create_administrator(request: Request) -> Response:
    """Create the first administrator."""
    context, form, _ = context_of(request), request.state.form, get_translator(request_language(request))
    if (code := _setup_code(context)) is None:
        return RedirectResponse("/login", 303)
    name, password = str(form.get("name", ""))[:200], str(form.get("password", ""))
    try:
        if context.login_limiter.acquire("setup", time.monotonic()) > 0:
            raise LocalizedError(N_("Too many attempts. Wait a moment, then try again."))
        if not hmac.compare_digest(str(form.get("code", "")).strip().encode(), code.encode()):
            raise LocalizedError(N_("This is not the code shown in the terminal."))
        context.login_limiter.record_success("setup")
        if password != str(form.get("repeat_password", "")):
            raise LocalizedError(N_("The two passwords are different."))
        account = accounts.create_account(
            context.engine, "the first start", name, Role.ADMINISTRATOR, [], password
        )
    except LocalizedError as error:
        return render_page(request, "setup.html.j2", 400, error=error.message(_), name=name)
    context.setup_code = None
    answer = RedirectResponse("/", 303)
    context.login_sessions.start(answer, account)
    return answer


def _setup_code(context: AppContext) -> str | None:
    """The setup code while there is no administrator; the command line may have created one."""
    if context.setup_code is not None and count_administrators(context.engine):
        context.setup_code = None
    return context.setup_code


def choose_language(request: Request) -> Response:
    """Store the chosen language in a cookie."""
    chosen = str(request.state.form.get("language", ""))
    answer = RedirectResponse(_safe_target(str(request.state.form.get("return_to", ""))), 303)
    if chosen in LANGUAGES:
        context_of(request).login_sessions.set_language(answer, chosen)
    return answer


def _safe_target(target: str | None) -> str:
    """``target`` if it is a local path, else the start page. Browsers read a backslash as a slash, and two
    slashes as a host."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return "/"


ROUTES = [
    route("/login", login_page, PublicAccess.ANYONE),
    route("/login", log_in, PublicAccess.ANYONE, methods=("POST",)),
    route("/logout", log_out, Permission.VIEW, methods=("POST",)),
    route("/setup", setup_page, PublicAccess.ANYONE),
    route("/setup", create_administrator, PublicAccess.ANYONE, methods=("POST",)),
    route("/language", choose_language, PublicAccess.ANYONE, methods=("POST",)),
]
