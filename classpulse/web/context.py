"""What every page has at hand: settings, database, who asks, words in their language, templates."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import wraps
from pathlib import Path
from typing import Any, cast

import jinja2
from markupsafe import Markup
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from classpulse.config.settings import Config
from classpulse.online.manager import OnlineLessons
from classpulse.services.times import zone_of
from classpulse.web.audit import Looks
from classpulse.web.background_jobs import Making
from classpulse.web.daemon_status import DaemonLook, Pictures
from classpulse.web.live.snapshot import LiveBoard
from classpulse.web.login_sessions import Logins
from classpulse.web.permissions import Action, may
from classpulse.web.rate_limit import FREE_OF_AN_ADDRESS, Throttle
from classpulse.web.templating import FILTERS
from db import sessions as queries
from db.accounts import Account
from db.clock import now_utc
from db.errors import InvalidValue, NotFound
from db.records import SessionRecord
from db.unit_of_work import Store
from reports.text import dates
from reports.text.i18n import Language, catalogue, speaking

LOCALES = Path(__file__).parent / "locale"
LANGUAGES = tuple(Language)


@dataclass
class Site:
    """One dashboard. ``code`` is the one-time code of the first start, None once there is an administrator;
    ``throttle`` slows guesses at a name or a code, ``addresses`` those from one address, ``joins`` those at
    the codes of online lessons: a class behind one address shares it, so it is never for long. ``left_out``
    are the sessions that cannot be summed up."""

    config: Config
    engine: Engine
    logins: Logins
    code: str | None = None
    throttle: Throttle = field(default_factory=Throttle)
    addresses: Throttle = field(default_factory=lambda: Throttle(FREE_OF_AN_ADDRESS))
    joins: Throttle = field(default_factory=lambda: Throttle(free=20, longest_s=60.0))
    looks: Looks = field(default_factory=Looks)
    making: Making = field(default_factory=Making)
    left_out: frozenset[int] = frozenset()
    daemon: DaemonLook = field(init=False)
    board: LiveBoard = field(init=False)
    pictures: Pictures = field(init=False)
    online: OnlineLessons = field(init=False)

    def __post_init__(self) -> None:
        self.daemon = DaemonLook(self.data_folder)
        self.board = LiveBoard(self.config, self.engine)
        self.pictures = Pictures(self.daemon)
        self.online = OnlineLessons(self.config, self.engine)

    @property
    def data_folder(self) -> Path:
        """Where the program that records answers."""
        return self.config.data_folder

    @property
    def zone(self) -> tzinfo | None:
        """In which times are shown; None is this computer's."""
        return zone_of(self.config)

    def audit_look(self, who: Account, action: str, subject: str) -> None:
        """Note that somebody looks at what goes on: once for as long as they do."""
        if self.looks.is_new((who.id, action, subject)):
            self.audit(who, action, subject)

    def audit(self, who: Account, action: str, subject: str, detail: str = "") -> None:
        """Note who did or looked at what. ``subject`` in words, pseudonyms only."""
        with Store(self.engine).unit() as unit:
            unit.audit(action, subject, now_utc(), f"by {who.name}" + (f": {detail}" if detail else ""))
            unit.commit()


def site_of(request: Request) -> Site:
    """The dashboard that a request belongs to."""
    return cast("Site", request.app.state.site)


def account_of(request: Request) -> Account:
    """Who asks. Only behind a guard that asks for a login."""
    return cast("Account", request.state.account)


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy that is trusted, what that says."""
    return request.client.host if request.client else ""


def require(request: Request, action: Action, class_name: str) -> None:
    """Raises 404 where this account may not do that with this class: whether it exists is nobody else's
    business."""
    if not may(account_of(request), action, class_name):
        raise HTTPException(404)


def session_for(request: Request, action: Action = Action.LOOK) -> SessionRecord:
    """The session whose number is in the address (``{session:int}``), for who may do ``action`` with its
    class."""
    try:
        session = queries.session(site_of(request).engine, int(request.path_params["session"]))
    except (NotFound, InvalidValue):
        raise HTTPException(404) from None
    require(request, action, session.class_name)
    return session


def render(request: Request, template: str, code: int = 200, **context: Any) -> Response:
    """A page. Everything in ``context`` is escaped."""
    site, language = site_of(request), language_of(request)
    environment = _environment(language)
    account = getattr(request.state, "account", None)
    with speaking(language):
        html = environment.get_template(f"web/{template}").render(
            **context,
            request=request,
            path=request.url.path,
            account=account,
            language=language,
            zone=site.zone,
            form_token=site.logins.form_token(request),
            may=lambda action, name=None: account is not None and may(account, Action(action), name),
        )
    response = HTMLResponse(html, code)
    site.logins.know_visitor(request, response)
    return response


def told_to_reader(page: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """A page in which the reports' sentences and dates are in its reader's language. What it writes to the
    audit, and all that is stored, must not be made of them."""

    @wraps(page)
    def told(request: Request) -> Response:
        with speaking(language_of(request)):
            return page(request)

    return told


def fragment(language: Language, template: str, **context: Any) -> Markup:
    """A part of a page that is the same for all who may see it, without forms. Everything is escaped."""
    with speaking(language):
        return Markup(_environment(language).get_template(f"web/{template}").render(**context))


def wants_page(request: Request) -> bool:
    """Whether a person asks, and not a script of ours, which wants JSON or a stream."""
    accept = request.headers.get("accept", "")
    return "json" not in accept and "event-stream" not in accept


def language_of(request: Request) -> Language:
    """The language that was chosen, else the first that the browser asks for and we have."""
    chosen = request.cookies.get("classpulse_language")
    if chosen in LANGUAGES:
        return Language(str(chosen))
    wanted = [
        part.split(";")[0].strip()[:2].lower()
        for part in request.headers.get("accept-language", "").split(",")
    ]
    return next((Language(one) for one in wanted if one in LANGUAGES), Language.EN)


def words(language: str) -> Callable[[str], str]:
    """gettext's function of a language, for texts outside of templates."""
    return _translations(language).gettext


_ENVIRONMENTS: dict[str, jinja2.Environment] = {}


def _environment(language: str) -> jinja2.Environment:
    if language not in _ENVIRONMENTS:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("templates", "."),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(FILTERS)
        environment.filters.update(_dates())
        environment.filters["word"] = words(language)
        environment.install_gettext_translations(_translations(language), newstyle=True)  # type: ignore[attr-defined]
        _ENVIRONMENTS[language] = environment
    return _ENVIRONMENTS[language]


def _dates() -> dict[str, Callable[..., str]]:
    """The filters ``clock``, ``day`` and ``moment``: in the page's zone; a macro that is not in a page leaves
    the time in the zone that it has."""

    def filter_of(told: Callable[[datetime], str]) -> Callable[..., str]:
        @jinja2.pass_context
        def shown(context: jinja2.runtime.Context, at: datetime) -> str:
            zone = context.get("zone", at.tzinfo)
            return told(at.astimezone(zone))

        return shown

    return {
        "clock": filter_of(dates.clock),
        "day": filter_of(dates.brief_day),
        "moment": filter_of(dates.brief_moment),
    }


def _translations(language: str) -> gettext.NullTranslations:
    """The dashboard's own texts, and the reports' for what it takes from them."""
    own = gettext.translation("classpulse", LOCALES, [language], fallback=True)
    if language in LANGUAGES:
        own.add_fallback(catalogue(Language(language)))
    return own
