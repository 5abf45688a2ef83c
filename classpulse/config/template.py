"""Renders ``config.yaml``: every setting with a comment, from one template."""

from __future__ import annotations

import json
import re
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel

from classpulse.config.schema import Settings
from monitor.runtime.files import write_private


def render_config(settings: Settings) -> str:
    """``config.yaml`` with these settings and comments. Without a policy, that section is a comment."""
    environment = Environment(
        loader=PackageLoader("templates", "."),
        autoescape=False,  # YAML, not HTML; every value passes _yaml_value
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = _yaml_value
    return environment.get_template("config.yaml.j2").render(s=settings)


def write_config(path: Path, text: str) -> None:
    """Write the text of a ``config.yaml``. Only its owner can read it if it contains a password, or if that
    was so before. Raises OSError."""
    if contains_secret(text) or (path.exists() and not path.stat().st_mode & 0o077):
        write_private(path, text)
    else:
        path.write_text(text, encoding="utf-8")


def contains_secret(text: str) -> bool:
    """Whether the text of a ``config.yaml`` contains a password: an address (of a camera, a database) with
    user information or with a key in its query. Other passwords are never in the file."""
    return _SECRET.search(text) is not None


_SECRET = re.compile(r"""://[^\s"']*@|://[^\s"']*[?&](?:pass\w*|pwd|token|key|secret)=""", re.IGNORECASE)


def _yaml_value(value: Any) -> str:
    """A scalar, a section or a list on one line of YAML. Quoting is that of JSON, a subset of YAML."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml_value, value)) + "]"
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, PurePath):
        value = value.as_posix()
    plain = str(value)
    if isinstance(value, str) and plain.replace("_", "").replace("-", "").isalpha() and plain.isascii():
        return (
            plain
            if plain.lower() not in {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}
            else f'"{plain}"'
        )
    return json.dumps(
        value if isinstance(value, bool | int | float | str | None) else plain, ensure_ascii=False
    )
