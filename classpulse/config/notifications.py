"""The section ``notify:`` of ``config.yaml``: recipients of a notification at the end of a session.

Passwords and secrets are never in the file.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from classpulse.config.invalid import InvalidSetting
from monitor.settings import SettingsSection

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"


class ConnectionSecurity(StrEnum):
    """Encryption of the connection to the mail server: ``starttls`` (port 587), ``tls`` (465), or ``none``
    for a relay in the school's own network (25)."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


DEFAULT_SMTP_PORTS = {
    ConnectionSecurity.STARTTLS: 587,
    ConnectionSecurity.TLS: 465,
    ConnectionSecurity.NONE: 25,
}


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _validate_address(value: object) -> object:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value.strip()):
        raise InvalidSetting(f"{value!r} is not an e-mail address", "Use one such as teacher@school.example.")
    return value.strip()


EmailAddress = Annotated[str, BeforeValidator(_validate_address)]
EnvironmentVariable = Annotated[str, Field(pattern=_VARIABLE_PATTERN)]


class EmailSettings(SettingsSection):
    """E-mail sent through ``host``. The password of ``user`` is in the environment variable ``password_env``
    or the first line of ``password_file`` (relative to ``config.yaml``). ``port`` None is the default of
    ``security``."""

    to: Annotated[tuple[EmailAddress, ...], Field(min_length=1), BeforeValidator(_as_list)]
    from_: Annotated[EmailAddress, Field(alias="from")]
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: ConnectionSecurity = ConnectionSecurity.STARTTLS
    user: Annotated[str, Field(min_length=1)] | None = None
    password_env: EnvironmentVariable | None = None
    password_file: Path | None = None

    @model_validator(mode="after")
    def _check_credentials(self) -> EmailSettings:
        given = (self.password_env is not None) + (self.password_file is not None)
        if (self.user is not None) != (given == 1):
            raise InvalidSetting(
                "a user and a password belong together",
                "Set 'user' with either 'password_env' (the name of an environment variable) or "
                "'password_file', or none of them.",
            )
        if self.user is not None and self.security is ConnectionSecurity.NONE:
            raise InvalidSetting(
                "the password would cross the network unencrypted", "Set security: starttls or tls."
            )
        return self


class WebhookSettings(SettingsSection):
    """A JSON document sent by POST to ``url``, signed with the secret in the environment variable
    ``secret_env``."""

    url: str
    secret_env: EnvironmentVariable | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or re.search(r"[\s\x00-\x1f\x7f]", value) or not value.isascii():
            # Without the value: such a URL often contains a token.
            raise InvalidSetting("this is not a web address", "Use one such as https://school.example/hook.")
        if parts.username is not None or parts.password is not None:
            raise InvalidSetting(
                "the address contains a user name or a password", "Remove it and set 'secret_env'."
            )
        return value


class NotifySettings(SettingsSection):
    """No notification is sent unless ``email`` or ``webhook`` is set. ``base_url``: URL of the output folder
    for the recipient, such as ``file://server/reports`` or ``https://school.example/reports``; with None a
    notification has the path."""

    email: EmailSettings | None = None
    webhook: WebhookSettings | None = None
    base_url: Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*://\S+$")] | None = None
