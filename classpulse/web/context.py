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
from classpulse.online.manager import OnlineLessonManager
from classpulse.services.times import configured_zone
from classpulse.web.audit import ViewAuditThrottle
from classpulse.web.background_jobs import BackgroundJobs
from classpulse.web.daemon_status import DaemonStatusCache, PreviewFetcher
from classpulse.web.live.snapshot import LivePageCache
from classpulse.web.login_sessions import LoginSessions
from classpulse.web.permissions import Permission, is_allowed
from classpulse.web.rate_limit import FREE_ATTEMPTS_PER_ADDRESS, RateLimiter
from classpulse.web.templating import TEMPLATE_FILTERS
from db import sessions as queries
from db.accounts import Account
from db.clock import now_utc
from db.errors import InvalidValue, NotFound
from db.records import SessionRecord
from db.unit_of_work import Store
from reports.text import dates
from reports.text.i18n import Language, load_catalogue, use_language

LOCALE_FOLDER = Path(__file__).parent / "locale"
LANGUAGES = tuple(Language)


@dataclass
class AppContext:
    """One dashboard. ``setup_code`` is the one-time code of the first start, None once there is an administrator;
    ``login_limiter`` slows guesses at a name or a code, ``address_limiter`` those from one address, ``join_limiter`` those at
    the codes of online lessons: a class behind one address shares it, so it is never for long. ``unsummarisable``
    are the sessions that cannot be summed up."""

    config: Config
    engine: Engine
    login_sessions: LoginSessions
    setup_code: str | None = None
    login_limiter: RateLimiter = field(default_factory=RateLimiter)
    address_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(FREE_ATTEMPTS_PER_ADDRESS))
    join_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(free_attempts=20, max_delay_s=60.0))
    view_audit: ViewAuditThrottle = field(default_factory=ViewAuditThrottle)
    jobs: BackgroundJobs = field(default_factory=BackgroundJobs)
    unsummarisable: frozenset[int] = frozenset()
    daemon: DaemonStatusCache = field(init=False)
    live_pages: LivePageCache = field(init=False)
    previews: PreviewFetcher = field(init=False)
    online_lessons: OnlineLessonManager = field(init=False)

    def __post_init__(self) -> None:
        self.daemon = DaemonStatusCache(self.data_folder)
        self.live_pages = LivePageCache(self.config, self.engine)
        self.previews = PreviewFetcher(self.daemon)
        self.online_lessons = OnlineLessonManager(self.config, self.engine)

    @property
    def data_folder(self) -> Path:
        """Where the program that records answers."""
        return self.config.data_folder

    @property
    def zone(self) -> tzinfo | None:
        """In which times are shown; None is this computer's."""
        return configured_zone(self.config)

    def audit_view(self, account: Account, action: str, subject: str) -> None:
        """Note that somebody looks at what goes on: once for as long as they do."""
        if self.view_audit.should_record((account.id, action, subject)):
            self.audit(account, action, subject)

    def audit(self, account: Account, action: str, subject: str, detail: str = "") -> None:
        """Note who did or looked at what. ``subject`` in words, pseudonyms only."""
        with Store(self.engine).unit_of_work() as unit:
            unit.add_audit_entry(
                action, subject, now_utc(), f"by {account.name}" + (f": {detail}" if detail else "")
            )
            unit.commit()


def context_of(request: Request) -> AppContext:
    """The dashboard that a request belongs to."""
    return cast("AppContext", request.app.state.context)


def request_account(request: Request) -> Account:
    """Who asks. Only behind a guard that asks for a login."""
    return cast("Account", request.state.account)


def client_address(request: Request) -> str:
    """Where a request comes from; behind a proxy that is trusted, what that says."""
    return request.client.host if request.client else ""


def require_permission(request: Request, permission: Permission, class_name: str) -> None:
    """Raises 404 where this account may not do that with this class: whether it exists is nobody else's
    business."""
    if not is_allowed(request_account(request), permission, class_name):
        raise HTTPException(404)


def requested_session(request: Request, permission: Permission = Permission.VIEW) -> SessionRecord:
    """The session whose number is in the address (``{session:int}``), for who may do ``permission`` with its
    class."""
    try:
        session = queries.get_session(context_of(request).engine, int(request.path_params["session"]))
    except (NotFound, InvalidValue):
        raise HTTPException(404) from None
    require_permission(request, permission, session.class_name)
    return session


def render_page(request: Request, template: str, status_code: int = 200, **context: Any) -> Response:
    """A page. Everything in ``context`` is escaped."""
    site, language = context_of(request), request_language(request)
    environment = _environment(language)
    account = getattr(request.state, "account", None)
    with use_language(language):
        html = environment.get_template(f"web/{template}").render(
            **context,
            request=request,
            path=request.url.path,
            account=account,
            language=language,
            zone=site.zone,
            csrf_token=site.login_sessions.csrf_token(request),
            may=lambda action, name=None: (
                account is not None and is_allowed(account, Permission(action), name)
            ),
        )
    response = HTMLResponse(html, status_code)
    site.login_sessions.set_visitor_cookie(request, response)
    return response


def localized(page: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """A page in which the reports' sentences and dates are in its reader's language. What it writes to the
    audit, and all that is stored, must not be made of them."""

    @wraps(page)
    def told(request: Request) -> Response:
        with use_language(request_language(request)):
            return page(request)

    return told


def render_fragment(language: Language, template: str, **context: Any) -> Markup:
    """A part of a page that is the same for all who may see it, without forms. Everything is escaped."""
    with use_language(language):
        return Markup(_environment(language).get_template(f"web/{template}").render(**context))


def accepts_html(request: Request) -> bool:
    """Whether a person asks, and not a script of ours, which wants JSON or a stream."""
    accept = request.headers.get("accept", "")
    return "json" not in accept and "event-stream" not in accept


def request_language(request: Request) -> Language:
    """The language that was chosen, else the first that the browser asks for and we have."""
    chosen = request.cookies.get("classpulse_language")
    if chosen in LANGUAGES:
        return Language(str(chosen))
    preferred = [
        part.split(";")[0].strip()[:2].lower()
        for part in request.headers.get("accept-language", "").split(",")
    ]
    return next((Language(language) for language in preferred if language in LANGUAGES), Language.EN)


def get_translator(language: str) -> Callable[[str], str]:
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
        environment.filters.update(TEMPLATE_FILTERS)
        environment.filters.update(_date_filters())
        environment.filters["word"] = get_translator(language)
        environment.install_gettext_translations(_translations(language), newstyle=True)  # type: ignore[attr-defined]
        _ENVIRONMENTS[language] = environment
    return _ENVIRONMENTS[language]


def _date_filters() -> dict[str, Callable[..., str]]:
    """The filters ``clock``, ``day`` and ``moment``: in the page's zone; a macro that is not in a page leaves
    the time in the zone that it has."""

    def filter_of(told: Callable[[datetime], str]) -> Callable[..., str]:
        @jinja2.pass_context
        def shown(context: jinja2.runtime.Context, at: datetime) -> str:
            zone = context.get("zone", at.tzinfo)
            return told(at.astimezone(zone))

        return shown

    return {
        "clock": filter_of(dates.format_time_of_day),
        "day": filter_of(dates.format_short_day),
        "moment": filter_of(dates.format_short_datetime),
    }


def _translations(language: str) -> gettext.NullTranslations:
    """The dashboard's own texts, and the reports' for what it takes from them."""
    translations = gettext.translation("classpulse", LOCALE_FOLDER, [language], fallback=True)
    if language in LANGUAGES:
        translations.add_fallback(load_catalogue(Language(language)))
    return translations
