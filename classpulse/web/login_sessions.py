"""Login sessions (a random token in a cookie, its hash in the database) and CSRF tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from db import accounts
from db.accounts import Account
from db.clock import now_utc
from db.unit_of_work import Store

SESSION_COOKIE, VISITOR_COOKIE = "classpulse_session", "classpulse_visitor"

HOST_COOKIE_PREFIX, SECURE_COOKIE_PREFIX = "__Host-", "__Secure-"
"""Cookie name prefixes that browsers accept over TLS only (``__Host-`` also from this exact host only), so
that neither another service of the domain nor an attacker in the network can plant a cookie."""

LAST_SEEN_INTERVAL = timedelta(minutes=5)
"""Minimum time between two updates of the last use of a login."""


class LoginSessions:
    """Creates, checks and ends logins. ``hours``: lifetime without a request; ``secure``: cookies are sent
    over TLS only and have prefixed names."""

    def __init__(self, engine: Engine, *, hours: float, secure: bool) -> None:
        self._engine = engine
        self._lifetime = timedelta(hours=hours)
        self._secure = secure
        prefix = HOST_COOKIE_PREFIX if secure else ""
        self._session_cookie, self._visitor_cookie = prefix + SESSION_COOKIE, prefix + VISITOR_COOKIE
        # New for each process: forms opened before a restart are rejected with an explanation.
        self._key = secrets.token_bytes(32)

    def start(self, response: Response, account: Account) -> None:
        """Log an account in, always with a new token, which prevents session fixation."""
        token = secrets.token_urlsafe(32)
        now = now_utc()
        with Store(self._engine).unit_of_work() as unit:
            accounts.delete_unused_logins(unit, now - self._lifetime)
            accounts.add_login(unit, _hash(token), account.id, now)
            unit.commit()
        self._set(response, self._session_cookie, token)

    def end(self, request: Request, response: Response) -> None:
        """Log the browser out."""
        token = request.cookies.get(self._session_cookie)
        if token:
            with Store(self._engine).unit_of_work() as unit:
                accounts.delete_login(unit, _hash(token))
                unit.commit()
        self._set(response, self._session_cookie, "", max_age=0)

    def list_for(self, account: Account) -> list[accounts.Login]:
        """The logins of an account."""
        return accounts.list_logins(self._engine, account.id, now_utc() - self._lifetime)

    def is_current(self, request: Request, login: accounts.Login) -> bool:
        """Whether this is the login of the requesting browser."""
        return hmac.compare_digest(login.token_hash, _hash(request.cookies.get(self._session_cookie, "")))

    def current_account(self, request: Request) -> Account | None:
        """The account of the requesting browser, None if it is not logged in."""
        token = request.cookies.get(self._session_cookie)
        if not token:
            return None
        now = now_utc()
        login = accounts.find_login(self._engine, _hash(token), now - self._lifetime)
        if login is None:
            return None
        account, seen_at = login
        if now - seen_at > LAST_SEEN_INTERVAL:
            self._update_last_seen(token, now)
        return account

    def csrf_token(self, request: Request) -> str:
        """The CSRF token of the requesting browser."""
        return hmac.new(self._key, self._browser_token(request).encode(), hashlib.sha256).hexdigest()

    def is_valid_csrf_token(self, request: Request, token: str) -> bool:
        """Whether ``token`` is the CSRF token of the requesting browser."""
        return bool(self._browser_token(request)) and hmac.compare_digest(self.csrf_token(request), token)

    def set_visitor_cookie(self, request: Request, response: Response) -> None:
        """Set the cookie that a CSRF token is bound to while the browser is not logged in."""
        visitor = getattr(request.state, "visitor", None)
        if visitor is not None:
            self._set(response, self._visitor_cookie, visitor)

    def _update_last_seen(self, token: str, now: datetime) -> None:
        with Store(self._engine).unit_of_work() as unit:
            accounts.touch_login(unit, _hash(token), now)
            unit.commit()

    def _browser_token(self, request: Request) -> str:
        token = request.cookies.get(self._session_cookie) or request.cookies.get(self._visitor_cookie)
        if token is None:
            if not hasattr(request.state, "visitor"):
                request.state.visitor = secrets.token_urlsafe(16)
            token = str(request.state.visitor)
        return token

    def set_language(self, response: Response, language: str) -> None:
        """Store the chosen language for a year."""
        self._set(response, "classpulse_language", language, max_age=365 * 86400)

    def _set(self, response: Response, name: str, value: str, max_age: int | None = None) -> None:
        # Lax, not Strict: a link in a notification e-mail must open with the login.
        response.set_cookie(
            name, value, max_age=max_age, httponly=True, samesite="lax", secure=self._secure, path="/"
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
