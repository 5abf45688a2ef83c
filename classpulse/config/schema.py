"""The schema of ``config.yaml``: every setting with its default and bounds.

Each package defines its settings beside the code that reads them, as a frozen dataclass with bounds; this
module composes them, and pydantic validates the values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from classpulse.config.essentials import DEFAULT_DATABASE_URL
from classpulse.config.notifications import NotifySettings
from classpulse.config.output import ReportLayout
from classpulse.config.policy import Policy
from classpulse.config.schedule import (
    RoomSettings,
    ScheduleSettings,
    lesson_slots,
    require_unique_rooms,
    validate_zone,
)
from classpulse.config.server import MetricsSettings, ServeSettings
from classpulse.log_setup import LogSettings
from db.erasure import RetentionSettings
from monitor.daemon.health import HealthSettings
from monitor.daemon.timetable import LessonSlot
from monitor.settings import PRIVATE_KEYS, MonitorSettings, SettingsSection
from reports.flags.attention import AttentionFlagSettings
from reports.flags.sadness import FlagSettings
from reports.rendering.paper import PaperSize
from reports.text.i18n import Language


class DatabaseSettings(SettingsSection):
    """``url``: the SQLAlchemy URL of the database. A relative SQLite path is relative to ``config.yaml``."""

    url: Annotated[str, Field(pattern=r"^[a-z]+(\+[a-z0-9]+)?://")] = DEFAULT_DATABASE_URL


class OutputSettings(SettingsSection):
    """``folder``: output folder of reports, relative to ``config.yaml``; ``layout``: its structure;
    ``time_zone``: IANA zone of the times in reports, None for this computer's; ``paper``: paper size of the
    PDF; ``language``: default language of reports (the dashboard uses its reader's)."""

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
    """All of ``config.yaml``. Without a ``policy``, no person may be analysed."""

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
        """The settings that affect a session's result, as JSON-ready values to be stored with it.

        Addresses and paths are left out: a camera or database address may contain a password, a folder the
        user's name. Settings of output, logs, metrics and everything before and after a session are left out,
        too.
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
