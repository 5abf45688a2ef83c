"""The ``schedule:`` and ``rooms:`` of ``config.yaml``, and the slots they come to.

A lesson is watched with its own ``source``, else that of its room, else ``capture.source``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from annotated_types import Ge, Le
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    field_validator,
    model_validator,
)

from monitor.daemon.timetable import WEEK, Holiday, LessonSlot, SlotOverlap, Weekday, check_overlaps
from monitor.settings import source_as_text

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


class SettingError(ValueError):
    """A setting that is wrong beside others; ``location`` is its place below the section that found it."""

    def __init__(self, message: str, location: tuple[str | int, ...]) -> None:
        super().__init__(message)
        self.location = location


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def validate_zone(value: str | None) -> str | None:
    """The name of a time zone that this computer knows. Raises ValueError."""
    if value is None:
        return None
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is no time zone; expected an IANA name such as Europe/Zurich") from None
    return value


def _parse_time(value: object) -> object:
    if isinstance(value, time):
        return value
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        # YAML 1.1, which a file may ask for, reads 08:15 as the number 495.
        raise ValueError(
            f'{value!r} is no time of the day; expected hours and minutes in quotes, such as "08:15"'
        )
    return time(int(found[1]), int(found[2]))


def _parse_weekday(value: object) -> object:
    found = _DAYS.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no day of the week; expected one of {', '.join(WEEK)}")
    return found


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _parse_holiday(value: object) -> object:
    if isinstance(value, Holiday):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return Holiday(value, value)
    found = _RANGE.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError
        first, last = (date.fromisoformat(day) for day in (found[1], found[2] or found[1]))
    except ValueError:
        raise ValueError(
            f"'{value}' is no day; expected one such as 2026-12-25, or a range such as 2026-12-21..2027-01-03"
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
"""``2026-12-25``, or ``2026-12-21..2027-01-03`` with both ends."""

RoomName = Annotated[str, Field(min_length=1, max_length=100)]
SourceSpec = Annotated[str, Field(min_length=1), BeforeValidator(source_as_text)]


class RoomSettings(_Section):
    """A room and what watches it: a camera's index, an RTSP or HTTP address, or a path."""

    name: RoomName
    source: SourceSpec


class LessonSettings(_Section):
    """A weekly lesson. ``room`` names one of ``rooms``; without any, it is what records say. ``source``:
    another camera than the room's."""

    class_: Annotated[str, Field(alias="class", min_length=1, max_length=100)]
    room: RoomName | None = None
    days: Annotated[tuple[WeekdayName, ...], Field(min_length=1), BeforeValidator(_as_list)]
    starts: Annotated[TimeOfDay, Field(alias="from")]
    ends: Annotated[TimeOfDay, Field(alias="to")]
    source: SourceSpec | None = None

    @model_validator(mode="after")
    def _check_slot(self) -> LessonSettings:
        self.slot(None, "")
        return self

    def slot(self, room: str | None, source: str) -> LessonSlot:
        """As the timetable has it, in that room and with that source."""
        return LessonSlot(self.class_, room, source, self.days, self.starts, self.ends)


class ScheduleSettings(_Section):
    """``zone``: an IANA name, in which the lessons' times are; None is ``output.time_zone``, else this
    computer's. ``late_start_min``: minutes that must be left of a lesson (or a third of it, if that is less)
    for it to be begun late; ten, because a report of less tells little of anybody (flags need one readable
    minute and a fifth of the lesson). Not tuned."""

    zone: str | None = None
    late_start_min: Annotated[float, Ge(0), Le(240)] = 10.0
    holidays: tuple[HolidayRange, ...] = ()
    lessons: tuple[LessonSettings, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        return validate_zone(value)


def require_unique_rooms(rooms: tuple[RoomSettings, ...]) -> None:
    """Raises SettingError for a second room of the same name."""
    seen: set[str] = set()
    for number, room in enumerate(rooms):
        if room.name in seen:
            message = f"there are two rooms {room.name!r}; expected a name of its own for each"
            raise SettingError(message, ("rooms", number, "name"))
        seen.add(room.name)


def lesson_slots(
    schedule: ScheduleSettings, rooms: tuple[RoomSettings, ...], room: str | None, source: str
) -> tuple[LessonSlot, ...]:
    """The weekly slots, each with its room and source; ``room`` and ``source`` are those of a lesson that
    says none. Raises SettingError for a room that there is not, and for lessons that overlap."""
    sources = {one.name: one.source for one in rooms}
    slots = tuple(
        lesson.slot(
            lesson.room or room, lesson.source or _room_source(lesson, number, sources, room) or source
        )
        for number, lesson in enumerate(schedule.lessons)
    )
    try:
        check_overlaps(slots)
    except SlotOverlap as error:
        raise SettingError(str(error), ("schedule", "lessons", error.second_index)) from None
    return slots


def _room_source(
    lesson: LessonSettings, number: int, sources: Mapping[str, str], room: str | None
) -> str | None:
    wanted = lesson.room or room
    if lesson.room is not None and sources and lesson.room not in sources:
        message = f"there is no room {lesson.room!r}; expected one of 'rooms': {', '.join(sources)}"
        raise SettingError(message, ("schedule", "lessons", number, "room"))
    return None if wanted is None else sources.get(wanted)


def dump_section(value: Any) -> Any:
    """A section as ``config.yaml`` has it: JSON-ready, without what was left to the default."""
    return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
