"""When lessons are: weekly slots in local time, holidays, and what becomes of them. Pure.

The rules:

- A slot is in the time of the clock on the wall: 08:15 stays 08:15 over the year.
- A time that the clock skips (summer time begins) is the moment at which it is put forward. A lesson that
  lies in the skipped time alone does not take place.
- A time that the clock shows twice (summer time ends) is the first of the two.
- A start that was missed is made good while enough of the lesson is left: ``ScheduledLesson.latest_start``.

So the order of local times is the order of moments, and slots that do not overlap on the wall's clock never
do.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import combinations

LATE_START_PARTS = 3
"""A late start needs ``late_start`` or, of a short lesson, one part in so many: else ten minutes of a lesson
of fifteen would be asked for. Not tuned."""

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Weekday(StrEnum):
    """A day of the week, as settings name it; in the order of ``date.weekday``."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


WEEK = tuple(Weekday)


class SlotOverlap(ValueError):
    """Two slots want the same room or source at the same time. ``second_index`` is the later one's place in the
    list."""

    def __init__(self, message: str, second: int) -> None:
        super().__init__(message)
        self.second_index = second


@dataclass(frozen=True)
class LessonSlot:
    """A weekly lesson: on ``days``, from ``starts`` until before ``ends``, local times without a zone.
    ``source`` is what is watched: a camera's number or an address. Raises ValueError."""

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
            raise ValueError("a lesson's times have no zone of their own; the timetable has one")
        if self.ends <= self.starts:
            raise ValueError(
                f"a lesson from {_hm(self.starts)} to {_hm(self.ends)}; expected an end after its start "
                "(one over midnight is two lessons)"
            )

    def __str__(self) -> str:
        days = ", ".join(day for day in WEEK if day in self.days)
        return f"{self.class_name!r} ({days} {_hm(self.starts)} to {_hm(self.ends)})"


@dataclass(frozen=True)
class Holiday:
    """Days without lessons, both ends included. Raises ValueError."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"holidays from {self.first} to {self.last}; expected the earlier day first")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class ScheduledLesson:
    """One lesson of a slot; the times are aware UTC."""

    class_name: str
    room: str | None
    source: str
    starts_at: datetime
    ends_at: datetime

    def latest_start(self, late_start: timedelta) -> datetime:
        """Until when it may begin: so that ``late_start``, or a third of the lesson if that is less, is
        left."""
        return self.ends_at - min(late_start, (self.ends_at - self.starts_at) / LATE_START_PARTS)

    def may_start(self, now: datetime, late_start: timedelta) -> bool:
        """Whether it may begin at ``now``: it is on, and enough of it is left."""
        return self.starts_at <= now <= self.latest_start(late_start)


@dataclass(frozen=True)
class Timetable:
    """The weekly slots, their zone, and the days without them. Raises ``SlotOverlap``."""

    slots: tuple[LessonSlot, ...]
    zone: tzinfo
    holidays: tuple[Holiday, ...] = ()

    def __post_init__(self) -> None:
        check_overlaps(self.slots)

    def occurrences(self, start: datetime, end: datetime) -> list[ScheduledLesson]:
        """The lessons that begin from ``start`` until before ``end`` (aware), by time."""
        return [lesson for day, lesson in self._all(start, end) if not self.is_holiday(day)]

    def cancelled(self, start: datetime, end: datetime) -> list[ScheduledLesson]:
        """Those that would, but for a holiday."""
        return [lesson for day, lesson in self._all(start, end) if self.is_holiday(day)]

    def lessons_at(self, now: datetime) -> list[ScheduledLesson]:
        """The lessons that are on at ``now`` (aware), one a room at most."""
        return [
            one
            for one in self.occurrences(now - 2 * _DAY, now + _SECOND)
            if one.starts_at <= now < one.ends_at
        ]

    def next_of_slot(
        self, slot: LessonSlot, after: datetime, *, within: timedelta = timedelta(days=800)
    ) -> ScheduledLesson | None:
        """The first lesson of a slot that begins after ``after``; None where there is none ``within`` that
        time: every day of it is a holiday."""
        day, last = _local(after, self.zone).date() - _DAY, _local(after + within, self.zone).date()
        while day <= last:
            lesson = self.lesson_on(slot, day)
            if lesson is not None and lesson.starts_at > after:
                return lesson
            day += _DAY
        return None

    def next_lesson(self, after: datetime) -> ScheduledLesson | None:
        """The first lesson of all that begins after ``after``."""
        following = (self.next_of_slot(slot, after) for slot in self.slots)
        return min((one for one in following if one is not None), key=lambda one: one.starts_at, default=None)

    def latest_of_slot(self, slot: LessonSlot, now: datetime) -> ScheduledLesson | None:
        """The last lesson of a slot that has begun by ``now``, in the week before."""
        day = _local(now, self.zone).date()
        days = (day + n * _DAY for n in range(1, -9, -1))
        begun = (
            one for one in (self.lesson_on(slot, d) for d in days) if one is not None and one.starts_at <= now
        )
        return next(begun, None)

    def lesson_on(self, slot: LessonSlot, day: date) -> ScheduledLesson | None:
        """A slot's lesson of a local day; None on other weekdays, on holidays, and in skipped time."""
        return None if self.is_holiday(day) else self._lesson(slot, day)

    def is_holiday(self, day: date) -> bool:
        """Whether there are no lessons on that local day."""
        return any(day in holiday for holiday in self.holidays)

    def _all(self, start: datetime, end: datetime) -> Iterator[tuple[date, ScheduledLesson]]:
        # A day more at both ends: a moment's local day is not the same in every zone.
        day, last = _local(start, self.zone).date() - _DAY, _local(end, self.zone).date() + _DAY
        found = []
        while day <= last:
            lessons = (self._lesson(slot, day) for slot in self.slots)
            found += [(day, one) for one in lessons if one is not None and start <= one.starts_at < end]
            day += _DAY
        return iter(
            sorted(found, key=lambda pair: (pair[1].starts_at, pair[1].room or "", pair[1].class_name))
        )

    def _lesson(self, slot: LessonSlot, day: date) -> ScheduledLesson | None:
        if WEEK[day.weekday()] not in slot.days:
            return None
        starts_at, ends_at = (local_to_utc(day, at, self.zone) for at in (slot.starts, slot.ends))
        if ends_at <= starts_at:
            return None
        return ScheduledLesson(slot.class_name, slot.room, slot.source, starts_at, ends_at)


def check_overlaps(slots: Sequence[LessonSlot]) -> None:
    """Raises ``SlotOverlap`` for the first two slots that want the same room or source at the same time."""
    for (_, one), (number, other) in combinations(enumerate(slots), 2):
        shared = [day for day in WEEK if day in one.days and day in other.days]
        if not shared or one.ends <= other.starts or other.ends <= one.starts:
            continue
        if one.source == other.source or (one.room is not None and one.room == other.room):
            same_room = one.room is not None and one.room == other.room
            what = f"in room {one.room!r}" if same_room else "with the same camera"
            raise SlotOverlap(
                f"{one} and {other} overlap on {', '.join(shared)} {what}; "
                "change a time, or give one another room",
                number,
            )


def local_to_utc(day: date, at: time, zone: tzinfo) -> datetime:
    """When the clock on the wall shows ``at`` (whole seconds) on ``day``, aware UTC: the first time if it
    does twice, and the moment at which it is put forward if it never does."""
    local = datetime.combine(day, at, zone)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    # Skipped. Fold 0 has the offset before the change and lies after it, fold 1 the other way round (PEP
    # 495).
    before = second.astimezone(zone).utcoffset()
    seconds = range(int((first - second).total_seconds()) + 1)
    later = bisect_left(
        seconds, True, key=lambda n: (second + n * _SECOND).astimezone(zone).utcoffset() != before
    )
    return second + later * _SECOND


def _local(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone)


def _hm(at: time) -> str:
    return f"{at:%H:%M}"
