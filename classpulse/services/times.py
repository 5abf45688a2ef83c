"""When a recorded lesson was: as somebody says, else as the recording says of itself, else unknown, which is
dated at its analysis.

When a report is made.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from classpulse.config.settings import Config
from classpulse.errors import UserError
from monitor.sources.video_file import recording_time

TIME_FORMAT_HINT = 'expected a day and a time, such as "2026-03-02 09:00"'

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?")


class TimeSource(StrEnum):
    """Who says when a lesson was: somebody, the recording itself, or nobody (then it is the analysis)."""

    USER = "somebody"
    RECORDING = "recording"
    ANALYSIS = "analysis"


@dataclass(frozen=True)
class LessonTime:
    """When a lesson began, aware UTC, and who says so."""

    started_at: datetime
    source: TimeSource


def configured_zone(config: Config) -> tzinfo | None:
    """In which times are written and read; None is this computer's."""
    name = config.settings.output.time_zone
    return None if name is None else ZoneInfo(name)


def parse_lesson_time(text: str, zone: tzinfo | None, now: datetime) -> datetime:
    """``2026-03-02 09:00`` of a ``zone`` (None: this computer's) as aware UTC; with an offset (``+01:00``)
    that holds. An hour that came twice because the clocks went back is the first of the two; the second
    needs its offset. Raises ValueError, one line, also for what is after ``now`` or never was.
    """
    if not _MOMENT.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is no time of a lesson; {TIME_FORMAT_HINT}")
    try:
        said = datetime.fromisoformat(text.strip())
        at = (said if said.tzinfo else _localise(said, zone)).astimezone(UTC)
        back = at.astimezone(said.tzinfo or zone).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no time of a lesson; {TIME_FORMAT_HINT}") from None
    if back != said.replace(tzinfo=None):
        raise ValueError(f"{text!r} never was: the clocks went forward over it; {TIME_FORMAT_HINT}")
    if at > now:
        raise ValueError(f"{text!r} is in the future; expected when the lesson began")
    return at


def resolve_lesson_time(stated: datetime | None, recording: Path, now: datetime) -> LessonTime:
    """When the lesson of a recording was; ``stated`` by somebody where it is given."""
    if stated is not None:
        return LessonTime(stated, TimeSource.USER)
    said = recording_time(recording, now)
    return LessonTime(now, TimeSource.ANALYSIS) if said is None else LessonTime(said, TimeSource.RECORDING)


def require_within_retention(at: datetime, config: Config, now: datetime) -> None:
    """Raises UserError for a lesson that is older than lessons are kept: it would be erased in the next
    night."""
    days = config.settings.retention.keep_days
    if days is not None and at < now - timedelta(days=days):
        day = at.astimezone(configured_zone(config))
        raise UserError(
            f"a lesson of {day:%Y-%m-%d} would be erased in the next night, for lessons are kept for {days} "
            "days (retention.keep_days); say another time if that one is wrong"
        )


def _localise(said: datetime, zone: tzinfo | None) -> datetime:
    return said.astimezone() if zone is None else said.replace(tzinfo=zone)


SOURCE_DATE_VARIABLE = "SOURCE_DATE_EPOCH"
"""Seconds since 1970; what makes files the same byte for byte (reproducible-builds.org)."""


def report_creation_time() -> datetime:
    """Now, or what ``SOURCE_DATE_EPOCH`` says; aware UTC. Raises UserError for a value that is no time."""
    given = os.environ.get(SOURCE_DATE_VARIABLE)
    if not given:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError):
        raise UserError(
            f"{SOURCE_DATE_VARIABLE} is {given!r}; expected seconds since 1970, or unset it"
        ) from None


def parse_media_time(text: str) -> float:
    """The same, for whoever is not on a command line. Raises ValueError."""
    if _SECONDS.fullmatch(text):
        return float(text)
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time; expected m:ss, h:mm:ss or seconds")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


_CLOCK = re.compile(r"(?:(\d{1,3}):(?=[0-5]\d:))?(\d{1,3}):([0-5]\d)")
_SECONDS = re.compile(r"\d{1,6}(?:\.\d+)?")
