"""``classpulse accounts``."""

from __future__ import annotations

import pytest

from classpulse.errors import LocalizedError
from classpulse.services.accounts import verify_password
from db import sessions as queries
from db.accounts import find_account_and_hash
from db.errors import NotFound


def _opens(store, name: str, password: str) -> bool:
    found = find_account_and_hash(store.engine, name)
    return found is not None and verify_password(found[1], password)


def test_accounts_add_account_can_log_in_and_is_listed(store, shell) -> None:
    code, out, error = shell("accounts", "add", "Ada", "--class", "7b", "--class", "8c")
    assert code == 0
    assert "Ada can log in" in error
    assert _opens(store, "Ada", out.strip())
    assert out.strip() not in str(queries.list_audit_entries(store.engine))
    (listed,) = shell.json("accounts", "list")
    assert (listed["name"], listed["role"], listed["classes"]) == ("Ada", "teacher", ["7b", "8c"])
    assert "password" not in str(listed)
    assert "7b, 8c" in shell("accounts", "list")[1]


def test_accounts_list_without_accounts_prints_a_hint(store, shell) -> None:
    assert "no account yet" in shell("accounts", "list")[2]


def test_accounts_password_replaces_the_password(store, shell) -> None:
    old = shell("accounts", "add", "Root", "--role", "administrator")[1].strip()
    new = shell("accounts", "password", "root")[1].strip()
    assert _opens(store, "Root", new)
    assert not _opens(store, "Root", old)


def test_accounts_add_prompt_hides_the_password(store, shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: "four brass kettles")
    code, out, _ = shell("accounts", "add", "Ada", "--prompt")
    assert (code, out) == (0, "")
    assert _opens(store, "Ada", "four brass kettles")


def test_accounts_disable_and_undo(store, shell) -> None:
    shell("accounts", "add", "Ada")
    assert shell("accounts", "disable", "Ada")[0] == 0
    assert shell.json("accounts", "list")[0]["disabled"] is True
    assert shell("accounts", "disable", "Ada", "--undo")[0] == 0
    assert shell.json("accounts", "list")[0]["disabled"] is False


def test_accounts_disable_last_administrator_fails(store, shell) -> None:
    shell("accounts", "add", "Ada")
    assert shell("accounts", "disable", "Ada")[0] == 0, "before there is an administrator at all"
    shell("accounts", "add", "Root", "--role", "administrator")
    shell.raises(LocalizedError, "accounts", "disable", "Root")


def test_accounts_existing_or_unknown_name_fails(store, shell) -> None:
    shell("accounts", "add", "Ada")
    shell.raises(LocalizedError, "accounts", "add", "ada")
    assert "Ada" in shell.raises(NotFound, "accounts", "password", "Adam").hint


def test_accounts_add_user_without_name_audits_the_command_line(
    store, shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getuser() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", getuser)
    assert shell("accounts", "add", "Ada")[0] == 0
    assert "by the command line: new" in queries.list_audit_entries(store.engine)[0].detail
