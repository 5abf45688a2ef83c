"""The parts of the configuration that the daemon needs."""

from __future__ import annotations

from datetime import tzinfo

from classpulse.config.essentials import local_zone
from classpulse.config.settings import Config
from classpulse.log_setup import LOG_FOLDER
from monitor.daemon.timetable import Timetable
from monitor.settings import DaemonSettings


def daemon_settings(config: Config) -> DaemonSettings:
    """The settings of a daemon that runs with ``config``, which was read from a file."""
    assert config.path is not None
    settings = config.settings
    return DaemonSettings(
        data_folder=config.data_folder,
        log_folder=config.data_folder / LOG_FOLDER,
        database_url=config.database_url,
        program=("-m", "classpulse", "--config", str(config.path)),
        class_name=settings.class_.name,
        room=settings.class_.room,
        source=settings.capture.source,
        sample_fps=settings.capture.sample_fps,
        room_sources={room.name: room.source for room in settings.rooms},
    )


def build_timetable(config: Config) -> Timetable:
    """The timetable of the configuration, in its time zone."""
    settings = config.settings
    return Timetable(settings.lesson_slots(), lesson_zone(config), settings.schedule.holidays)


def lesson_zone(config: Config) -> tzinfo:
    """The time zone of the lessons."""
    return local_zone(config.settings.schedule.zone or config.settings.output.time_zone)
