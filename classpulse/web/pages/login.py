"""Logging in and out, and the very first start."""

from __future__ import annotations

import hmac
import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classpulse.errors import Refusal
from classpulse.services import accounts
from classpulse.services.accounts import fits
from classpulse.web.context import LANGUAGES, Site, address_of, language_of, render, site_of, words
from classpulse.web.permissions import Action
from classpulse.web.routing import Open, route
from db.accounts import Role, account_and_hash, count_administrators
from reports.text.i18n import N_


def login(request: Request) -> Response:
    """The form; before there is an administrator, the first start's."""
    if _first_code(site_of(request)) is not None:
        return RedirectResponse("/setup", 303)
    return render(request, "login.html.j2", to=_inside(request.query_params.get("to")), error="", name="")


def try_login(request: Request) -> Response:
    """The form was sent."""
    site, form, _ = site_of(request), request.state.form, words(language_of(request))
    name, password = str(form.get("name", ""))[:200], str(form.get("password", ""))[:1000]
    to = _inside(str(form.get("to", "")))
    by_name, by_address = f"name {name.casefold()}", address_of(request)
    now_s = time.monotonic()
    wait_s = site.addresses.try_s(by_address, now_s) or site.throttle.try_s(by_name, now_s)
    if wait_s > 0:
        error = _("Too many tries. Wait %d seconds, then try again.") % (wait_s + 1)
        return render(request, "login.html.j2", 429, to=to, error=error, name=name)
    found = account_and_hash(site.engine, name)
    right = fits(found[1] if found else None, password)
    if found is None or not right or found[0].disabled:
        error = _("This name and password do not belong together.")
        return render(request, "login.html.j2", 401, to=to, error=error, name=name)
    site.throttle.succeeded(by_name)
    # Not forgotten: who has an account must not be able to wash their address clean with it.
    site.addresses.succeeded(by_address, forget=False)
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
    if _first_code(site_of(request)) is None:
        return RedirectResponse("/login", 303)
    return render(request, "setup.html.j2", error="", name="")


def try_setup(request: Request) -> Response:
    """The form was sent."""
    site, form, _ = site_of(request), request.state.form, words(language_of(request))
    if (code := _first_code(site)) is None:
        return RedirectResponse("/login", 303)
    name, password = str(form.get("name", ""))[:200], str(form.get("password", ""))
    try:
        if site.throttle.try_s("setup", time.monotonic()) > 0:
            raise Refusal(N_("Too many tries. Wait a little, then try again."))
        if not hmac.compare_digest(str(form.get("code", "")).strip().encode(), code.encode()):
            raise Refusal(N_("This is not the code that the terminal shows."))
        site.throttle.succeeded("setup")
        if password != str(form.get("again", "")):
            raise Refusal(N_("The two passwords differ."))
        made = accounts.add(site.engine, "the first start", name, Role.ADMINISTRATOR, [], password)
    except Refusal as refusal:
        return render(request, "setup.html.j2", 400, error=refusal.told(_), name=name)
    site.code = None
    answer = RedirectResponse("/", 303)
    site.logins.begin(answer, made)
    return answer


def _first_code(site: Site) -> str | None:
    """The first start's code, as long as there is no administrator; the command line may make one, too."""
    if site.code is not None and count_administrators(site.engine):
        site.code = None
    return site.code


def language(request: Request) -> Response:
    """Somebody chose a language."""
    chosen = str(request.state.form.get("language", ""))
    answer = RedirectResponse(_inside(str(request.state.form.get("to", ""))), 303)
    if chosen in LANGUAGES:
        site_of(request).logins.set_language(answer, chosen)
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
