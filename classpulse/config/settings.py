"""Every setting, composed from the rooms' own, and ``config.yaml`` read into them.

Each room keeps its settings beside the code they steer, as a frozen dataclass with bounds; pydantic
checks them here. Unknown keys and values out of bounds are errors that name their line.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from classpulse.config.notifications import NotifySettings
from classpulse.config.output import ReportLayout
from classpulse.config.policy import Policy
from classpulse.config.schedule import (
    RoomSettings,
    ScheduleSettings,
    SettingError,
    lesson_slots,
    require_unique_rooms,
    validate_zone,
)
from classpulse.config.server import MetricsSettings, ServeSettings
from classpulse.errors import UserError
from classpulse.log_setup import LogSettings
from db.erasure import RetentionSettings
from monitor.daemon.health import HealthSettings
from monitor.daemon.timetable import LessonSlot
from monitor.settings import PRIVATE_KEYS, MonitorSettings, Section
from reports.flags.attention import AttentionFlagSettings
from reports.flags.sadness import FlagSettings
from reports.rendering.paper import PaperSize
from reports.text.i18n import Language


class DatabaseSettings(Section):
    """``url``: where the record is kept. A relative SQLite path is relative to ``config.yaml``."""

    url: Annotated[str, Field(pattern=r"^[a-z]+(\+[a-z0-9]+)?://")] = (
        "sqlite:///classpulse-data/classpulse.db"
    )


class OutputSettings(Section):
    """``folder``: where reports go, relative to ``config.yaml``; ``layout``: how they lie in it;
    ``time_zone``: an IANA name such as ``Europe/Zurich``, in which the report prints times; None is this
    computer's; ``paper``: of the PDF; ``language``: of reports, where nobody asks for another (the dashboard
    takes its reader's)."""

    folder: Path = Path("classpulse-data/reports")
    layout: ReportLayout = ReportLayout.SESSION
    time_zone: str | None = None
    paper: PaperSize = PaperSize.A4
    language: Language = Language.EN

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return validate_zone(value)


class Settings(MonitorSettings):
    """All of ``config.yaml``. ``policy`` is None when the file has none: then nobody is analysed."""

    policy: Policy | None = None
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    output: OutputSettings = Field(default_factory=OutputSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    health: HealthSettings = Field(default_factory=HealthSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    serve: ServeSettings = Field(default_factory=ServeSettings)
    flags: FlagSettings = Field(default_factory=FlagSettings)
    attention_flags: AttentionFlagSettings = Field(default_factory=AttentionFlagSettings)
    rooms: tuple[RoomSettings, ...] = ()
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)

    @model_validator(mode="after")
    def _check_consistency(self) -> Settings:
        require_unique_rooms(self.rooms)
        self.lesson_slots()
        return self

    def lesson_slots(self) -> tuple[LessonSlot, ...]:
        """The weekly lessons of ``schedule``, each with its room and source."""
        return lesson_slots(self.schedule, self.rooms, self.class_.room, self.capture.source)

    def as_session_json(self) -> dict[str, Any]:
        """What bears on a session's result, as JSON-ready values, to be kept with it.

        Where things are is left out: a camera's or a database's address may hold a password, and a
        folder the user's name. So is what says nothing of the session: the paper, the language, logs and
        metrics, and everything that is done before and after it.
        """
        excluded = PRIVATE_KEYS | {
            "database": True,
            "rooms": True,
            "schedule": True,
            "retention": True,
            "notify": True,
            "output": {"folder", "layout", "paper", "language"},
            "log": True,
            "health": True,
            "metrics": True,
            "serve": True,
        }
        return self.model_dump(mode="json", by_alias=True, exclude=excluded)


@dataclass(frozen=True)
class Config:
    """Settings and the folder that their relative paths start from. ``path`` is None for defaults."""

    settings: Settings
    folder: Path
    path: Path | None = None

    @property
    def file_name(self) -> str:
        """The file's name, for messages."""
        return self.path.name if self.path else "config.yaml"

    @property
    def database_url(self) -> str:
        """The database's URL with a relative SQLite path made absolute."""
        url = self.settings.database.url
        prefix = "sqlite:///"
        if not url.startswith(prefix) or url == prefix or ":memory:" in url:
            return url
        return prefix + str((self.folder / url.removeprefix(prefix)).resolve())

    @property
    def output_folder(self) -> Path:
        """Where reports go."""
        return (self.folder / self.settings.output.folder).resolve()

    def for_class(self, class_name: str | None, room: str | None) -> Config:
        """The same for another class or room, where one is named."""
        named = {"name": class_name, "room": room}
        known = self.settings.class_.model_copy(update={k: v for k, v in named.items() if v is not None})
        return Config(self.settings.model_copy(update={"class_": known}), self.folder, self.path)

    @property
    def data_folder(self) -> Path:
        """Where the live session's notices and the log are: beside a SQLite database, else beside
        the configuration."""
        url = self.database_url
        return Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite:///") else self.folder


def read_config(path: Path) -> Config:
    """Read ``config.yaml``. Raises UserError, with the line, for whatever is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"{path} does not exist; make one with 'classpulse init', or name another with --config"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} cannot be read ({_one_line(error)}); expected a YAML text file in UTF-8"
        ) from None
    data = _parse(text, path)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise UserError(_describe_with_line(error, data, path.name)) from None
    return Config(settings, path.parent, path)


def _parse(text: str, path: Path) -> CommentedMap:
    try:
        data = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(
            f"{path.name}, line {line}: {error.problem}; expected YAML of 'key: value' lines"
        ) from None
    except YAMLError as error:
        raise UserError(f"{path.name}: {_one_line(error)}; expected YAML of 'key: value' lines") from None
    except ValueError as error:
        # What looks like a date is made one while it is read, and no line is kept.
        line = next((n for n, one in enumerate(text.splitlines(), start=1) if _has_invalid_date(one)), 1)
        raise UserError(
            f"{path.name}, line {line}: {_one_line(error)}; expected a day such as 2026-01-31"
        ) from None
    if data is None:
        return CommentedMap()
    if not isinstance(data, CommentedMap):
        raise UserError(
            f"{path.name}, line 1: a {type(data).__name__} on top; expected sections such as 'policy:'"
        )
    return data


def _has_invalid_date(line: str) -> bool:
    """Whether something in it looks like a day and is none."""
    for year, month, day in re.findall(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", line):
        try:
            date(int(year), int(month), int(day))
        except ValueError:
            return True
    return False


def _describe_with_line(error: ValidationError, data: CommentedMap, name: str) -> str:
    """The first problem as one line, with its line in the file."""
    return f"{name}, line {_line_of(data, _error_location(error))}: {describe_validation_error(error)}"


def _error_location(error: ValidationError) -> list[str | int]:
    """The place of the first problem."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    where = [part for part in first["loc"] if isinstance(part, str | int)]
    return [*where, *cause.location] if isinstance(cause, SettingError) else where


def describe_validation_error(error: ValidationError) -> str:
    """The first problem in one line; further ones are counted."""
    first, *others = error.errors()
    where = _error_location(error)
    key = _key_path(where)
    if first["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = ", ".join(_known_keys(where[:-1]))
        problem = f"unknown setting '{key}'; expected one of {known}"
    elif first["type"] in {"missing", "missing_argument"}:
        problem = f"'{key}' is missing"
    elif first["type"] == "value_error":
        problem = f"{key}: {first['ctx']['error']}" if key else str(first["ctx"]["error"])
    else:
        problem = f"{key} is {_format_value(first['input'])}; {first['msg'][0].lower()}{first['msg'][1:]}"
    return problem + (f" (and {len(others)} more)" if others else "")


def _key_path(location: Iterable[str | int]) -> str:
    """``schedule.lessons[2].from``; entries of a list are counted from one, as people do."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _format_value(value: object) -> str:
    """A value in a message; of a whole section that is in the wrong place, what it is."""
    if isinstance(value, dict):
        return "a section"
    return "a list" if isinstance(value, list) else repr(value)


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
    """The settings that a section knows, for the message about one that it does not."""
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
    """The section behind ``Section | None`` or ``tuple[Section, ...]``."""
    if get_origin(annotation) in (tuple, UnionType, Union):
        return get_args(annotation)[0]
    return annotation


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
