"""Reads ``config.yaml``."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from classpulse.config.essentials import data_folder_of, resolve_database_url
from classpulse.config.schema import Settings
from classpulse.config.validation import key_path, settings_error
from classpulse.errors import SettingsError
from classpulse.text import collapse_spaces

__all__ = ["Config", "Settings", "read_config"]

_YAML_HINT = "Write YAML lines of the form 'key: value', and text with special characters in single quotes."

_BACKSLASH_HINT = "Write a path in single quotes ('D:\\new\\reports') or with / (D:/new/reports)."


@dataclass(frozen=True)
class Config:
    """The settings and the folder of their relative paths. ``path`` is None for the defaults."""

    settings: Settings
    folder: Path
    path: Path | None = None

    @property
    def file_name(self) -> str:
        """The name of the file, for messages."""
        return self.path.name if self.path else "config.yaml"

    @property
    def database_url(self) -> str:
        """The URL of the database, with an absolute SQLite path."""
        return resolve_database_url(self.settings.database.url, self.folder)

    @property
    def output_folder(self) -> Path:
        """The folder of the reports."""
        return (self.folder / self.settings.output.folder).resolve()

    def for_class(self, class_name: str | None, room: str | None) -> Config:
        """A copy for another class or room; None keeps the configured one."""
        changes = {key: value for key, value in (("name", class_name), ("room", room)) if value is not None}
        class_ = self.settings.class_.model_copy(update=changes)
        return Config(self.settings.model_copy(update={"class_": class_}), self.folder, self.path)

    @property
    def data_folder(self) -> Path:
        """The folder of logs, uploads and the control socket: that of the SQLite database, else of the
        settings."""
        return data_folder_of(self.database_url, self.folder)


def read_config(path: Path) -> Config:
    """Read ``config.yaml``. Raises SettingsError with the line of the first invalid setting."""
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist.",
            "Create it with 'classpulse init', or name another file with --config.",
            file=name,
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read ({collapse_spaces(str(error))}).",
            "Use a YAML text file in UTF-8.",
            file=name,
        ) from None
    data = _parse(text, name)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise settings_error(error, data, name) from None
    _require_single_lines(data, name)
    return Config(settings, path.parent, path)


def _parse(text: str, name: str) -> CommentedMap:
    try:
        data = YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _line_error(name, line, "a setting is given twice", "Remove one of the two lines.") from None
    except MarkedYAMLError as error:
        raise _yaml_error(error, text, name) from None
    except YAMLError as error:
        problem = f"{name}: {collapse_spaces(str(error))}."
        raise SettingsError(problem, _YAML_HINT, file=name) from None
    except ValueError as error:
        # The YAML reader converts dates itself and does not report the line.
        line = next((n for n, one in enumerate(text.splitlines(), start=1) if _has_invalid_date(one)), 1)
        raise _line_error(
            name, line, collapse_spaces(str(error)), "Write a date such as 2026-01-31."
        ) from None
    if data is None:
        return CommentedMap()
    if not isinstance(data, CommentedMap):
        raise _line_error(name, 1, "the file is not made of sections", "Write sections such as 'policy:'.")
    return data


def _yaml_error(error: MarkedYAMLError, text: str, name: str) -> SettingsError:
    """The error for a file that is not YAML."""
    mark = error.problem_mark
    if mark is None:
        return _line_error(name, 1, "the file is not valid YAML", _YAML_HINT)
    lines = text.splitlines()
    written = lines[mark.line] if mark.line < len(lines) else ""
    if "\\" in written[: mark.column + 1] and '"' in written[: mark.column]:
        problem = "in double quotes, YAML reads a backslash as the start of an escape sequence"
        return _line_error(name, mark.line + 1, problem, _BACKSLASH_HINT)
    if written[: len(written) - len(written.lstrip())].count("\t"):
        return _line_error(name, mark.line + 1, "a tab indents the line", "Indent with spaces.")
    problem = f"this is not valid YAML ({collapse_spaces(str(error.problem))})"
    return _line_error(name, mark.line + 1, problem, _YAML_HINT)


def _require_single_lines(data: Any, name: str, keys: tuple[str | int, ...] = ()) -> None:
    """Raises SettingsError for a text with control characters: ``"D:\\new"`` contains a line break."""
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in parts:
        path = (*keys, key)
        if isinstance(value, str) and any(unicodedata.category(character) == "Cc" for character in value):
            mark = data.lc.key(key) if isinstance(data, CommentedMap) else data.lc.item(key)
            setting = key_path(path)
            problem = f"{setting} contains a line break, a tab or another control character"
            line = mark[0] + 1
            raise SettingsError(
                f"{name}, line {line}: {problem}.", _BACKSLASH_HINT, file=name, line=line, key=setting
            )
        _require_single_lines(value, name, path)


def _line_error(name: str, line: int, problem: str, hint: str) -> SettingsError:
    return SettingsError(f"{name}, line {line}: {problem}.", hint, file=name, line=line)


def _has_invalid_date(line: str) -> bool:
    for year, month, day in re.findall(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", line):
        try:
            date(int(year), int(month), int(day))
        except ValueError:
            return True
    return False
