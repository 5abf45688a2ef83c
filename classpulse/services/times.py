"""Times: the start of a recorded lesson, moments of a session, and the creation time of a report.

The start of a lesson is given by the user, else read from the recording, else the time of the analysis.
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

TIME_FORMAT_HINT = 'Give day and time, such as "2026-03-02 09:00".'

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?")


class InvalidTime(UserError, ValueError):
    """A text is not a time, or not one that can be used."""


class OutsideRetention(UserError):
    """A lesson is older than the retention period."""


class TimeSource(StrEnum):
    """The source of a lesson's start: the user, the recording, or, if unknown, the time of the analysis."""

    USER = "user"
    RECORDING = "recording"
    ANALYSIS = "analysis"


@dataclass(frozen=True)
class LessonTime:
    """The start of a lesson, aware UTC, and its source."""

    started_at: datetime
    source: TimeSource


def configured_zone(config: Config) -> tzinfo | None:
    """The zone of times in input and output; None for this computer's."""
    name = config.settings.output.time_zone
    return None if name is None else ZoneInfo(name)


def parse_lesson_time(text: str, zone: tzinfo | None, now: datetime) -> datetime:
    """``2026-03-02 09:00`` in ``zone`` (None: this computer's) as aware UTC; an offset (``+01:00``) takes
    precedence. A time that exists twice at the end of daylight saving time is the first of the two. Raises
    InvalidTime, also for a time after ``now`` and for one that daylight saving time skips.
    """
    if not _MOMENT.fullmatch(text.strip()):
        raise InvalidTime(f"{text!r} is not a date and time.", TIME_FORMAT_HINT)
    try:
        given = datetime.fromisoformat(text.strip())
        at = (given if given.tzinfo else _localise(given, zone)).astimezone(UTC)
        back = at.astimezone(given.tzinfo or zone).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise InvalidTime(f"{text!r} is not a date and time.", TIME_FORMAT_HINT) from None
    if back != given.replace(tzinfo=None):
        raise InvalidTime(f"{text!r} does not exist: daylight saving time skips it.", TIME_FORMAT_HINT)
    if at > now:
        raise InvalidTime(f"{text!r} is in the future.", "Give the time at which the lesson started.")
    return at


def resolve_lesson_time(stated: datetime | None, recording: Path, now: datetime) -> LessonTime:
    """The start of the lesson of a recording; ``stated`` by the user, or None."""
    if stated is not None:
        return LessonTime(stated, TimeSource.USER)
    recorded_at = recording_time(recording, now)
    if recorded_at is None:
        return LessonTime(now, TimeSource.ANALYSIS)
    return LessonTime(recorded_at, TimeSource.RECORDING)


def require_within_retention(at: datetime, config: Config, now: datetime) -> None:
    """Raises OutsideRetention for a lesson older than ``retention.keep_days``, which the next night would
    erase."""
    days = config.settings.retention.keep_days
    if days is not None and at < now - timedelta(days=days):
        day = at.astimezone(configured_zone(config))
        raise OutsideRetention(
            f"A lesson of {day:%Y-%m-%d} would be erased the next night: lessons are kept for {days} days "
            "(retention.keep_days).",
            "Give another time if this one is wrong.",
        )


def _localise(at: datetime, zone: tzinfo | None) -> datetime:
    return at.astimezone() if zone is None else at.replace(tzinfo=zone)


SOURCE_DATE_VARIABLE = "SOURCE_DATE_EPOCH"
"""Seconds since 1970 as the creation time of a report, for reproducible files (reproducible-builds.org)."""


def report_creation_time() -> datetime:
    """Now, or the time in ``SOURCE_DATE_EPOCH``; aware UTC. Raises InvalidTime."""
    given = os.environ.get(SOURCE_DATE_VARIABLE)
    if not given:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidTime(
            f"The environment variable {SOURCE_DATE_VARIABLE} is {given!r}.",
            "Set it to seconds since 1970, or unset it.",
        ) from None


def parse_media_time(text: str) -> float:
    """``12:30``, ``1:02:03`` or ``750`` as seconds of a session. Raises InvalidTime."""
    if _SECONDS.fullmatch(text):
        return float(text)
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise InvalidTime(f"{text!r} is not a time.", "Use m:ss, h:mm:ss or seconds.")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


_CLOCK = re.compile(r"(?:(\d{1,3}):(?=[0-5]\d:))?(\d{1,3}):([0-5]\d)")
_SECONDS = re.compile(r"\d{1,6}(?:\.\d+)?")
