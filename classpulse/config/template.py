"""The text of ``config.yaml``: every setting with its reason, from one template."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel

from classpulse.config.settings import Settings


def render_config(settings: Settings) -> str:
    """``config.yaml`` for these settings, comments included. Without a policy, its block is a comment."""
    environment = Environment(
        loader=PackageLoader("templates", "."),
        autoescape=False,  # YAML, not HTML; every value goes through _yaml
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = _yaml_value
    return environment.get_template("config.yaml.j2").render(s=settings)


def _yaml_value(value: Any) -> str:
    """A scalar, a section or a list on one line of YAML. JSON is YAML, so quoting is JSON's."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml_value(one)}" for key, one in value.items()) + "}"
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
