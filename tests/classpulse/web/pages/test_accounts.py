"""The own account, account management, and the audit log."""

from __future__ import annotations

import re

import pytest

from classpulse.services import accounts as accounts_of
from classpulse.web.app import build_app
from db import accounts as stored
from db import sessions as queries
from db.accounts import Role
from db.clock import now_utc
from db.unit_of_work import Store

NEW = "four brass kettles"


def _one(engine, name: str) -> stored.Account:
    found = stored.find_account_and_hash(engine, name)
    assert found is not None
    return found[0]


def _log_in(browser, name: str, password: str) -> int:
    new = browser()
    code: int = new.submit("/login", "/login", name=name, password=password, return_to="/").status_code
    return code


class TestOwnAccount:
    def _change(self, client, **fields: str):
        given = {"current_password": "three quiet walnuts", "password": NEW, "repeat_password": NEW} | fields
        return client.submit("/account/password", "/account", **given)

    def test_changed_password_is_valid_for_login(self, browser, engine) -> None:
        ada = browser("Ada")
        answer = self._change(ada)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account?changed=password")
        assert "has been changed" in ada.get("/account?changed=password").text
        assert _log_in(browser, "Ada", NEW) == 303
        assert _log_in(browser, "Ada", "three quiet walnuts") == 401
        assert NEW not in str(queries.list_audit_entries(engine))

    def test_changed_password_ends_other_logins(self, browser) -> None:
        ada, forgotten = browser("Ada"), browser("Ada")
        before = dict(ada.cookies)
        self._change(ada)
        assert ada.get("/").status_code == 200
        assert forgotten.get("/").status_code == 303
        forgotten.cookies.update(before)
        assert forgotten.get("/").status_code == 303, "the login that changed it gets a new token"

    @pytest.mark.parametrize(
        ("fields", "expected_text"),
        [
            ({"current_password": "wrong"}, "current password is wrong"),
            ({"repeat_password": "another one, long"}, "are different"),
            ({"password": "short", "repeat_password": "short"}, "10 characters"),
            ({"password": "Ada Ada Ada", "repeat_password": "Ada Ada Ada"}, "too easy"),
        ],
    )
    def test_invalid_change_is_rejected(self, browser, fields: dict[str, str], expected_text: str) -> None:
        ada = browser("Ada")
        answer = self._change(ada, **fields)
        assert answer.status_code == 400
        assert expected_text in answer.text
        assert _log_in(browser, "Ada", "three quiet walnuts") == 303

    def test_wrong_current_password_is_rate_limited(self, browser) -> None:
        ada = browser("Ada")
        pages = [self._change(ada, current_password=f"guess {n}").text for n in range(6)]
        assert "is wrong" in pages[4]
        assert "Too many" in pages[5]

    def test_own_logins_are_listed_and_ended(self, browser) -> None:
        ada, other, ben = browser("Ada"), browser("Ada"), browser("Ben")
        page = ada.get("/account").text
        assert page.count("this browser") == 1
        (handle,) = re.findall(r'name="login" value="([0-9a-f]+)"', page)
        assert ben.submit("/account/logins", "/account", login=handle).status_code == 303
        assert other.get("/").status_code == 200, "Ben cannot end Ada's login"
        ada.submit("/account/logins", "/account", login=handle)
        assert other.get("/").status_code == 303
        ada.submit("/account/logins", "/account", login="all")
        assert ada.get("/").status_code == 303
        assert ben.get("/").status_code == 200


class TestManagement:
    def test_generated_password_is_shown_once(self, browser, engine) -> None:
        root = browser("Root")
        page = root.submit(
            "/accounts", "/accounts", name="Dan", role="teacher", new_classes="9a\n\n 9b "
        ).text
        (made,) = re.findall(r'class="secret">([^<]+)<', page)
        dan = _one(engine, "dan")
        assert (dan.name, dan.role, dan.classes) == ("Dan", Role.TEACHER, {"9a", "9b"})
        assert made not in root.get(f"/accounts/{dan.id}").text
        assert made not in str(queries.list_audit_entries(engine))
        assert _log_in(browser, "Dan", made) == 303
        assert ("account Dan", "by Root: new, teacher of 9a, 9b") in [
            (entry.subject, entry.detail) for entry in queries.list_audit_entries(engine)
        ]

    def test_generated_password_never_contains_name(self, monkeypatch) -> None:
        drawn = iter("kdank" * 4 + "kmnpq" * 4)
        monkeypatch.setattr(accounts_of.secrets, "choice", lambda _: next(drawn))
        assert accounts_of.generate_password(" Dan") == "kmnpq-kmnpq-kmnpq-kmnpq"
        monkeypatch.setattr(accounts_of.secrets, "choice", lambda _: "k")
        assert accounts_of.generate_password(" - ") == "kkkkk-kkkkk-kkkkk-kkkkk"

    @pytest.mark.parametrize(
        ("fields", "expected_text"),
        [
            ({"name": "ADA"}, "already"),
            ({"name": " "}, "name is missing"),
            ({"name": "x" * 101}, "at most 100"),
            ({"name": "Dan\u202e"}, "invisible characters"),
            ({"name": "Dan", "password": "short"}, "10 characters"),
            ({"name": "Dan", "new_classes": "y" * 101}, "at most 100"),
        ],
    )
    def test_invalid_account_is_rejected(
        self, browser, engine, fields: dict[str, str], expected_text: str
    ) -> None:
        before = stored.list_accounts(engine)
        answer = browser("Root").submit("/accounts", "/accounts", role="teacher", **fields)
        assert answer.status_code == 400
        assert expected_text in answer.text
        assert stored.list_accounts(engine) == before

    @pytest.mark.parametrize("role", ["", "headmaster", "ADMINISTRATOR"])
    def test_unknown_role_is_rejected(self, browser, role: str) -> None:
        answer = browser("Root").submit("/accounts", "/accounts", name="Dan", role=role, password=NEW)
        assert answer.status_code == 400

    def test_changed_classes_apply_at_once(self, browser, engine, accounts, session_7b) -> None:
        root = browser("Root")
        page = root.get(f"/accounts/{accounts['Ben']}").text
        assert 'name="class" value="7b"' in page
        answer = root.post(
            f"/accounts/{accounts['Ben']}",
            data={"csrf_token": root.token(), "role": "teacher", "class": ["7b"]},
        )
        assert answer.status_code == 303
        assert _one(engine, "Ben").classes == {"7b"}
        assert "7b" in browser("Ben").get("/").text

    def test_changed_role_ends_logins(self, browser, engine, accounts) -> None:
        cleo = browser("Cleo")
        browser("Root").submit(f"/accounts/{accounts['Cleo']}", role="teacher")
        assert cleo.get("/").status_code == 303

    def test_other_roles_have_no_classes(self, browser, engine, accounts) -> None:
        root = browser("Root")
        fields = {"csrf_token": root.token(), "role": "counsellor", "class": ["7b"]}
        root.post(f"/accounts/{accounts['Ada']}", data=fields)
        assert (_one(engine, "Ada").role, _one(engine, "Ada").classes) == (Role.COUNSELLOR, set())

    def test_reset_password_replaces_old_one(self, browser, accounts) -> None:
        ada, root = browser("Ada"), browser("Root")
        page = root.submit(f"/accounts/{accounts['Ada']}/password", password="").text
        (made,) = re.findall(r'class="secret">([^<]+)<', page)
        assert ada.get("/").status_code == 303, "logins with the old password end"
        assert _log_in(browser, "Ada", made) == 303
        assert root.submit(f"/accounts/{accounts['Ada']}/password", password=NEW).status_code == 303
        assert _log_in(browser, "Ada", NEW) == 303

    def test_disabled_account_is_logged_out_and_can_be_enabled(self, browser, accounts) -> None:
        ada, root = browser("Ada"), browser("Root")
        root.submit(f"/accounts/{accounts['Ada']}/disable")
        assert ada.get("/").status_code == 303
        assert _log_in(browser, "Ada", "three quiet walnuts") == 401
        root.submit(f"/accounts/{accounts['Ada']}/enable")
        assert _log_in(browser, "Ada", "three quiet walnuts") == 303

    @pytest.mark.parametrize(("path", "fields"), [("", {"role": "teacher"}), ("/disable", {})])
    def test_last_administrator_cannot_be_disabled_or_demoted(
        self, browser, engine, accounts, path: str, fields: dict
    ) -> None:
        root = browser("Root")
        answer = root.submit(f"/accounts/{accounts['Root']}{path}", **fields)
        assert answer.status_code == 400
        assert "last administrator" in answer.text
        assert root.get("/accounts").status_code == 200
        assert "by Root: disabled" not in str(queries.list_audit_entries(engine))
        root.submit(f"/accounts/{accounts['Cleo']}", role="administrator")
        assert root.submit(f"/accounts/{accounts['Root']}{path}", **fields).status_code == 303
        assert _one(engine, "Root").disabled or _one(engine, "Root").role is Role.TEACHER

    def test_disabled_administrator_does_not_count(self, browser, accounts) -> None:
        root = browser("Root")
        root.submit(f"/accounts/{accounts['Cleo']}", role="administrator")
        root.submit(f"/accounts/{accounts['Cleo']}/disable")
        assert root.submit(f"/accounts/{accounts['Root']}/disable").status_code == 400

    def test_unknown_account_is_404(self, browser) -> None:
        root = browser("Root")
        assert root.get("/accounts/999").status_code == 404
        assert root.submit("/accounts/999/disable").status_code == 404
        assert root.get("/accounts/1e3").status_code == 404


class TestAuditLog:
    @pytest.fixture
    def busy(self, engine) -> None:
        with Store(engine).unit_of_work() as unit:
            for n in range(120):
                unit.add_audit_entry(
                    "view", f"session {n}", now_utc(), "by Ada" if n % 2 else "by Cleo: 100%_done"
                )
            unit.commit()

    def test_entries_are_paged(self, browser, busy) -> None:
        root = browser("Root")
        first, last = root.get("/audit").text, root.get("/audit?page=3").text
        assert "session 119<" in first
        assert "session 3<" not in first
        assert "session 3<" in last
        assert "Older" not in last

    def test_entries_are_filtered_literally(self, browser, busy) -> None:
        root = browser("Root")
        assert "session 11<" not in root.get("/audit?action=login").text
        page = root.get("/audit?text=SESSION 11&action=view").text
        assert set(re.findall(r"<td>(session \d+)</td>", page)) == {
            "session 11",
            *(f"session 11{n}" for n in range(10)),
        }
        assert "No entries." in root.get("/audit?text=100%25d").text, "the text is no pattern"
        assert "session 110<" in root.get("/audit?text=100%25_d").text

    @pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "²", ""])
    def test_invalid_page_number_shows_the_log(self, browser, page: str) -> None:
        assert browser("Root").get("/audit", params={"page": page}).status_code == 200

    def test_filter_values_are_escaped(self, browser) -> None:
        page = (
            browser("Root").get("/audit", params={"text": '"><script>x</script>', "action": "{{7*7}}"}).text
        )
        assert "<script>x" not in page
        assert "49" not in page.split("<main")[1].split("<table")[0]


def test_setup_ends_when_command_line_creates_administrator(config, engine, visiting) -> None:
    app = build_app(config, engine)
    visitor = visiting(app)
    code = app.state.context.setup_code
    token = visitor.token("/setup")
    accounts_of.create_account(engine, "root", "Root", Role.ADMINISTRATOR, [], NEW)
    assert visitor.get("/login").status_code == 200
    fields = {"csrf_token": token, "code": code, "name": "Eve", "password": NEW, "repeat_password": NEW}
    assert visitor.post("/setup", data=fields).headers["location"] == "/login"
    assert [account.name for account in stored.list_accounts(engine)] == ["Root"]
