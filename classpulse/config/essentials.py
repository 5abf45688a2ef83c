"""The few settings that the commands to a running recording need, read without the whole schema.

Loading the schema takes a second of computing time, and a teacher waits for ``classpulse pause`` while the
class is recorded. Other settings are not checked here: an invalid one must not prevent a pause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

SQLITE_PREFIX = "sqlite:///"

DEFAULT_DATABASE_URL = "sqlite:///classpulse-data/classpulse.db"


@dataclass(frozen=True)
class Essentials:
    """``data_folder``: the folder with the control socket. ``zone_name``: the IANA time zone of the lessons,
    None for this computer's."""

    data_folder: Path
    zone_name: str | None = None

    @property
    def zone(self) -> tzinfo:
        """The time zone of the lessons; this computer's if the configured one is not known."""
        return local_zone(self.zone_name)


def read_essentials(path: Path) -> Essentials:
    """Read ``config.yaml``. Raises SettingsError if it is not a YAML file or its ``database.url`` is
    invalid."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError):
        return _from_validated(path)
    url = _setting(data, "database", "url")
    zone_name = _setting(data, "schedule", "zone") or _setting(data, "output", "time_zone")
    if not (data is None or isinstance(data, dict)) or not isinstance(url, str | None) or url == "":
        return _from_validated(path)
    resolved = resolve_database_url(DEFAULT_DATABASE_URL if url is None else url, path.parent)
    return Essentials(
        data_folder_of(resolved, path.parent), zone_name if isinstance(zone_name, str) else None
    )


def _setting(data: Any, section: str, key: str) -> Any:
    """The value of a setting; None if it is not set, or the section has another form."""
    values = data.get(section) if isinstance(data, dict) else None
    return values.get(key) if isinstance(values, dict) else None


def _from_validated(path: Path) -> Essentials:
    """The essentials by way of the schema, which describes every error."""
    from classpulse.config.settings import read_config

    config = read_config(path)
    settings = config.settings
    return Essentials(config.data_folder, settings.schedule.zone or settings.output.time_zone)


def resolve_database_url(url: str, folder: Path) -> str:
    """The URL of the database, with an absolute path for SQLite; ``folder`` is that of the settings."""
    if not url.startswith(SQLITE_PREFIX) or url == SQLITE_PREFIX or ":memory:" in url:
        return url
    return SQLITE_PREFIX + str((folder / url.removeprefix(SQLITE_PREFIX)).resolve())


def data_folder_of(url: str, folder: Path) -> Path:
    """The folder of logs, uploads and the control socket: that of the SQLite database ``url``, else
    ``folder``, that of the settings."""
    return Path(url.removeprefix(SQLITE_PREFIX)).parent if url.startswith(SQLITE_PREFIX) else folder


def local_zone(name: str | None) -> tzinfo:
    """The time zone ``name``; this computer's for None and for a zone that it does not know."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from tzlocal import get_localzone

    try:
        return get_localzone() if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return get_localzone()
