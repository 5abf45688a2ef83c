"""Login, first start, and access of visitors."""

from __future__ import annotations

import re

import pytest

from classpulse.web.app import build_app
from classpulse.web.routing import PublicAccess
from db import sessions as queries
from db.accounts import list_accounts as all_accounts
from db.accounts import set_account_values
from db.unit_of_work import Store


def test_login_leads_to_start_page(browser) -> None:
    page = browser("Ada").get("/")
    assert page.status_code == 200
    assert "Ada" in page.text
    assert "Nothing is being recorded." in page.text


@pytest.mark.parametrize(
    ("name", "password"), [("Ada", "wrong"), ("Nobody", "three quiet walnuts"), ("", ""), ("Ada", "x" * 5000)]
)
def test_wrong_password_is_rejected(browser, name: str, password: str) -> None:
    new = browser()
    answer = new.submit("/login", "/login", name=name, password=password, return_to="/")
    assert answer.status_code == 401
    assert "Name or password is wrong" in answer.text
    assert new.get("/").status_code == 303


def test_guesses_are_rate_limited(browser) -> None:
    new = browser()
    codes = [
        new.submit("/login", "/login", name="Ada", password=f"guess {n}", return_to="/").status_code
        for n in range(7)
    ]
    assert codes == [401] * 5 + [429] * 2
    assert (
        new.submit("/login", "/login", name="ada", password="three quiet walnuts", return_to="/").status_code
        == 429
    )


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\n/x", ""],
)
def test_login_redirects_to_local_path_only(browser, target: str) -> None:
    new = browser()
    answer = new.submit("/login", "/login", name="Ada", password="three quiet walnuts", return_to=target)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_login_redirects_to_requested_page(browser) -> None:
    new = browser()
    first = new.get("/?part=flags")
    assert first.headers["location"] == "/login?return_to=%2F%3Fpart%3Dflags"
    answer = new.submit(
        "/login", "/login", name="Ada", password="three quiet walnuts", return_to="/?part=flags"
    )
    assert answer.headers["location"] == "/?part=flags"


def test_logout_ends_login_on_server(browser) -> None:
    ada = browser("Ada")
    kept = dict(ada.cookies)
    assert ada.submit("/logout").status_code == 303
    ada.cookies.update(kept)
    assert ada.get("/").status_code == 303


def test_disabled_account_is_logged_out(browser, engine, accounts) -> None:
    ada = browser("Ada")
    with Store(engine).unit_of_work() as unit:
        set_account_values(unit, accounts["Ada"], disabled=True)
        unit.commit()
    assert ada.get("/").status_code == 303
    assert browser().submit("/login", "/login", name="Ada", password="three quiet walnuts").status_code == 401


def test_cookies_are_http_only_and_lax(browser) -> None:
    new = browser()
    answer = new.submit("/login", "/login", name="Ada", password="three quiet walnuts", return_to="/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_form_without_token_is_rejected(browser) -> None:
    ada, other = browser("Ada"), browser("Ben")
    assert ada.post("/logout").status_code == 403
    assert ada.post("/logout", data={"csrf_token": other.token()}).status_code == 403
    assert ada.post("/logout", data={"csrf_token": ""}).status_code == 403
    assert ada.get("/").status_code == 200


def test_every_route_requires_login(app, browser) -> None:
    visitor = browser()
    for route in app.routes:
        if route.path == "/static":
            continue
        if route.access is PublicAccess.ANYONE:
            continue
        path = re.sub(r"\{\w+(:int)?\}", "1", route.path)
        for method in route.methods - {"HEAD"}:
            answer = visitor.request(method, path)
            assert answer.status_code in ({303} if method == "GET" else {401, 403}), f"{method} {path}"
            if method == "GET":
                assert answer.headers["location"].startswith("/login")


def test_every_response_has_security_headers(browser) -> None:
    for path in ("/", "/login", "/static/classpulse.css", "/nothing"):
        headers = browser("Ada").get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_unknown_host_is_rejected(browser) -> None:
    assert browser().get("/login", headers={"host": "evil.example"}).status_code == 400


class TestSetup:
    @pytest.fixture
    def fresh(self, config, engine):
        return build_app(config, engine)

    def test_code_creates_administrator_once(self, fresh, engine, visiting) -> None:
        new = visiting(fresh)
        code = fresh.state.context.setup_code
        assert new.get("/").headers["location"].startswith("/login")
        assert new.get("/login").headers["location"] == "/setup"
        fields = {"name": "Root", "password": "seven green lamps", "repeat_password": "seven green lamps"}
        assert new.submit("/setup", "/setup", code="0000", **fields).status_code == 400
        assert all_accounts(engine) == []
        assert new.submit("/setup", "/setup", code=code, **fields).headers["location"] == "/"
        (root,) = all_accounts(engine)
        assert (root.name, root.role) == ("Root", "administrator")
        assert new.get("/").status_code == 200
        again = {"name": "Eve", "password": "seven green lamps", "repeat_password": "seven green lamps"}
        assert new.submit("/setup", code=code, **again).headers["location"] == "/login"
        assert len(all_accounts(engine)) == 1
        assert "seven green lamps" not in str(queries.list_audit_entries(engine))

    @pytest.mark.parametrize(
        ("password", "again", "expected_text"),
        [
            ("short", "short", "10 characters"),
            ("long enough one", "another one", "are different"),
            ("Root is my name", "Root is my name", "too easy"),
            ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "too easy"),
        ],
    )
    def test_weak_password_is_rejected(
        self, fresh, engine, visiting, password: str, again: str, expected_text: str
    ) -> None:
        new = visiting(fresh)
        answer = new.submit(
            "/setup",
            "/setup",
            code=fresh.state.context.setup_code,
            name="Root",
            password=password,
            repeat_password=again,
        )
        assert answer.status_code == 400
        assert expected_text in answer.text
        assert all_accounts(engine) == []


def test_name_is_escaped(browser, engine) -> None:
    answer = browser().submit("/login", "/login", name="<script>alert(1)</script>{{ 7*7 }}", password="x")
    assert "<script>alert" not in answer.text
    assert "{{ 7*7 }}" in answer.text


def test_language_is_chosen_or_from_browser(browser) -> None:
    new = browser()
    assert (
        '<html lang="de">' in new.get("/login", headers={"accept-language": "de-CH,de;q=0.9,en;q=0.8"}).text
    )
    assert '<html lang="en">' in new.get("/login", headers={"accept-language": "fr"}).text
    new.submit("/language", "/login", language="de", return_to="/login")
    assert '<html lang="de">' in new.get("/login").text
