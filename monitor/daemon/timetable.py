"""The timetable: weekly lesson slots in local time, holidays, and the lessons that follow from them. Pure.

- A slot is in local time: 08:15 stays 08:15 all year.
- A local time that does not exist (start of daylight saving time) is the moment of the change. A lesson that
  lies completely in the skipped hour does not take place.
- A local time that exists twice (end of daylight saving time) is the first of the two.
- A missed start is made up for while enough of the lesson remains: ``ScheduledLesson.latest_start``.

So local times and moments have the same order, and slots that do not overlap in local time never overlap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import combinations

LATE_START_PARTS = 3
"""A late start needs ``late_start`` to remain or, for a short lesson, this fraction (1/3) of it: otherwise
ten minutes of a fifteen-minute lesson would be required. Heuristic."""

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Weekday(StrEnum):
    """A day of the week, as in the settings; in the order of ``date.weekday``."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEK = tuple(Weekday)


class SlotOverlap(ValueError):
    """Two slots use the same room or source at the same time. ``second_index``: index of the later one in the
    list."""

    def __init__(self, message: str, second: int) -> None:
        super().__init__(message)
        self.second_index = second


@dataclass(frozen=True)
class LessonSlot:
    """A weekly lesson on ``days`` from ``starts`` to ``ends`` (exclusive), local times without a time zone.
    ``source``: index of a camera or an address. Raises ValueError."""

    class_name: str
    room: str | None
    source: str
    days: tuple[Weekday, ...]
    starts: time
    ends: time

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError("a lesson without a day; expected one or more of " + ", ".join(WEEK))
        if self.starts.tzinfo or self.ends.tzinfo:
            raise ValueError("the times of a lesson must have no time zone; the timetable has one")
        if self.ends <= self.starts:
            raise ValueError(
                f"a lesson from {_hm(self.starts)} to {_hm(self.ends)}; expected an end after its start "
                "(enter a lesson over midnight as two)"
            )

    def __str__(self) -> str:
        days = ", ".join(day for day in WEEK if day in self.days)
        return f"{self.class_name!r} ({days} {_hm(self.starts)} to {_hm(self.ends)})"


@dataclass(frozen=True)
class Holiday:
    """Days without lessons, from ``first`` to ``last`` (inclusive). Raises ValueError."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"holidays from {self.first} to {self.last}; expected the earlier day first")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class ScheduledLesson:
    """One lesson of a slot; times are aware UTC."""

    class_name: str
    room: str | None
    source: str
    starts_at: datetime
    ends_at: datetime

    def latest_start(self, late_start: timedelta) -> datetime:
        """The latest start: ``late_start``, or a third of the lesson if that is less, must remain."""
        return self.ends_at - min(late_start, (self.ends_at - self.starts_at) / LATE_START_PARTS)

    def may_start(self, now: datetime, late_start: timedelta) -> bool:
        """Whether it may start at ``now``: it has begun, and enough of it remains."""
        return self.starts_at <= now <= self.latest_start(late_start)


@dataclass(frozen=True)
class Timetable:
    """Weekly slots, their time zone and the holidays. Raises SlotOverlap."""

    slots: tuple[LessonSlot, ...]
    zone: tzinfo
    holidays: tuple[Holiday, ...] = ()

    def __post_init__(self) -> None:
        check_overlaps(self.slots)

    def occurrences(self, start: datetime, end: datetime) -> list[ScheduledLesson]:
        """The lessons that start from ``start`` to ``end`` (exclusive, aware), by time."""
        return [lesson for day, lesson in self._all(start, end) if not self.is_holiday(day)]

    def cancelled(self, start: datetime, end: datetime) -> list[ScheduledLesson]:
        """The lessons that fall on a holiday, as :meth:`occurrences`."""
        return [lesson for day, lesson in self._all(start, end) if self.is_holiday(day)]

    def lessons_at(self, now: datetime) -> list[ScheduledLesson]:
        """The lessons that take place at ``now`` (aware), at most one per room."""
        lessons = self.occurrences(now - 2 * _DAY, now + _SECOND)
        return [lesson for lesson in lessons if lesson.starts_at <= now < lesson.ends_at]

    def next_of_slot(
        self, slot: LessonSlot, after: datetime, *, within: timedelta = timedelta(days=800)
    ) -> ScheduledLesson | None:
        """The first lesson of a slot that starts after ``after``; None if every day ``within`` that time is a
        holiday."""
        day, last = _local(after, self.zone).date() - _DAY, _local(after + within, self.zone).date()
        while day <= last:
            lesson = self.lesson_on(slot, day)
            if lesson is not None and lesson.starts_at > after:
                return lesson
            day += _DAY
        return None

    def next_lesson(self, after: datetime) -> ScheduledLesson | None:
        """The first lesson of all slots that starts after ``after``."""
        lessons = (self.next_of_slot(slot, after) for slot in self.slots)
        return min(
            (lesson for lesson in lessons if lesson is not None), key=lambda it: it.starts_at, default=None
        )

    def latest_of_slot(self, slot: LessonSlot, now: datetime) -> ScheduledLesson | None:
        """The last lesson of a slot that has started by ``now``, within the week before."""
        day = _local(now, self.zone).date()
        lessons = (self.lesson_on(slot, day + n * _DAY) for n in range(1, -9, -1))
        started = (lesson for lesson in lessons if lesson is not None and lesson.starts_at <= now)
        return next(started, None)

    def lesson_on(self, slot: LessonSlot, day: date) -> ScheduledLesson | None:
        """The lesson of a slot on a local day; None on other weekdays, on holidays and in a skipped hour."""
        return None if self.is_holiday(day) else self._lesson(slot, day)

    def is_holiday(self, day: date) -> bool:
        """Whether a local day is a holiday."""
        return any(day in holiday for holiday in self.holidays)

    def _all(self, start: datetime, end: datetime) -> Iterator[tuple[date, ScheduledLesson]]:
        # One more day at both ends: the local day of a moment depends on the time zone.
        day, last = _local(start, self.zone).date() - _DAY, _local(end, self.zone).date() + _DAY
        dated_lessons = []
        while day <= last:
            lessons = (self._lesson(slot, day) for slot in self.slots)
            dated_lessons += [
                (day, lesson) for lesson in lessons if lesson is not None and start <= lesson.starts_at < end
            ]
            day += _DAY
        return iter(
            sorted(
                dated_lessons, key=lambda pair: (pair[1].starts_at, pair[1].room or "", pair[1].class_name)
            )
        )

    def _lesson(self, slot: LessonSlot, day: date) -> ScheduledLesson | None:
        if WEEK[day.weekday()] not in slot.days:
            return None
        starts_at, ends_at = (local_to_utc(day, at, self.zone) for at in (slot.starts, slot.ends))
        if ends_at <= starts_at:
            return None
        return ScheduledLesson(slot.class_name, slot.room, slot.source, starts_at, ends_at)


def check_overlaps(slots: Sequence[LessonSlot]) -> None:
    """Raises SlotOverlap for the first two slots that use the same room or source at the same time."""
    for (_, first), (index, second) in combinations(enumerate(slots), 2):
        days = [day for day in WEEK if day in first.days and day in second.days]
        if not days or first.ends <= second.starts or second.ends <= first.starts:
            continue
        same_room = first.room is not None and first.room == second.room
        if same_room or first.source == second.source:
            what = f"in room {first.room!r}" if same_room else "with the same camera"
            raise SlotOverlap(
                f"{first} and {second} overlap on {', '.join(days)} {what}; change a time or a room", index
            )


def local_to_utc(day: date, at: time, zone: tzinfo) -> datetime:
    """The moment of the local time ``at`` (whole seconds) on ``day``, aware UTC: the first one if it exists
    twice, the moment of the change if it does not exist."""
    local = datetime.combine(day, at, zone)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    # It does not exist: fold 0 has the offset before the change and lies after it, fold 1 vice versa (PEP
    # 495).
    offset_before = second.astimezone(zone).utcoffset()
    seconds = range(int((first - second).total_seconds()) + 1)
    change = bisect_left(
        seconds, True, key=lambda n: (second + n * _SECOND).astimezone(zone).utcoffset() != offset_before
    )
    return second + change * _SECOND


def _local(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone)


def _hm(at: time) -> str:
    return f"{at:%H:%M}"
