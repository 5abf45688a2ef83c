"""Pydantic's validation errors as ``SettingsError`` with file, line and key."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from classpulse.config.invalid import InvalidSetting
from classpulse.config.schema import Settings
from classpulse.config.value_hints import value_hint
from classpulse.errors import SettingsError
from classpulse.log_console import Redaction


def settings_error(error: ValidationError, data: CommentedMap | None = None, file: str = "") -> SettingsError:
    """The first of the validation errors; the others are counted. With ``data``, the YAML of ``file``, the
    problem starts with the file name and the line."""
    first, *others = error.errors()
    location = _location(error)
    key = key_path(location)
    problem, hint = _describe(first, key, location)
    if others:
        problem += f" ({len(others)} more)"
    if data is None:
        return SettingsError(f"{problem}.", hint, key=key)
    line = _line_of(data, location)
    return SettingsError(f"{file}, line {line}: {problem}.", hint, file=file, line=line, key=key)


def _describe(error: Any, key: str, location: list[str | int]) -> tuple[str, str]:
    """The problem, without a period, and the hint."""
    kind = error["type"]
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        return f"unknown setting '{key}'", f"Use one of: {', '.join(_known_keys(location[:-1]))}."
    if kind in {"missing", "missing_argument"}:
        return f"'{key}' is missing", ""
    if kind == "value_error":
        cause = error["ctx"]["error"]
        problem = getattr(cause, "problem", str(cause)).rstrip(".")
        return (f"{key}: {problem}" if key else problem), getattr(cause, "hint", "")
    return f"{key} is {_format_value(error['input'])}", value_hint(error)


def _location(error: ValidationError) -> list[str | int]:
    """The path of the first invalid setting."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    path = [part for part in first["loc"] if isinstance(part, str | int)]
    return [*path, *cause.location] if isinstance(cause, InvalidSetting) else path


def key_path(location: Iterable[str | int]) -> str:
    """``schedule.lessons[2].from``; list entries are counted from one."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _format_value(value: object) -> str:
    if isinstance(value, dict):
        return "a section"
    # Without passwords: the address of a camera or a database may contain one.
    return "a list" if isinstance(value, list) else Redaction()(repr(value))


def _line_of(data: CommentedMap, location: Iterable[str | int]) -> int:
    """The 1-based line of the deepest part of ``location`` that the file has."""
    line: int = 1
    node: Any = data
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
        else:
            break
        node = node[part]
    return line


def _known_keys(location: list[str | int]) -> list[str]:
    """The keys of the section at ``location``."""
    node: Any = Settings
    for part in location:
        node = node if isinstance(part, int) else _section_fields(node).get(part)
    return sorted(_section_fields(node))


def _section_fields(node: Any) -> dict[str, Any]:
    if isinstance(node, type) and issubclass(node, BaseModel):
        return {f.alias or n: _section_type(f.annotation) for n, f in node.model_fields.items()}
    if dataclasses.is_dataclass(node):
        return {f.name: None for f in dataclasses.fields(node)}
    return {}


def _section_type(annotation: Any) -> Any:
    """The section type in ``SettingsSection | None`` or ``tuple[SettingsSection, ...]``."""
    if get_origin(annotation) in (tuple, UnionType, Union):
        return get_args(annotation)[0]
    return annotation
