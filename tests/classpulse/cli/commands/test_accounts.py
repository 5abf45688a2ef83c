"""``classpulse accounts``: for who has no dashboard yet, or is locked out of it."""

from __future__ import annotations

import pytest

from classpulse.services.accounts import verify_password
from db import sessions as queries
from db.accounts import find_account_and_hash


def _opens(store, name: str, password: str) -> bool:
    found = find_account_and_hash(store.engine, name)
    return found is not None and verify_password(found[1], password)


def test_an_account_is_made_listed_and_lets_in(store, shell) -> None:
    code, out, error = shell("accounts", "add", "Ada", "--class", "7b", "--class", "8c")
    assert code == 0
    assert "Ada can log in" in error
    assert _opens(store, "Ada", out.strip())
    assert out.strip() not in str(queries.list_audit_entries(store.engine))
    (listed,) = shell.json("accounts", "list")
    assert (listed["name"], listed["role"], listed["classes"]) == ("Ada", "teacher", ["7b", "8c"])
    assert "password" not in str(listed)
    assert "7b, 8c" in shell("accounts", "list")[1]


def test_nobody_is_told_as_such(store, shell) -> None:
    assert "no account yet" in shell("accounts", "list")[2]


def test_who_is_locked_out_gets_a_new_password(store, shell) -> None:
    old = shell("accounts", "add", "Root", "--role", "administrator")[1].strip()
    new = shell("accounts", "password", "root")[1].strip()
    assert _opens(store, "Root", new)
    assert not _opens(store, "Root", old)


def test_a_password_is_typed_unseen(store, shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: "four brass kettles")
    code, out, _ = shell("accounts", "add", "Ada", "--type")
    assert (code, out) == (0, "")
    assert _opens(store, "Ada", "four brass kettles")


def test_who_has_left_is_disabled_and_comes_back(store, shell) -> None:
    shell("accounts", "add", "Ada")
    assert shell("accounts", "disable", "Ada")[0] == 0
    assert shell.json("accounts", "list")[0]["disabled"] is True
    assert shell("accounts", "disable", "Ada", "--undo")[0] == 0
    assert shell.json("accounts", "list")[0]["disabled"] is False


def test_the_last_administrator_stays(store, shell) -> None:
    shell("accounts", "add", "Ada")
    assert shell("accounts", "disable", "Ada")[0] == 0, "before there is an administrator at all"
    shell("accounts", "add", "Root", "--role", "administrator")
    assert "last administrator" in shell.fails(2, "accounts", "disable", "Root")


def test_what_cannot_be_done_is_one_line(store, shell) -> None:
    shell("accounts", "add", "Ada")
    assert "already" in shell.fails(2, "accounts", "add", "ada")
    assert "there are: Ada" in shell.fails(2, "accounts", "password", "Adam")


def test_a_container_whose_user_has_no_name(store, shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert shell("accounts", "add", "Ada")[0] == 0
    assert "by the command line: new" in queries.list_audit_entries(store.engine)[0].detail
