from __future__ import annotations

from pathlib import Path

import pytest

from classpulse.config.settings import Settings, read_config
from classpulse.config.template import render_config
from classpulse.errors import SettingsError

GOOD = {"to": "a@b.example", "from": "c@d.example", "host": "mail.example"}


def settings_of(folder: Path, section: str) -> Settings:
    path = folder / "config.yaml"
    path.write_text(f"notify:\n  {section}\n", encoding="utf-8")
    return read_config(path).settings


def email(**changes: str | None) -> str:
    parts = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return "email: {" + ", ".join(f"{key}: {value}" for key, value in parts.items()) + "}"


def test_render_config_notifications_round_trip(tmp_path: Path) -> None:
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
    ("section", "key"),
    [
        (email(to="teacher"), "notify.email.to[1]"),
        (email(to='"a@b.example\\nBcc: c@d.example"'), "notify.email.to[1]"),
        (email(to="[]"), "notify.email.to"),
        (email(host=None), "notify.email.host"),
        (email(host="'mail example'"), "notify.email.host"),
        (email(port="0"), "notify.email.port"),
        (email(security="ssl"), "notify.email.security"),
        (email(password="geheim"), "notify.email.password"),
        (email(user="me"), "notify.email"),
        (email(password_env="MAIL"), "notify.email"),
        (email(user="me", password_env="MAIL", password_file="x"), "notify.email"),
        (email(user="me", password_env="MAIL", security="none"), "notify.email"),
        (email(user="me", password_env="not-a-name"), "notify.email.password_env"),
        ("webhook: {url: school.example}", "notify.webhook.url"),
        ("webhook: {url: 'file:///etc/passwd'}", "notify.webhook.url"),
        ("webhook: {url: 'https://school.example:99999/'}", "notify.webhook.url"),
        ('webhook: {url: "https://school.example/\\r\\nX: y"}', "notify.webhook.url"),
        ("webhook: {url: 'https://me:geheim@school.example/'}", "notify.webhook.url"),
        ("base_url: reports", "notify.base_url"),
    ],
)
def test_settings_invalid_entry_error_has_key_and_no_secret(tmp_path: Path, section: str, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(tmp_path, section)
    assert (caught.value.file, caught.value.line, caught.value.key) == ("config.yaml", 2, key)
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)
