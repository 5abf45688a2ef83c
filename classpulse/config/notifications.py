"""The ``notify:`` of ``config.yaml``: who is told that a lesson has ended, and how. No password stands in
it."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_VARIABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"


class ConnectionSecurity(StrEnum):
    """How the way to the mail server is protected. ``starttls``: from the greeting on (port 587); ``tls``:
    from the first byte (465); ``none``: not at all, for a relay on the school's own network (25)."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


DEFAULT_SMTP_PORTS = {
    ConnectionSecurity.STARTTLS: 587,
    ConnectionSecurity.TLS: 465,
    ConnectionSecurity.NONE: 25,
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _validate_address(value: object) -> object:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value.strip()):
        raise ValueError(f"{value!r} is no e-mail address; expected one such as teacher@school.example")
    return value.strip()


EmailAddress = Annotated[str, BeforeValidator(_validate_address)]
EnvironmentVariable = Annotated[str, Field(pattern=_VARIABLE_PATTERN)]


class EmailSettings(_Section):
    """A mail through ``host``. The password of ``user`` is in the environment variable ``password_env``, or
    is the first line of ``password_file`` (relative to ``config.yaml``). ``port`` None is that of
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
            raise ValueError(
                "a user and a password belong together; expected 'user' with one of 'password_env' (the name "
                "of an environment variable) and 'password_file', or none of them"
            )
        if self.user is not None and self.security is ConnectionSecurity.NONE:
            raise ValueError(
                "a password would go over the network in clear; expected security: starttls or tls"
            )
        return self


class WebhookSettings(_Section):
    """A JSON document posted to ``url``, signed with the secret in the environment variable
    ``secret_env``."""

    url: str
    secret_env: EnvironmentVariable | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fits = False
        if not fits or re.search(r"[\s\x00-\x1f\x7f]", value) or not value.isascii():
            # Not the value: such an address often holds a token.
            raise ValueError("this is no web address; expected one such as https://school.example/hook")
        if parts.username is not None or parts.password is not None:
            raise ValueError("an address with a user or a password; expected one without, and a 'secret_env'")
        return value


class NotifySettings(_Section):
    """Nobody is told unless ``email`` or ``webhook`` is set. ``base_url``: where the output folder is for the
    reader of a message, such as ``file://server/reports`` or ``https://school.example/reports``; None tells
    the path."""

    email: EmailSettings | None = None
    webhook: WebhookSettings | None = None
    base_url: Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*://\S+$")] | None = None
