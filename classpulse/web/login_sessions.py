"""Who is logged in: a random token in the browser, its hash in the database; and the token of forms."""

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

COOKIE, VISITOR = "classpulse", "classpulse_visitor"

OF_THIS_HOST, OVER_TLS = "__Host-", "__Secure-"
"""A browser takes a cookie whose name begins so over TLS alone, and the first only from this very host and
for all of it: neither another service of the same domain nor somebody in the network can plant one."""

REFRESH = timedelta(minutes=5)
"""A login's last use is written at most so often."""


class Logins:
    """Keeps logins. ``hours``: after so long without a request one is over; ``secure``: cookies go over TLS
    alone, and are named so that browsers see to it."""

    def __init__(self, engine: Engine, *, hours: float, secure: bool) -> None:
        self._engine = engine
        self._lasts = timedelta(hours=hours)
        self._secure = secure
        prefix = OF_THIS_HOST if secure else ""
        self._cookie, self._visitor = prefix + COOKIE, prefix + VISITOR
        # Of this process: forms that were open before a restart are refused, and say so.
        self._key = secrets.token_bytes(32)

    def begin(self, response: Response, account: Account) -> None:
        """Log somebody in; always with a new token, so that one that was planted before is worth nothing."""
        token = secrets.token_urlsafe(32)
        now = now_utc()
        with Store(self._engine).unit() as unit:
            accounts.forget_logins(unit, now - self._lasts)
            accounts.open_login(unit, _hash(token), account.id, now)
            unit.commit()
        self._set(response, self._cookie, token)

    def end(self, request: Request, response: Response) -> None:
        """Log out."""
        token = request.cookies.get(self._cookie)
        if token:
            with Store(self._engine).unit() as unit:
                accounts.close_login(unit, _hash(token))
                unit.commit()
        self._set(response, self._cookie, "", max_age=0)

    def of(self, account: Account) -> list[accounts.Login]:
        """Where somebody is logged in."""
        return accounts.logins(self._engine, account.id, now_utc() - self._lasts)

    def is_this(self, request: Request, login: accounts.Login) -> bool:
        """Whether it is the login of the browser that asks."""
        return hmac.compare_digest(login.token_hash, _hash(request.cookies.get(self._cookie, "")))

    def account(self, request: Request) -> Account | None:
        """Who asks; None for a visitor."""
        token = request.cookies.get(self._cookie)
        if not token:
            return None
        now = now_utc()
        found = accounts.login(self._engine, _hash(token), now - self._lasts)
        if found is None:
            return None
        account, seen_at = found
        if now - seen_at > REFRESH:
            self._refresh(token, now)
        return account

    def form_token(self, request: Request) -> str:
        """What a form of this browser must carry, so that no other site can send it."""
        return hmac.new(self._key, self._who(request).encode(), hashlib.sha256).hexdigest()

    def fits(self, request: Request, token: str) -> bool:
        """Whether a form came from a page of ours."""
        return bool(self._who(request)) and hmac.compare_digest(self.form_token(request), token)

    def know_visitor(self, request: Request, response: Response) -> None:
        """Give a browser without a login something that its forms can be told by."""
        visitor = getattr(request.state, "visitor", None)
        if visitor is not None:
            self._set(response, self._visitor, visitor)

    def _refresh(self, token: str, now: datetime) -> None:
        with Store(self._engine).unit() as unit:
            accounts.seen(unit, _hash(token), now)
            unit.commit()

    def _who(self, request: Request) -> str:
        token = request.cookies.get(self._cookie) or request.cookies.get(self._visitor)
        if token is None:
            if not hasattr(request.state, "visitor"):
                request.state.visitor = secrets.token_urlsafe(16)
            token = str(request.state.visitor)
        return token

    def set_language(self, response: Response, language: str) -> None:
        """Keep a language that was chosen, for a year."""
        self._set(response, "classpulse_language", language, max_age=365 * 86400)

    def _set(self, response: Response, name: str, value: str, max_age: int | None = None) -> None:
        # Lax and not Strict: the link in a notification must find its reader logged in.
        response.set_cookie(
            name, value, max_age=max_age, httponly=True, samesite="lax", secure=self._secure, path="/"
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
