"""What every page uses: the application context, the account and language of a request, templates."""

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
from model.errors import ProblemError
from reports.text import dates
from reports.text.i18n import Language, load_catalogue, use_language

LOCALE_FOLDER = Path(__file__).parent / "locale"
LANGUAGES = tuple(Language)


@dataclass
class AppContext:
    """The state of one dashboard.

    ``setup_code``: the one-time code of the first start, None once there is an administrator.
    ``login_limiter``: by account name or setup code; ``address_limiter``: by client address;
    ``join_limiter``: for the codes of online lessons, with short waits, because a class may share one
    address. ``unsummarisable``: sessions whose summary failed.
    """

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
        """The data folder, which also identifies the daemon."""
        return self.config.data_folder

    @property
    def zone(self) -> tzinfo | None:
        """The time zone of pages; None for this computer's."""
        return configured_zone(self.config)

    def audit_view(self, account: Account, action: str, subject: str) -> None:
        """Record a live view in the audit log, once per continuous view."""
        if self.view_audit.should_record((account.id, action, subject)):
            self.audit(account, action, subject)

    def audit(self, account: Account, action: str, subject: str, detail: str = "") -> None:
        """Add an audit entry. ``subject``: a text with pseudonyms only, no names."""
        with Store(self.engine).unit_of_work() as unit:
            unit.add_audit_entry(
                action, subject, now_utc(), f"by {account.name}" + (f": {detail}" if detail else "")
            )
            unit.commit()


def context_of(request: Request) -> AppContext:
    """The application context of a request."""
    return cast("AppContext", request.app.state.context)


def request_account(request: Request) -> Account:
    """The account of a request; only for routes that require a login."""
    return cast("Account", request.state.account)


def client_address(request: Request) -> str:
    """The client's address; behind a trusted proxy, the one that it forwards."""
    return request.client.host if request.client else ""


def require_permission(request: Request, permission: Permission, class_name: str) -> None:
    """Raises HTTPException 404 (not 403, which would reveal that the class exists) if the account lacks the
    permission for this class."""
    if not is_allowed(request_account(request), permission, class_name):
        raise HTTPException(404)


def requested_session(request: Request, permission: Permission = Permission.VIEW) -> SessionRecord:
    """The session in the path (``{session:int}``). Raises HTTPException 404 without ``permission`` for its
    class."""
    try:
        session = queries.get_session(context_of(request).engine, int(request.path_params["session"]))
    except (NotFound, InvalidValue):
        raise HTTPException(404) from None
    require_permission(request, permission, session.class_name)
    return session


def render_page(request: Request, template: str, status_code: int = 200, **values: Any) -> Response:
    """Render a page. ``values`` are escaped."""
    context, language = context_of(request), request_language(request)
    environment = _environment(language)
    account = getattr(request.state, "account", None)
    with use_language(language):
        html = environment.get_template(f"web/{template}").render(
            **values,
            request=request,
            path=request.url.path,
            account=account,
            language=language,
            zone=context.zone,
            csrf_token=context.login_sessions.csrf_token(request),
            may=lambda action, name=None: (
                account is not None and is_allowed(account, Permission(action), name)
            ),
        )
    response = HTMLResponse(html, status_code)
    context.login_sessions.set_visitor_cookie(request, response)
    return response


def localized(page: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """A page handler that runs with the reports' texts in the reader's language. Such texts must not be
    written to the audit log or the database."""

    @wraps(page)
    def localized_page(request: Request) -> Response:
        with use_language(request_language(request)):
            return page(request)

    return localized_page


def render_fragment(language: Language, template: str, **values: Any) -> Markup:
    """Render a part of a page that does not depend on the account. ``values`` are escaped."""
    with use_language(language):
        return Markup(_environment(language).get_template(f"web/{template}").render(**values))


def accepts_html(request: Request) -> bool:
    """Whether the client is a browser page, not a dashboard script, which accepts JSON or an event stream."""
    accept = request.headers.get("accept", "")
    return "json" not in accept and "event-stream" not in accept


def error_json(error: ProblemError) -> dict[str, str]:
    """An error for a script: ``error`` (the problem) and ``hint``."""
    return {"error": error.problem, "hint": error.hint}


def request_language(request: Request) -> Language:
    """The chosen language, else the first available one of ``Accept-Language``, else English."""
    chosen = request.cookies.get("classpulse_language")
    if chosen in LANGUAGES:
        return Language(str(chosen))
    preferred = [
        part.split(";")[0].strip()[:2].lower()
        for part in request.headers.get("accept-language", "").split(",")
    ]
    return next((Language(language) for language in preferred if language in LANGUAGES), Language.EN)


def get_translator(language: str) -> Callable[[str], str]:
    """The gettext function of a language, for texts outside of templates."""
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
    """The filters ``clock``, ``day`` and ``moment``, in the page's zone; fragments keep the time's zone."""

    def filter_of(format_time: Callable[[datetime], str]) -> Callable[..., str]:
        @jinja2.pass_context
        def filter_time(context: jinja2.runtime.Context, at: datetime) -> str:
            zone = context.get("zone", at.tzinfo)
            return format_time(at.astimezone(zone))

        return filter_time

    return {
        "clock": filter_of(dates.format_time_of_day),
        "day": filter_of(dates.format_short_day),
        "moment": filter_of(dates.format_short_datetime),
    }


def _translations(language: str) -> gettext.NullTranslations:
    """The dashboard's catalogue, with the reports' as fallback."""
    translations = gettext.translation("classpulse", LOCALE_FOLDER, [language], fallback=True)
    if language in LANGUAGES:
        translations.add_fallback(load_catalogue(Language(language)))
    return translations
