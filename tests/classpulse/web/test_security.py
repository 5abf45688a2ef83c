"""Forbidden requests on every route, read from the application so that new routes are included."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from starlette.routing import Route

from classpulse.config.settings import read_config
from classpulse.web.app import build_app
from classpulse.web.pages.login import ROUTES as LOGIN_ROUTES
from classpulse.web.permissions import ROLE_PERMISSIONS, Permission
from classpulse.web.rate_limit import FREE_ATTEMPTS, FREE_ATTEMPTS_PER_ADDRESS, RateLimiter
from classpulse.web.routing import MAX_FORM_BYTES, UNSAFE_METHODS, PublicAccess
from classpulse.web.server import uvicorn_config
from db import accounts as stored
from db.accounts import Role, add_account
from db.clock import now_utc
from db.schema import ClassGroupRow
from db.unit_of_work import Store

PASSWORD = "three quiet walnuts"
NASTY = "{{ 7*191 }}${7*191}<img src=x onerror=alert(1)>'\"&"
"""A name with markup of two template languages, HTML and attributes."""


def _routes(app: Any) -> list[Route]:
    found = [route for route in app.routes if isinstance(route, Route)]
    assert len(found) > 10
    return found


def _address(route: Route, **values: Any) -> str:
    filled = {
        name: values.get(name, 1 if type(kind).__name__ == "IntegerConvertor" else "x")
        for name, kind in route.param_convertors.items()
    }
    return route.path_format.format(**filled)


def _each(app: Any) -> Iterator[tuple[Route, str]]:
    for route in _routes(app):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield route, method


class TestRoutes:
    def test_every_route_has_access_rule(self, app) -> None:
        assert all(isinstance(route.access, Permission | PublicAccess) for route in _routes(app))

    def test_public_routes_are_known(self, app) -> None:
        """Every public route must be listed here."""
        opened = {route.path for route in _routes(app) if route.access is PublicAccess.ANYONE}
        known = {one.path for one in LOGIN_ROUTES if one.access is PublicAccess.ANYONE} | {"/healthz"}
        assert {one for one in opened - known if not one.startswith("/join")} == set()

    def test_visitors_are_redirected_or_rejected(self, app, browser, session_7b) -> None:
        visitor = browser()
        for route, method in _each(app):
            if route.access is PublicAccess.ANYONE:
                continue
            where = _address(route, session=session_7b)
            answer = visitor.request(method, where)
            assert answer.status_code == (303 if method == "GET" else 401), f"{method} {where}"
            if method == "GET":
                assert answer.headers["location"].startswith("/login?return_to=")
                script = visitor.get(where, headers={"accept": "application/json"})
                assert script.status_code == 401, where

    @pytest.mark.parametrize("name", ["Ada", "Ben", "Cleo", "Root"])
    def test_unsafe_methods_need_token(self, app, browser, session_7b, accounts, name: str) -> None:
        client, other = browser(name), browser("Root")
        stolen = other.token()
        for route, method in _each(app):
            if method not in UNSAFE_METHODS:
                continue
            where = _address(route, session=session_7b, account=accounts["Ben"])
            for data, headers in (
                ({}, {}),
                ({"csrf_token": ""}, {"x-csrf-token": ""}),
                ({"csrf_token": stolen}, {"x-csrf-token": stolen}),
                ({"csrf_token": "é\0"}, {"x-csrf-token": "x" * 5000}),
            ):
                answer = client.request(method, where, data=data, headers=headers)
                # A handler that reads the body may reject the form before it checks the token.
                refused = {400, 401, 403, 404, 415} if route.streams_body else {401, 403}
                assert answer.status_code in refused, f"{method} {where} {data}"
        assert stored.get_account(app.state.context.engine, accounts["Ben"]).disabled is False

    @pytest.mark.parametrize(
        ("name", "role"),
        [("Ada", Role.TEACHER), ("Cleo", Role.COUNSELLOR), ("Root", Role.ADMINISTRATOR)],
    )
    def test_missing_permission_is_forbidden(self, app, browser, session_7b, name: str, role: Role) -> None:
        client = browser(name)
        token = client.token()
        for route, method in _each(app):
            if route.access is PublicAccess.ANYONE or Permission(route.access) in ROLE_PERMISSIONS[role]:
                continue
            where = _address(route, session=session_7b)
            answer = client.request(method, where, headers={"x-csrf-token": token})
            assert answer.status_code == 403, f"{method} {where}"

    def test_session_of_another_class_is_404(self, app, browser, session_7b) -> None:
        ben = browser("Ben")
        token = ben.token()
        for route, method in _each(app):
            if "session" not in route.param_convertors or route.access not in ROLE_PERMISSIONS[Role.TEACHER]:
                continue
            where = _address(route, session=session_7b)
            answer = ben.request(method, where, headers={"x-csrf-token": token})
            missing = ben.request(
                method, _address(route, session=session_7b + 8), headers={"x-csrf-token": token}
            )
            assert answer.status_code == 404, f"{method} {where}"
            assert (missing.status_code, len(missing.content)) == (404, len(answer.content)), (
                "the response must not reveal whether it exists"
            )

    def test_class_of_another_teacher_is_404(self, app, browser, engine, session_7b) -> None:
        with engine.connect() as connection:
            named = {
                row.name: row.id for row in connection.execute(select(ClassGroupRow.id, ClassGroupRow.name))
            }
        ben = browser("Ben")
        token, tried = ben.token(), 0
        for route, method in _each(app):
            if "group" not in route.param_convertors or route.access not in ROLE_PERMISSIONS[Role.TEACHER]:
                continue
            where = _address(route, group=named["7b"])
            answer = ben.request(method, where, headers={"x-csrf-token": token})
            assert answer.status_code == 404, f"{method} {where}"
            missing = ben.request(method, _address(route, group=9), headers={"x-csrf-token": token})
            assert (missing.status_code, len(missing.content)) == (404, len(answer.content)), where
            tried += 1
        assert tried > 5

    def test_other_methods_are_405(self, app, browser) -> None:
        root = browser("Root")
        methods: dict[str, set[str]] = {}
        for route in _routes(app):
            methods.setdefault(_address(route), set()).update(route.methods or ())
        for where, known in methods.items():
            for method in {"PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - known:
                assert root.request(method, where).status_code == 405, f"{method} {where}"

    def test_ids_accept_integers_only(self, app, browser) -> None:
        root = browser("Root")
        for route, method in _each(app):
            if method != "GET" or not route.param_convertors:
                continue
            for name, kind in route.param_convertors.items():
                if type(kind).__name__ != "IntegerConvertor":
                    continue
                for value in ("-1", "1e3", "x", "0x1", "1;2", "%00", "9" * 40):
                    answer = root.get(_address(route, **{name: value}))
                    assert answer.status_code in {400, 404}, f"{route.path} {value}"

    def test_responses_have_strict_policy(self, app, browser, session_7b) -> None:
        root = browser("Root")
        for route, method in _each(app):
            if method != "GET" or "event" in route.path or "stream" in route.path:
                continue
            headers = root.get(_address(route, session=session_7b)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy, route.path
            assert "script-src 'self' 'unsafe" not in policy
            assert "unsafe-eval" not in policy
            assert headers["x-content-type-options"] == "nosniff", route.path
            assert headers["cache-control"] != "public", route.path


def test_unknown_page_keeps_menu(browser) -> None:
    assert "Log out" in browser("Ada").get("/nothing/here").text
    assert "Log out" not in browser().get("/nothing/here").text


class TestForms:
    @pytest.mark.parametrize("path", ["/login", "/language", "/logout", "/accounts", "/account/password"])
    @pytest.mark.parametrize("length", [True, False], ids=["length said", "in chunks"])
    def test_oversized_form_is_rejected(self, browser, path: str, length: bool) -> None:
        root = browser("Root")
        read = 0

        def much() -> Iterator[bytes]:
            nonlocal read
            for _ in range(64):
                read += 1 << 16
                yield b"a" * (1 << 16)

        content: Any = b"".join(much()) if length else much()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = root.post(path, content=content, headers=headers)
        assert answer.status_code == 413
        assert 1 << 16 < MAX_FORM_BYTES < read

    def test_too_many_fields_are_rejected(self, browser) -> None:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert browser().post("/login", content=b"a=1&" * 5000, headers=headers).status_code == 413

    def test_files_in_plain_forms_are_rejected(self, browser) -> None:
        ada = browser("Ada")
        answer = ada.post("/logout", data={"csrf_token": ada.token()}, files={"x": ("../../x", b"MZ")})
        assert answer.status_code == 400

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("application/json", b'{"csrf_token": "x"}'),
            ("multipart/form-data", b"no boundary"),
            ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
            ("multipart/form-data; boundary=x", b"\xff\xfe" * 100),
            ("application/x-www-form-urlencoded; charset=\xff", b"%ff%fe%00=%zz"),
            ("text/plain", b"csrf_token=x"),
            ("", b"csrf_token=x"),
        ],
    )
    def test_invalid_form_is_rejected(self, browser, kind: str, body: bytes) -> None:
        answer = browser("Ada").post(
            "/logout", content=body, headers={"content-type": kind.encode("latin-1")}
        )
        assert answer.status_code in {400, 403}

    @pytest.mark.parametrize("length", ["-1", "x", "1e9", "99999999999999999999"])
    def test_invalid_length_is_rejected(self, browser, length: str) -> None:
        answer = browser().post("/login", content=b"a=1", headers={"content-length": length})
        assert answer.status_code in {400, 403, 413}


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "/static/../../../../../../etc/passwd",
            "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "/static/..%2f..%2f..%2fsite.py",
            "/static/..%5c..%5csite.py",
            "/static/%252e%252e/site.py",
            "/static//etc/passwd",
            "/static/....//....//site.py",
            "/static/%00",
            "/static/classpulse.css%00.png",
            "/static/" + "a/" * 2000,
            "/static/" + "x" * 300,
            "/static/\udcff",
            "/static/",
            "/static",
            "//evil.example/%2e%2e",
            "/%2e%2e/config.yaml",
            "/../config.yaml",
            "/.git/config",
            "/static/.",
        ],
    )
    def test_only_static_files_are_served(self, app, browser, path: str) -> None:
        answer = browser("Root").get(path.encode("utf-8", "surrogateescape").decode("latin-1"))
        assert answer.status_code in {303, 307, 400, 404, 405}, path
        assert "root:" not in answer.text
        assert "def context_of" not in answer.text
        assert "evil.example" not in answer.headers.get("location", "")

    def test_static_folder_is_404(self, browser) -> None:
        assert browser().get("/static/classpulse.css").status_code == 200
        assert browser().get("/static/").status_code == 404


class TestRedirects:
    TARGETS = (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "/\t/evil.example",
        "/x\r\nSet-Cookie: a=b",
        "/x\nLocation: https://evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        " //evil.example",
        "evil.example",
        "/\x00/evil.example",
        "/\u2028/evil.example",
    )

    @pytest.mark.parametrize("target", TARGETS)
    def test_redirect_targets_are_local(self, browser, target: str) -> None:
        ada = browser("Ada")
        answer = ada.submit("/language", "/", language="de", return_to=target)
        assert answer.headers["location"] == "/"
        assert "a=b" not in str(answer.headers)
        page = browser().get("/login", params={"return_to": target}).text
        assert 'name="return_to" value="/"' in page

    def test_redirect_path_has_no_line_breaks(self, browser) -> None:
        answer = browser().get("/accounts/1?x=%0d%0aSet-Cookie:%20a=b")
        assert "set-cookie" not in {name for name in answer.headers if "a=b" in answer.headers[name]}
        assert "\n" not in answer.headers["location"]


class TestHosts:
    @pytest.mark.parametrize(
        "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "evil.example:8321", ""]
    )
    def test_unknown_host_is_rejected(self, browser, host: str) -> None:
        assert browser().get("/login", headers={"host": host}).status_code == 400

    def test_configured_hosts_are_accepted(self, configured, engine, accounts, visiting) -> None:
        config = read_config(
            configured(
                more="serve: {host: 0.0.0.0, behind_proxy: true, host_names: [pulse.school.example]}\n"
            )
        )
        visitor = visiting(build_app(config, engine))
        assert visitor.get("/login", headers={"host": "pulse.school.example"}).status_code == 200
        assert visitor.get("/healthz", headers={"host": "127.0.0.1:8321"}).text == "ok"
        assert visitor.get("/login", headers={"host": "other.school.example"}).status_code == 400


class TestCookies:
    @pytest.fixture
    def over_tls(self, configured, engine, accounts, visiting) -> Any:
        app = build_app(read_config(configured(more="serve: {behind_proxy: true}\n")), engine)
        visitor = visiting(app)
        visitor.base_url = "https://localhost"
        return visitor

    def test_cookies_are_secure_over_tls(self, over_tls) -> None:
        answers = [over_tls.get("/login")]
        fields = {"name": "Ada", "password": PASSWORD, "return_to": "/"}
        answers.append(over_tls.submit("/login", "/login", **fields))
        answers.append(over_tls.submit("/language", "/", language="de", return_to="/"))
        answers.append(over_tls.submit("/logout"))
        cookies = [line.lower() for answer in answers for line in answer.headers.get_list("set-cookie")]
        assert {line.split("=")[0] for line in cookies} == {
            "__host-classpulse_session",
            "__host-classpulse_visitor",
            "classpulse_language",
        }
        for line in cookies:
            assert "secure" in line, line
            assert "httponly" in line, line
            assert "samesite=lax" in line, line
            assert "domain" not in line, line
            assert "path=/" in line.split("; "), line

    def test_login_cookie_without_prefix_is_ignored_over_tls(self, over_tls, browser) -> None:
        over_tls.cookies.set("classpulse_session", browser("Ada").cookies["classpulse_session"])
        assert over_tls.get("/").status_code == 303

    @pytest.mark.parametrize(
        ("serve", "is_sent"),
        [
            ("port: 443, certificate: c.pem, key: k.pem", True),
            # Other services of the same host may have no TLS, and HSTS would apply to them.
            ("certificate: c.pem, key: k.pem", False),
            ("port: 443, behind_proxy: true", False),  # set by the proxy
            ("port: 443", False),
        ],
    )
    def test_hsts_only_for_owned_host(
        self, configured, engine, accounts, visiting, serve: str, is_sent: bool
    ) -> None:
        visitor = visiting(build_app(read_config(configured(more=f"serve: {{{serve}}}\n")), engine))
        header = visitor.get("/login").headers.get("strict-transport-security")
        assert header == ("max-age=31536000" if is_sent else None)

    def test_planted_login_cookie_is_worthless(self, browser) -> None:
        planted = "A" * 43
        victim, thief = browser(), browser()
        victim.cookies.set("classpulse_session", planted)
        assert (
            victim.submit("/login", "/login", name="Ada", password=PASSWORD, return_to="/").status_code == 303
        )
        thief.cookies.set("classpulse_session", planted)
        assert thief.get("/").status_code == 303
        assert planted not in {one.value for one in victim.cookies.jar if one.value != planted}

    def test_logins_have_unique_tokens_stored_as_hashes(self, browser, engine) -> None:
        tokens = {browser("Ada").cookies["classpulse_session"] for _ in range(3)}
        assert len(tokens) == 3
        (ada,) = [account for account in stored.list_accounts(engine) if account.name == "Ada"]
        kept = {login.token_hash for login in stored.list_logins(engine, ada.id, ada.created_at)}
        assert not kept & tokens, "only hashes are stored"

    def test_unused_login_expires(self, config, engine, browser, monkeypatch) -> None:
        ada = browser("Ada")
        from datetime import timedelta

        later = now_utc() + timedelta(hours=config.settings.serve.session_hours, minutes=1)
        monkeypatch.setattr("classpulse.web.login_sessions.now_utc", lambda: later)
        assert ada.get("/").status_code == 303


class TestGuessing:
    def _guess(self, visitor: Any, name: str, password: str = "wrong", **headers: str) -> int:
        token = visitor.token("/login")
        data = {"csrf_token": token, "name": name, "password": password}
        code: int = visitor.post("/login", data=data, headers=headers).status_code
        return code

    def test_attempts_per_address_are_limited(self, browser) -> None:
        visitor = browser()
        codes = [self._guess(visitor, f"name {n}") for n in range(FREE_ATTEMPTS_PER_ADDRESS + 2)]
        assert codes == [401] * FREE_ATTEMPTS_PER_ADDRESS + [429, 429]

    def test_successful_login_does_not_reset_limit_of_address(self, browser) -> None:
        visitor = browser()
        for n in range(FREE_ATTEMPTS_PER_ADDRESS - 1):
            self._guess(visitor, f"name {n}")
        assert self._guess(browser(), "Ben", PASSWORD) == 303
        assert [self._guess(visitor, "one"), self._guess(visitor, "two")] == [401, 429]

    def test_addresses_are_limited_separately(self, app, browser) -> None:
        visitor = browser()
        for n in range(FREE_ATTEMPTS_PER_ADDRESS):
            self._guess(visitor, f"name {n}")
        assert self._guess(visitor, "Ada", PASSWORD) == 429
        elsewhere = type(visitor)(app, client=("10.0.0.9", 50000))
        assert self._guess(elsewhere, "Ada", PASSWORD) == 303

    @pytest.mark.parametrize(("behind", "last"), [(False, 429), (True, 401)])
    def test_forwarded_address_is_trusted_behind_proxy_only(
        self, configured, engine, accounts, browser, behind: bool, last: int
    ) -> None:
        config = read_config(configured(more=f"serve: {{behind_proxy: {str(behind).lower()}}}\n"))
        served = uvicorn_config(config, build_app(config, engine))
        served.load()
        scheme = "https" if behind else "http"
        visitor = type(browser())(
            served.loaded_app, base_url=f"{scheme}://localhost", client=("127.0.0.1", 50000)
        )
        codes = [
            self._guess(visitor, f"name {n}", **{"x-forwarded-for": f"10.0.0.{n}"})
            for n in range(FREE_ATTEMPTS_PER_ADDRESS + 1)
        ]
        assert codes[-1] == last

    def test_untrusted_proxy_is_ignored(self, configured, engine, accounts, browser) -> None:
        config = read_config(configured(more="serve: {behind_proxy: true}\n"))
        served = uvicorn_config(config, build_app(config, engine))
        served.load()
        visitor = type(browser())(served.loaded_app, base_url="https://localhost", client=("10.6.6.6", 50000))
        codes = [
            self._guess(visitor, f"name {n}", **{"x-forwarded-for": f"10.0.0.{n}"})
            for n in range(FREE_ATTEMPTS_PER_ADDRESS + 1)
        ]
        assert codes[-1] == 429

    def test_concurrent_attempts_are_limited(self) -> None:
        throttle = RateLimiter()
        let_in: list[float] = []
        together = threading.Barrier(20)

        def guess() -> None:
            together.wait()
            let_in.append(throttle.acquire("Ada", 0.0))

        crowd = [threading.Thread(target=guess) for _ in range(20)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        assert sum(one == 0.0 for one in let_in) == FREE_ATTEMPTS

    def test_unknown_name_is_answered_like_wrong_password(self, browser) -> None:
        visitor = browser()

        def rejection_of(name: str) -> str:
            fields = {"name": name, "password": "wrong"}
            text: str = visitor.submit("/login", "/login", **fields).text
            return text.replace(name, "NAME")

        assert rejection_of("Ada") == rejection_of("Eve")


class TestNames:
    def test_names_are_escaped_everywhere(self, app, browser, accounts, engine) -> None:
        with Store(engine).unit_of_work() as unit:
            number = add_account(unit, NASTY, Role.TEACHER, "x", now_utc())
            stored.set_account_classes(unit, number, [NASTY])
            unit.add_audit_entry("view", NASTY, now_utc(), NASTY)
            unit.commit()
        root = browser("Root")
        pages = ["/accounts", f"/accounts/{number}", "/audit", f"/audit?text={NASTY[:9]}", "/"]
        for path in pages:
            text = root.shown(path)
            assert "<img src=x" not in text, path
            assert "1337" not in text, path
            assert not re.search(r"=\"[^\"<>]*<img", text), path
        assert "{{ 7*191 }}${7*191}&lt;img" in root.get("/accounts").text

    def test_names_in_messages_are_not_placeholders(self, browser) -> None:
        page = browser("Root").submit(
            "/accounts", "/accounts", name="%(password)s%n%s", role="teacher", password=""
        )
        assert page.status_code == 200
        again = browser("Root").submit("/accounts", "/accounts", name="%(password)s%n%s", role="teacher")
        assert "There is an account with the name %(password)s%n%s already." in again.text


_ANYTHING = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["-1", "0", "1", "1e999", "nan", "NaN", "null", "true", "2026-02-30", NASTY, "\0", "9" * 30]
    ),
)
_FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "csrf_token",
            "name",
            "role",
            "class",
            "new_classes",
            "password",
            "current_password",
            "repeat_password",
            "login",
            "language",
            "return_to",
            "page",
            "action",
            "text",
            "session",
            "student",
            "class_name",
            "room",
            "decision",
            "note",
            "kind",
            "state",
            "from",
            "until",
            "at_s",
            "day",
            "seat",
            "pseudonym",
            "x",
        ]
    ),
    _ANYTHING,
    max_size=5,
)


class TestFuzzing:
    """Fuzzing: every request gets an expected status; an unhandled exception fails the test."""

    @pytest.fixture
    def ask(self, app, browser) -> Callable[..., int]:
        by_name = {name: browser(name) for name in ("Ada", "Root")}
        each = list(_each(app))

        def ask(pick: int, number: int, fields: dict[str, str], body: Any, name: str) -> int:
            route, method = each[pick % len(each)]
            where = _address(route, session=number, account=number)
            client = by_name[name]
            if method == "GET":
                if "event" in route.path or "stream" in route.path:
                    return 200
                return int(client.get(where, params=fields).status_code)
            headers = {"x-csrf-token": client.token("/login")}
            if body is not None:
                return int(client.request(method, where, json=body, headers=headers).status_code)
            return int(client.request(method, where, data=fields, headers=headers).status_code)

        return ask

    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        pick=st.integers(0, 10_000),
        number=st.integers(0, 6),
        fields=_FIELDS,
        body=st.none()
        | st.recursive(
            st.none()
            | st.booleans()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        name=st.sampled_from(["Ada", "Root"]),
    )
    def test_any_request_has_expected_status(
        self, ask, session_7b, pick: int, number: int, fields: dict[str, str], body: Any, name: str
    ) -> None:
        code = ask(pick, number, fields, body, name)
        assert code in {200, 303, 307, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503}
