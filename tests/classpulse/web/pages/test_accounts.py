"""Accounts in the dashboard: one's own, everybody's, and the audit."""

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


class TestOnesOwn:
    def _change(self, who, **fields: str):
        given = {"current_password": "three quiet walnuts", "password": NEW, "repeat_password": NEW} | fields
        return who.submit("/account/password", "/account", **given)

    def test_a_new_password_is_the_one_from_now_on(self, browser, engine) -> None:
        ada = browser("Ada")
        answer = self._change(ada)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account?changed=password")
        assert "has been changed" in ada.get("/account?changed=password").text
        assert _log_in(browser, "Ada", NEW) == 303
        assert _log_in(browser, "Ada", "three quiet walnuts") == 401
        assert NEW not in str(queries.list_audit_entries(engine))

    def test_it_ends_every_other_login(self, browser) -> None:
        ada, forgotten = browser("Ada"), browser("Ada")
        before = dict(ada.cookies)
        self._change(ada)
        assert ada.get("/").status_code == 200
        assert forgotten.get("/").status_code == 303
        forgotten.cookies.update(before)
        assert forgotten.get("/").status_code == 303, "also the one that it was changed with"

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"current_password": "wrong"}, "current password is wrong"),
            ({"repeat_password": "another one, long"}, "are different"),
            ({"password": "short", "repeat_password": "short"}, "10 characters"),
            ({"password": "Ada Ada Ada", "repeat_password": "Ada Ada Ada"}, "too easy"),
        ],
    )
    def test_what_is_refused_changes_nothing(self, browser, fields: dict[str, str], says: str) -> None:
        ada = browser("Ada")
        answer = self._change(ada, **fields)
        assert answer.status_code == 400
        assert says in answer.text
        assert _log_in(browser, "Ada", "three quiet walnuts") == 303

    def test_the_old_password_cannot_be_guessed_for_long(self, browser) -> None:
        ada = browser("Ada")
        told = [self._change(ada, current_password=f"guess {n}").text for n in range(6)]
        assert "is wrong" in told[4]
        assert "Too many" in told[5]

    def test_own_logins_are_shown_and_ended(self, browser) -> None:
        ada, other, ben = browser("Ada"), browser("Ada"), browser("Ben")
        page = ada.get("/account").text
        assert page.count("this browser") == 1
        (handle,) = re.findall(r'name="login" value="([0-9a-f]+)"', page)
        assert ben.submit("/account/logins", "/account", login=handle).status_code == 303
        assert other.get("/").status_code == 200, "somebody else's are not Ben's to end"
        ada.submit("/account/logins", "/account", login=handle)
        assert other.get("/").status_code == 303
        ada.submit("/account/logins", "/account", login="all")
        assert ada.get("/").status_code == 303
        assert ben.get("/").status_code == 200


class TestEverybodys:
    def test_a_password_that_is_made_is_shown_once(self, browser, engine) -> None:
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
            (one.subject, one.detail) for one in queries.list_audit_entries(engine)
        ]

    def test_one_with_the_name_in_it_by_chance_is_not_given_out(self, monkeypatch) -> None:
        drawn = iter("kdank" * 4 + "kmnpq" * 4)
        monkeypatch.setattr(accounts_of.secrets, "choice", lambda _: next(drawn))
        assert accounts_of.generate_password(" Dan") == "kmnpq-kmnpq-kmnpq-kmnpq"
        monkeypatch.setattr(accounts_of.secrets, "choice", lambda _: "k")
        assert accounts_of.generate_password(" - ") == "kkkkk-kkkkk-kkkkk-kkkkk"

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"name": "ADA"}, "already"),
            ({"name": " "}, "name is missing"),
            ({"name": "x" * 101}, "at most 100"),
            ({"name": "Dan\u202e"}, "nobody can see"),
            ({"name": "Dan", "password": "short"}, "10 characters"),
            ({"name": "Dan", "new_classes": "y" * 101}, "at most 100"),
        ],
    )
    def test_what_is_no_account_is_refused(self, browser, engine, fields: dict[str, str], says: str) -> None:
        before = stored.list_accounts(engine)
        answer = browser("Root").submit("/accounts", "/accounts", role="teacher", **fields)
        assert answer.status_code == 400
        assert says in answer.text
        assert stored.list_accounts(engine) == before

    @pytest.mark.parametrize("role", ["", "headmaster", "ADMINISTRATOR"])
    def test_a_role_that_there_is_not_is_refused(self, browser, role: str) -> None:
        answer = browser("Root").submit("/accounts", "/accounts", name="Dan", role=role, password=NEW)
        assert answer.status_code == 400

    def test_another_class_is_seen_at_once_and_only_that(self, browser, engine, accounts, session_7b) -> None:
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

    def test_a_role_that_changes_ends_the_logins(self, browser, engine, accounts) -> None:
        cleo = browser("Cleo")
        browser("Root").submit(f"/accounts/{accounts['Cleo']}", role="teacher")
        assert cleo.get("/").status_code == 303

    def test_who_is_no_teacher_has_no_classes_of_their_own(self, browser, engine, accounts) -> None:
        root = browser("Root")
        fields = {"csrf_token": root.token(), "role": "counsellor", "class": ["7b"]}
        root.post(f"/accounts/{accounts['Ada']}", data=fields)
        assert (_one(engine, "Ada").role, _one(engine, "Ada").classes) == (Role.COUNSELLOR, set())

    def test_a_forgotten_password_is_replaced(self, browser, accounts) -> None:
        ada, root = browser("Ada"), browser("Root")
        page = root.submit(f"/accounts/{accounts['Ada']}/password", password="").text
        (made,) = re.findall(r'class="secret">([^<]+)<', page)
        assert ada.get("/").status_code == 303, "who was logged in with the old one is out"
        assert _log_in(browser, "Ada", made) == 303
        assert root.submit(f"/accounts/{accounts['Ada']}/password", password=NEW).status_code == 303
        assert _log_in(browser, "Ada", NEW) == 303

    def test_who_has_left_is_out_and_may_come_back(self, browser, accounts) -> None:
        ada, root = browser("Ada"), browser("Root")
        root.submit(f"/accounts/{accounts['Ada']}/disable")
        assert ada.get("/").status_code == 303
        assert _log_in(browser, "Ada", "three quiet walnuts") == 401
        root.submit(f"/accounts/{accounts['Ada']}/enable")
        assert _log_in(browser, "Ada", "three quiet walnuts") == 303

    @pytest.mark.parametrize(("path", "fields"), [("", {"role": "teacher"}), ("/disable", {})])
    def test_the_last_administrator_stays(self, browser, engine, accounts, path: str, fields: dict) -> None:
        root = browser("Root")
        answer = root.submit(f"/accounts/{accounts['Root']}{path}", **fields)
        assert answer.status_code == 400
        assert "last administrator" in answer.text
        assert root.get("/accounts").status_code == 200
        assert "by Root: disabled" not in str(queries.list_audit_entries(engine))
        root.submit(f"/accounts/{accounts['Cleo']}", role="administrator")
        assert root.submit(f"/accounts/{accounts['Root']}{path}", **fields).status_code == 303
        assert _one(engine, "Root").disabled or _one(engine, "Root").role is Role.TEACHER

    def test_a_disabled_administrator_is_none(self, browser, accounts) -> None:
        root = browser("Root")
        root.submit(f"/accounts/{accounts['Cleo']}", role="administrator")
        root.submit(f"/accounts/{accounts['Cleo']}/disable")
        assert root.submit(f"/accounts/{accounts['Root']}/disable").status_code == 400

    def test_an_account_that_there_is_not(self, browser) -> None:
        root = browser("Root")
        assert root.get("/accounts/999").status_code == 404
        assert root.submit("/accounts/999/disable").status_code == 404
        assert root.get("/accounts/1e3").status_code == 404


class TestTheAudit:
    @pytest.fixture
    def busy(self, engine) -> None:
        with Store(engine).unit_of_work() as unit:
            for n in range(120):
                unit.add_audit_entry(
                    "view", f"session {n}", now_utc(), "by Ada" if n % 2 else "by Cleo: 100%_done"
                )
            unit.commit()

    def test_it_is_read_by_page(self, browser, busy) -> None:
        root = browser("Root")
        first, last = root.get("/audit").text, root.get("/audit?page=3").text
        assert "session 119<" in first
        assert "session 3<" not in first
        assert "session 3<" in last
        assert "Older" not in last

    def test_it_is_filtered(self, browser, busy) -> None:
        root = browser("Root")
        assert "session 11<" not in root.get("/audit?action=login").text
        page = root.get("/audit?text=SESSION 11&action=view").text
        assert set(re.findall(r"<td>(session \d+)</td>", page)) == {
            "session 11",
            *(f"session 11{n}" for n in range(10)),
        }
        assert "No entries." in root.get("/audit?text=100%25d").text, "no pattern, but a text"
        assert "session 110<" in root.get("/audit?text=100%25_d").text

    @pytest.mark.parametrize("page", ["0", "-1", "x", "9" * 30, "²", ""])
    def test_a_page_that_there_is_not(self, browser, page: str) -> None:
        assert browser("Root").get("/audit", params={"page": page}).status_code == 200

    def test_who_looks_for_markup_finds_none(self, browser) -> None:
        page = (
            browser("Root").get("/audit", params={"text": '"><script>x</script>', "action": "{{7*7}}"}).text
        )
        assert "<script>x" not in page
        assert "49" not in page.split("<main")[1].split("<table")[0]


def test_an_administrator_of_the_command_line_ends_the_first_start(config, engine, visiting) -> None:
    app = build_app(config, engine)
    visitor = visiting(app)
    code = app.state.context.setup_code
    token = visitor.token("/setup")
    accounts_of.create_account(engine, "root", "Root", Role.ADMINISTRATOR, [], NEW)
    assert visitor.get("/login").status_code == 200
    fields = {"csrf_token": token, "code": code, "name": "Eve", "password": NEW, "repeat_password": NEW}
    assert visitor.post("/setup", data=fields).headers["location"] == "/login"
    assert [one.name for one in stored.list_accounts(engine)] == ["Root"]
