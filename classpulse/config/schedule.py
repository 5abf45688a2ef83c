"""The sections ``schedule:`` and ``rooms:`` of ``config.yaml``, and the weekly slots that they define.

The camera of a lesson is its own ``source``, else that of its room, else ``capture.source``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from annotated_types import Ge, Le
from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    field_validator,
    model_validator,
)

from classpulse.config.invalid import InvalidSetting
from monitor.daemon.timetable import WEEK, Holiday, LessonSlot, SlotOverlap, Weekday, check_overlaps
from monitor.settings import Name, SettingsSection, source_as_text

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DATE = r"\d{4}-\d{2}-\d{2}"
_RANGE = re.compile(rf"({_DATE})(?:\s*(?:\.\.|to)\s*({_DATE}))?")
_DAYS = {
    name: day
    for day, full in zip(
        WEEK,
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        strict=True,
    )
    for name in (day.value, full)
}


def validate_zone(value: str | None) -> str | None:
    """The name, if this computer knows the time zone. Raises InvalidSetting."""
    if value is None:
        return None
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSetting(
            f"{value!r} is not a time zone", "Use an IANA name such as Europe/Zurich."
        ) from None
    return value


def _parse_time(value: object) -> object:
    if isinstance(value, time):
        return value
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        # YAML 1.1, which a file may select, reads 08:15 as the number 495.
        raise InvalidSetting(
            f"{value!r} is not a time of day", 'Write hours and minutes in quotes, such as "08:15".'
        )
    return time(int(match[1]), int(match[2]))


def _parse_weekday(value: object) -> object:
    day = _DAYS.get(value.strip().lower()) if isinstance(value, str) else None
    if day is None:
        raise InvalidSetting(f"{value!r} is not a day of the week", f"Use one of: {', '.join(WEEK)}.")
    return day


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _parse_holiday(value: object) -> object:
    if isinstance(value, Holiday):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return Holiday(value, value)
    match = _RANGE.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        first, last = (date.fromisoformat(day) for day in (match[1], match[2] or match[1]))
    except ValueError:
        raise InvalidSetting(
            f"'{value}' is not a date",
            "Write one such as 2026-12-25, or a range such as 2026-12-21..2027-01-03.",
        ) from None
    return Holiday(first, last)


def _format_holiday(holiday: Holiday) -> str:
    first, last = holiday.first, holiday.last
    return f"{first}" if first == last else f"{first}..{last}"


TimeOfDay = Annotated[
    time, BeforeValidator(_parse_time), PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str)
]
"""``"08:15"``."""

WeekdayName = Annotated[Weekday, BeforeValidator(_parse_weekday)]
"""``mon`` or ``Monday``."""

HolidayRange = Annotated[
    Holiday, BeforeValidator(_parse_holiday), PlainSerializer(_format_holiday, return_type=str)
]
"""``2026-12-25``, or ``2026-12-21..2027-01-03``, both ends included."""

SourceSpec = Annotated[str, Field(min_length=1), BeforeValidator(source_as_text)]


class RoomSettings(SettingsSection):
    """A room and its source: the index of a camera, an RTSP or HTTP address, or a path."""

    name: Name
    source: SourceSpec


class LessonSettings(SettingsSection):
    """A weekly lesson. ``room`` names one of ``rooms``; if there are none, it is a label. ``source`` replaces
    the room's camera."""

    class_: Annotated[Name, Field(alias="class")]
    room: Name | None = None
    days: Annotated[tuple[WeekdayName, ...], Field(min_length=1), BeforeValidator(_as_list)]
    starts: Annotated[TimeOfDay, Field(alias="from")]
    ends: Annotated[TimeOfDay, Field(alias="to")]
    source: SourceSpec | None = None

    @model_validator(mode="after")
    def _check_slot(self) -> LessonSettings:
        self.slot(None, "")
        return self

    def slot(self, room: str | None, source: str) -> LessonSlot:
        """The slot of the timetable in a room with a source. Raises ValueError."""
        return LessonSlot(self.class_, room, source, self.days, self.starts, self.ends)


class ScheduleSettings(SettingsSection):
    """``zone``: IANA zone of the lessons' times; None for ``output.time_zone``, else this computer's.
    ``late_start_min``: a late recording starts only if this many minutes of the lesson are left (or a third
    of it, if that is less). Ten, because a report of less time supports few statements (a flag needs one
    readable minute and a fifth of the lesson). Heuristic, not tuned on data."""

    zone: str | None = None
    late_start_min: Annotated[float, Ge(0), Le(240)] = 10.0
    holidays: tuple[HolidayRange, ...] = ()
    lessons: tuple[LessonSettings, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return validate_zone(value)


def require_unique_rooms(rooms: tuple[RoomSettings, ...]) -> None:
    """Raises InvalidSetting for the second of two rooms with the same name."""
    seen: set[str] = set()
    for number, room in enumerate(rooms):
        if room.name in seen:
            raise InvalidSetting(
                f"two rooms are called {room.name!r}",
                "Give each room its own name.",
                ("rooms", number, "name"),
            )
        seen.add(room.name)


def lesson_slots(
    schedule: ScheduleSettings, rooms: tuple[RoomSettings, ...], room: str | None, source: str
) -> tuple[LessonSlot, ...]:
    """The weekly slots with room and source; ``room`` and ``source`` are the defaults of a lesson. Raises
    InvalidSetting for an unknown room and for lessons that overlap."""
    sources = {configured.name: configured.source for configured in rooms}
    slots = tuple(
        lesson.slot(
            lesson.room or room, lesson.source or _room_source(lesson, number, sources, room) or source
        )
        for number, lesson in enumerate(schedule.lessons)
    )
    try:
        check_overlaps(slots)
    except SlotOverlap as error:
        raise InvalidSetting(
            getattr(error, "problem", str(error)),
            getattr(error, "hint", ""),
            ("schedule", "lessons", error.second_index),
        ) from None
    return slots


def _room_source(
    lesson: LessonSettings, number: int, sources: Mapping[str, str], room: str | None
) -> str | None:
    wanted = lesson.room or room
    if lesson.room is not None and sources and lesson.room not in sources:
        raise InvalidSetting(
            f"there is no room {lesson.room!r}",
            f"Use a room of 'rooms': {', '.join(sources)}.",
            ("schedule", "lessons", number, "room"),
        )
    return None if wanted is None else sources.get(wanted)
