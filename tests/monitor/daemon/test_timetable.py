"""The timetable: lessons, holidays, clock changes and validation."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.daemon.timetable import (
    WEEK,
    Holiday,
    LessonSlot,
    ScheduledLesson,
    SlotOverlap,
    Timetable,
    Weekday,
    check_overlaps,
    local_to_utc,
)

ZURICH, NEW_YORK = ZoneInfo("Europe/Zurich"), ZoneInfo("America/New_York")
LORD_HOWE, APIA = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia")
DAY = timedelta(days=1)


def slot(
    starts: str,
    ends: str,
    days: str = "mon tue wed thu fri sat sun",
    room: str | None = "A",
    source: str = "0",
    class_name: str = "7b",
) -> LessonSlot:
    return LessonSlot(
        class_name,
        room,
        source,
        tuple(map(Weekday, days.split())),
        time.fromisoformat(starts),
        time.fromisoformat(ends),
    )


def local(lesson: ScheduledLesson, zone: ZoneInfo) -> tuple[str, str]:
    return tuple(f"{at.astimezone(zone):%a %d %H:%M}" for at in (lesson.starts_at, lesson.ends_at))  # type: ignore[return-value]


def week_of(table: Timetable, year: int, month: int, day: int) -> list[ScheduledLesson]:
    start = datetime(year, month, day, tzinfo=table.zone)
    return table.occurrences(start, start + timedelta(days=7))


class TestWeek:
    def test_occurrences_are_in_utc_by_time(self) -> None:
        table = Timetable(
            (slot("10:00", "11:30", "fri", "B", "1"), slot("08:15", "09:00", "mon wed")), ZURICH
        )
        lessons = week_of(table, 2026, 11, 23)
        assert [local(lesson, ZURICH) for lesson in lessons] == [
            ("Mon 23 08:15", "Mon 23 09:00"),
            ("Wed 25 08:15", "Wed 25 09:00"),
            ("Fri 27 10:00", "Fri 27 11:30"),
        ]
        assert lessons[0].starts_at == datetime(2026, 11, 23, 7, 15, tzinfo=UTC)
        assert {lesson.starts_at.tzinfo for lesson in lessons} == {UTC}

    def test_occurrences_exclude_the_end(self) -> None:
        table = Timetable((slot("08:15", "09:00", "mon"),), ZURICH)
        begins = datetime(2026, 11, 23, 7, 15, tzinfo=UTC)
        assert table.occurrences(begins, begins + timedelta(seconds=1))
        assert not table.occurrences(begins - DAY, begins)

    def test_local_day_differs_from_utc_day(self) -> None:
        table = Timetable((slot("00:30", "01:00", "mon"),), ZoneInfo("Pacific/Kiritimati"))
        (lesson,) = week_of(table, 2026, 11, 23)
        assert lesson.starts_at == datetime(2026, 11, 22, 10, 30, tzinfo=UTC)

    def test_holidays_cancel_lessons(self) -> None:
        holidays = (
            Holiday(date(2026, 12, 25), date(2026, 12, 25)),
            Holiday(date(2026, 12, 28), date(2027, 1, 1)),
        )
        table = Timetable((slot("08:15", "09:00", "mon fri"),), ZURICH, holidays)
        start = datetime(2026, 12, 21, tzinfo=ZURICH)
        end = start + timedelta(days=15)
        assert [local(lesson, ZURICH)[0] for lesson in table.occurrences(start, end)] == [
            "Mon 21 08:15",
            "Mon 04 08:15",
        ]
        assert [local(lesson, ZURICH)[0] for lesson in table.cancelled(start, end)] == [
            "Fri 25 08:15",
            "Mon 28 08:15",
            "Fri 01 08:15",
        ]

    def test_next_and_latest_lesson_of_a_slot(self) -> None:
        lesson_slot = slot("08:15", "09:00", "mon wed")
        table = Timetable((lesson_slot,), ZURICH, (Holiday(date(2026, 11, 25), date(2026, 11, 25)),))
        at = datetime(2026, 11, 23, 7, 15, tzinfo=UTC)
        following = table.next_of_slot(lesson_slot, at)
        assert following is not None
        assert local(following, ZURICH)[0] == "Mon 30 08:15"
        assert table.latest_of_slot(lesson_slot, at).starts_at == at
        assert table.latest_of_slot(lesson_slot, at - timedelta(seconds=1)).starts_at == at - 5 * DAY

    def test_slot_within_holidays_has_no_next_lesson(self) -> None:
        lesson_slot = slot("08:15", "09:00")
        table = Timetable((lesson_slot,), ZURICH, (Holiday(date(2020, 1, 1), date(2040, 1, 1)),))
        assert table.next_of_slot(lesson_slot, datetime(2026, 1, 1, tzinfo=UTC)) is None


class TestCurrentLessons:
    LESSON = ScheduledLesson(
        "7b", "A", "0", datetime(2026, 11, 23, 7, 15, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    )
    TABLE = Timetable((slot("08:15", "09:00", "mon"), slot("08:15", "08:30", "mon", "B", "1")), ZURICH)

    @pytest.mark.parametrize(
        ("minute", "rooms"), [(-1, ""), (0, "AB"), (14, "AB"), (15, "A"), (44, "A"), (45, "")]
    )
    def test_lessons_at_a_minute(self, minute: int, rooms: str) -> None:
        lessons = self.TABLE.lessons_at(self.LESSON.starts_at + timedelta(minutes=minute))
        assert "".join(str(lesson.room) for lesson in lessons) == rooms

    @pytest.mark.parametrize(
        ("late_min", "minute", "may"),
        [
            (10, -1, False), (10, 0, True), (10, 35, True), (10, 35.1, False), (10, 45, False),
            # A third of 45 minutes is less than half an hour.
            (30, 30, True), (30, 30.1, False),
            (0, 44, True), (0, 45, True), (0, 45.1, False),
        ],
    )  # fmt: skip
    def test_may_start_late(self, late_min: float, minute: float, may: bool) -> None:
        now = self.LESSON.starts_at + timedelta(minutes=minute)
        assert self.LESSON.may_start(now, timedelta(minutes=late_min)) is may


class TestClockChanges:
    """2027: Zurich on 28 March 02:00 and 31 October 03:00; New York on 14 March 02:00 and 7 November 02:00;
    Lord Howe by half an hour on 4 April 02:00 and 3 October 02:00. Samoa had no 30 December 2011."""

    @pytest.mark.parametrize(
        ("zone", "day", "at", "utc"),
        [
            # does not exist: the moment of the change
            (ZURICH, date(2027, 3, 28), "01:59", "00:59"), (ZURICH, date(2027, 3, 28), "02:00", "01:00"),
            (ZURICH, date(2027, 3, 28), "02:30", "01:00"), (ZURICH, date(2027, 3, 28), "02:59", "01:00"),
            (ZURICH, date(2027, 3, 28), "03:00", "01:00"), (ZURICH, date(2027, 3, 28), "03:01", "01:01"),
            (NEW_YORK, date(2027, 3, 14), "01:59", "06:59"), (NEW_YORK, date(2027, 3, 14), "02:30", "07:00"),
            (NEW_YORK, date(2027, 3, 14), "03:00", "07:00"),
            (LORD_HOWE, date(2027, 10, 3), "02:10", "15:30"),
            (LORD_HOWE, date(2027, 10, 3), "02:30", "15:30"),
            (LORD_HOWE, date(2027, 10, 3), "02:40", "15:40"),
            # exists twice: the first
            (ZURICH, date(2027, 10, 31), "01:59", "23:59"), (ZURICH, date(2027, 10, 31), "02:00", "00:00"),
            (ZURICH, date(2027, 10, 31), "02:30", "00:30"), (ZURICH, date(2027, 10, 31), "03:00", "02:00"),
            (NEW_YORK, date(2027, 11, 7), "01:30", "05:30"), (NEW_YORK, date(2027, 11, 7), "02:00", "07:00"),
            (LORD_HOWE, date(2027, 4, 4), "01:30", "14:30"), (LORD_HOWE, date(2027, 4, 4), "01:59", "14:59"),
            (LORD_HOWE, date(2027, 4, 4), "02:00", "15:30"),
        ],
    )  # fmt: skip
    def test_local_to_utc(self, zone: ZoneInfo, day: date, at: str, utc: str) -> None:
        assert f"{local_to_utc(day, time.fromisoformat(at), zone):%H:%M}" == utc

    @pytest.mark.parametrize(
        ("day", "starts", "ends", "minutes"),
        [
            (date(2027, 3, 28), "01:30", "02:30", 30),
            (date(2027, 3, 28), "02:30", "03:30", 30),
            (date(2027, 3, 28), "02:10", "02:50", None),
            (date(2027, 3, 28), "01:30", "03:30", 60),
            (date(2027, 10, 31), "01:30", "02:30", 60),
            (date(2027, 10, 31), "02:10", "02:50", 40),
            (date(2027, 10, 31), "02:30", "03:30", 120),
        ],
    )
    def test_lesson_in_the_night_of_a_change(
        self, day: date, starts: str, ends: str, minutes: int | None
    ) -> None:
        lesson_slot = slot(starts, ends)
        lesson = Timetable((lesson_slot,), ZURICH).lesson_on(lesson_slot, day)
        length = None if lesson is None else lesson.ends_at - lesson.starts_at
        assert length == (None if minutes is None else timedelta(minutes=minutes))

    def test_missing_day_has_no_lesson(self) -> None:
        lesson_slot = slot("08:15", "09:00")
        table = Timetable((lesson_slot,), APIA)
        lessons = table.occurrences(datetime(2011, 12, 29, tzinfo=APIA), datetime(2012, 1, 2, tzinfo=APIA))
        assert [local(lesson, APIA)[0] for lesson in lessons] == [
            "Thu 29 08:15",
            "Sat 31 08:15",
            "Sun 01 08:15",
        ]

    @pytest.mark.parametrize("zone", [ZURICH, NEW_YORK, LORD_HOWE])
    def test_lessons_keep_their_local_time_all_year(self, zone: ZoneInfo) -> None:
        table = Timetable((slot("08:15", "09:00"),), zone)
        lessons = table.occurrences(datetime(2027, 1, 1, tzinfo=zone), datetime(2028, 1, 1, tzinfo=zone))
        assert len(lessons) == 365
        assert {f"{lesson.starts_at.astimezone(zone):%H:%M}" for lesson in lessons} == {"08:15"}
        assert {lesson.ends_at - lesson.starts_at for lesson in lessons} == {timedelta(minutes=45)}
        assert len({lesson.starts_at.time() for lesson in lessons}) == 2, "the year has two offsets"


ZONES = st.sampled_from([ZURICH, NEW_YORK, LORD_HOWE, APIA, ZoneInfo("Africa/Casablanca"), ZoneInfo("UTC")])
TIMES = st.times(max_value=time(23, 58)).map(lambda at: at.replace(second=0, microsecond=0))
DAYS = st.sets(st.sampled_from(WEEK), min_size=1).map(lambda days: tuple(sorted(days)))
DATES = st.dates(date(2024, 1, 1), date(2028, 1, 1))


@st.composite
def slots(draw: st.DrawFn, room: str = "A") -> LessonSlot:
    starts, ends = sorted(draw(st.lists(TIMES, min_size=2, max_size=2, unique=True)))
    return LessonSlot("7b", room, room, draw(DAYS), starts, ends)


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    kept: list[LessonSlot] = []
    for drawn in draw(st.lists(slots(), min_size=1, max_size=6)):
        try:
            check_overlaps([*kept, drawn])
        except SlotOverlap:
            continue
        kept.append(drawn)
    first = draw(DATES)
    holidays = draw(st.lists(st.integers(0, 60), max_size=3))
    spans = tuple(Holiday(first + n * DAY, first + (n + 3) * DAY) for n in holidays)
    return Timetable(tuple(kept), draw(ZONES), spans)


@given(timetables(), DATES)
def test_occurrences_are_ordered_and_consistent(table: Timetable, first: date) -> None:
    start = datetime.combine(first, time(), UTC)
    lessons = table.occurrences(start, start + timedelta(days=40))
    zone = table.zone
    assert lessons == sorted(lessons, key=lambda lesson: lesson.starts_at)
    assert all(a.ends_at <= b.starts_at for a, b in pairwise(lessons)), "two lessons overlap"
    assert len({(lesson.starts_at, lesson.room) for lesson in lessons}) == len(lessons)
    for lesson in lessons:
        shown = lesson.starts_at.astimezone(zone)
        assert not any(shown.date() in holiday for holiday in table.holidays)
        assert lesson.ends_at > lesson.starts_at
        matching = [s for s in table.slots if WEEK[shown.weekday()] in s.days and s.starts == shown.time()]
        # Otherwise its local time does not exist, and it starts at the change.
        before = (lesson.starts_at - timedelta(seconds=1)).astimezone(zone).utcoffset()
        assert matching or shown.utcoffset() > before  # type: ignore[operator]
        assert lesson in table.lessons_at(lesson.starts_at)
        assert lesson not in table.lessons_at(lesson.ends_at)


@given(timetables(), DATES, st.integers(1, 39))
def test_occurrences_of_adjacent_intervals_add_up(table: Timetable, first: date, cut: int) -> None:
    start = datetime.combine(first, time(5, 30), UTC)
    middle, end = start + cut * DAY, start + 40 * DAY
    parts = table.occurrences(start, middle) + table.occurrences(middle, end)
    assert parts == table.occurrences(start, end)


@given(timetables(), DATES)
def test_next_of_slot_visits_all_occurrences(table: Timetable, first: date) -> None:
    start = datetime.combine(first, time(), UTC)
    end = start + 40 * DAY
    for lesson_slot in table.slots:
        alone = Timetable((lesson_slot,), table.zone, table.holidays)
        walked, at = [], start - timedelta(microseconds=1)
        while (lesson := alone.next_of_slot(lesson_slot, at)) is not None and lesson.starts_at < end:
            walked.append(lesson)
            assert alone.latest_of_slot(lesson_slot, lesson.starts_at) == lesson
            at = lesson.starts_at
        assert walked == alone.occurrences(start, end)


@given(ZONES, DATES, TIMES, TIMES)
def test_local_order_is_the_order_of_moments(zone: ZoneInfo, day: date, first: time, second: time) -> None:
    early, late = sorted((first, second))
    assert local_to_utc(day, early, zone) <= local_to_utc(day, late, zone)
    shown = local_to_utc(day, early, zone).astimezone(zone)
    assert shown.replace(tzinfo=None) >= datetime.combine(day, early)


class TestValidation:
    @pytest.mark.parametrize(
        ("first", "second", "what"),
        [
            (slot("08:00", "09:00", "mon wed"), slot("08:59", "10:00", "wed"), "on wed in room 'A'"),
            (slot("08:00", "09:00", "mon", "A", "0"), slot("08:30", "08:40", "mon", "A", "1"), "in room 'A'"),
            (
                slot("08:00", "09:00", "mon", "A", "0"),
                slot("08:30", "08:40", "mon", "B", "0"),
                "the same camera",
            ),
            (
                slot("08:00", "09:00", "mon", None, "0"),
                slot("08:00", "09:00", "mon", None, "0"),
                "the same camera",
            ),
        ],
    )
    def test_overlapping_slots_are_rejected(self, first: LessonSlot, second: LessonSlot, what: str) -> None:
        with pytest.raises(SlotOverlap, match=what) as raised:
            Timetable((first, second), ZURICH)
        assert str(first) in str(raised.value)
        assert str(second) in str(raised.value)
        assert raised.value.second_index == 1

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (slot("08:00", "09:00", "mon"), slot("09:00", "10:00", "mon")),
            (slot("08:00", "09:00", "mon"), slot("08:00", "09:00", "tue")),
            (slot("08:00", "09:00", "mon", "A", "0"), slot("08:00", "09:00", "mon", "B", "1")),
            (slot("08:00", "09:00", "mon", None, "0"), slot("08:00", "09:00", "mon", None, "1")),
        ],
    )
    def test_adjacent_slots_are_accepted(self, first: LessonSlot, second: LessonSlot) -> None:
        Timetable((first, second), ZURICH)

    def test_lesson_over_midnight_is_rejected(self) -> None:
        with pytest.raises(ValueError, match="over midnight as two"):
            slot("23:00", "01:00")

    def test_lesson_without_a_day_is_rejected(self) -> None:
        with pytest.raises(ValueError, match="without a day"):
            LessonSlot("7b", None, "0", (), time(8), time(9))

    def test_reversed_holidays_are_rejected(self) -> None:
        with pytest.raises(ValueError, match="the earlier day first"):
            Holiday(date(2026, 1, 2), date(2026, 1, 1))
