from __future__ import annotations

from pathlib import Path

import pytest

from classpulse.config.settings import Settings, read_config
from classpulse.config.template import render_config
from classpulse.errors import UserError

GOOD = {"to": "a@b.example", "from": "c@d.example", "host": "mail.example"}


def settings_of(folder: Path, section: str) -> Settings:
    path = folder / "config.yaml"
    path.write_text(f"notify:\n  {section}\n", encoding="utf-8")
    return read_config(path).settings


def email(**changes: str | None) -> str:
    parts = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return "email: {" + ", ".join(f"{key}: {value}" for key, value in parts.items()) + "}"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "notify": {
                "email": {**GOOD, "user": "me", "password_file": "secrets/mail.txt", "port": 2525},
                "webhook": {"url": "https://school.example/hook", "secret_env": "HOOK"},
                "base_url": "file://server/reports",
            }
        }
    )
    path = tmp_path / "config.yaml"
    path.write_text(render_config(settings), encoding="utf-8")
    assert read_config(path).settings == settings


@pytest.mark.parametrize(
    ("section", "part"),
    [
        (email(to="teacher"), "notify.email.to[1]: 'teacher' is no e-mail address"),
        (email(to='"a@b.example\\nBcc: c@d.example"'), "is no e-mail address"),
        (email(to="[]"), "at least 1 item"),
        (email(host=None), "'notify.email.host' is missing"),
        (email(host="'mail example'"), "notify.email.host is 'mail example'"),
        (email(port="0"), "greater than or equal to 1"),
        (email(security="ssl"), "'starttls', 'tls' or 'none'"),
        (email(password="geheim"), "unknown setting 'notify.email.password'; expected one of from, host, "),
        (email(user="me"), "a user and a password belong together"),
        (email(password_env="MAIL"), "a user and a password belong together"),
        (email(user="me", password_env="MAIL", password_file="x"), "a user and a password belong together"),
        (
            email(user="me", password_env="MAIL", security="none"),
            "a password would go over the network in clear",
        ),
        (email(user="me", password_env="not-a-name"), "notify.email.password_env"),
        ("webhook: {url: school.example}", "this is no web address"),
        ("webhook: {url: 'file:///etc/passwd'}", "this is no web address"),
        ("webhook: {url: 'https://school.example:99999/'}", "this is no web address"),
        ('webhook: {url: "https://school.example/\\r\\nX: y"}', "this is no web address"),
        ("webhook: {url: 'https://me:geheim@school.example/'}", "an address with a user or a password"),
        ("base_url: reports", "notify.base_url is 'reports'"),
    ],
)
def test_a_bad_entry_is_one_line_without_secrets(tmp_path: Path, section: str, part: str) -> None:
    with pytest.raises(UserError) as caught:
        settings_of(tmp_path, section)
    message = str(caught.value)
    assert message.startswith("config.yaml, line 2: ")
    assert part in message
    assert "\n" not in message
    assert "geheim" not in message
