"""Logging in and out, and the very first start."""

from __future__ import annotations

import hmac
import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.web.guards import Open, route
from classpulse.web.passwords import fits, hashed, weakness
from classpulse.web.permissions import Action
from classpulse.web.site import LANGUAGES, language_of, render, site_of, words
from db.accounts import Role, account, account_and_hash, add_account
from db.store import Store, now_utc


def login(request: Request) -> Response:
    """The form; before there is an administrator, the first start's."""
    if site_of(request).code is not None:
        return RedirectResponse("/setup", 303)
    return render(request, "login.html.j2", to=_inside(request.query_params.get("to")), error="", name="")


def try_login(request: Request) -> Response:
    """The form was sent."""
    site, form, _ = site_of(request), request.state.form, words(language_of(request))
    name, password = str(form.get("name", ""))[:200], str(form.get("password", ""))[:1000]
    to = _inside(str(form.get("to", "")))
    keys = (f"name {name.casefold()}", f"address {request.client.host if request.client else ''}")
    wait_s = max(site.throttle.wait_s(key, time.monotonic()) for key in keys)
    if wait_s > 0:
        error = _("Too many tries. Wait %d seconds, then try again.") % (wait_s + 1)
        return render(request, "login.html.j2", 429, to=to, error=error, name=name)
    found = account_and_hash(site.engine, name)
    right = fits(found[1] if found else None, password)
    if found is None or not right or found[0].disabled:
        for key in keys:
            site.throttle.failed(key, time.monotonic())
        error = _("This name and password do not belong together.")
        return render(request, "login.html.j2", 401, to=to, error=error, name=name)
    for key in keys:
        site.throttle.succeeded(key)
    answer = RedirectResponse(to, 303)
    site.logins.begin(answer, found[0])
    site.audit(found[0], "login", f"account {found[0].name}")
    return answer


def logout(request: Request) -> Response:
    """The button was pressed."""
    answer = RedirectResponse("/login", 303)
    site_of(request).logins.end(request, answer)
    return answer


def setup(request: Request) -> Response:
    """The first start: whoever sees the terminal makes the administrator."""
    if site_of(request).code is None:
        return RedirectResponse("/login", 303)
    return render(request, "setup.html.j2", error="", name="")


def try_setup(request: Request) -> Response:
    """The form was sent."""
    site, form, _ = site_of(request), request.state.form, words(language_of(request))
    if site.code is None:
        return RedirectResponse("/login", 303)
    name, password = str(form.get("name", "")).strip()[:100], str(form.get("password", ""))
    now_s = time.monotonic()
    error = ""
    if site.throttle.wait_s("setup", now_s) > 0:
        error = _("Too many tries. Wait a little, then try again.")
    elif not hmac.compare_digest(str(form.get("code", "")).strip().encode(), site.code.encode()):
        site.throttle.failed("setup", now_s)
        error = _("This is not the code that the terminal shows.")
    elif not name:
        error = _("A name is missing.")
    elif password != str(form.get("again", "")):
        error = _("The two passwords differ.")
    else:
        error = weakness(password, name)
    if error:
        return render(request, "setup.html.j2", 400, error=error, name=name)
    with Store(site.engine).unit() as unit:
        number = add_account(unit, name, Role.ADMINISTRATOR, hashed(password), now_utc())
        unit.audit("account", f"account {name}", now_utc(), "the first administrator")
        unit.commit()
    site.code = None
    answer = RedirectResponse("/", 303)
    site.logins.begin(answer, account(site.engine, number))
    return answer


def language(request: Request) -> Response:
    """Somebody chose a language."""
    chosen = str(request.state.form.get("language", ""))
    answer = RedirectResponse(_inside(str(request.state.form.get("to", ""))), 303)
    if chosen in LANGUAGES:
        answer.set_cookie("classpulse_language", chosen, max_age=365 * 86400, httponly=True, samesite="lax")
    return answer


def _inside(target: str | None) -> str:
    """A path of ours to go on to; anything that could lead elsewhere is the start page. A browser reads a
    backslash as a slash, and two slashes as another host."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return "/"


ROUTES = [
    route("/login", login, Open.ANYBODY),
    route("/login", try_login, Open.ANYBODY, methods=("POST",)),
    route("/logout", logout, Action.LOOK, methods=("POST",)),
    route("/setup", setup, Open.ANYBODY),
    route("/setup", try_setup, Open.ANYBODY, methods=("POST",)),
    route("/language", language, Open.ANYBODY, methods=("POST",)),
]
