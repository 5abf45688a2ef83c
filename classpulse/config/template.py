"""Renders ``config.yaml``: every setting with a comment, from one template."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel

from classpulse.config.schema import Settings


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
