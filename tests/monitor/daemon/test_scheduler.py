"""The scheduler with the real clock: lessons are seconds or minutes away, and tests wait for the calls. In
the time zone of the tests it is about noon, so that none runs over midnight."""

from __future__ import annotations

import queue
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from classpulse.config.daemon import build_timetable
from classpulse.config.settings import read_config
from monitor.daemon.scheduler import (
    NIGHTLY_KEY,
    SCHEDULE_FILE,
    Hooks,
    LessonScheduler,
    load_starts,
    save_starts,
)
from monitor.daemon.timetable import WEEK, Holiday, LessonSlot, ScheduledLesson, Timetable
from monitor.errors import RunError

NOW = datetime.now(UTC).replace(microsecond=0)
ZONE = timezone(timedelta(hours=12 - NOW.hour))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATE = 10 * MINUTE
WAIT_S = 60


def slot(
    starts_in: timedelta, ends_in: timedelta, room: str = "A101", source: str = "rtsp://me:secret@c"
) -> LessonSlot:
    """A daily lesson that starts and ends after these times from now."""
    now = datetime.now(UTC).replace(microsecond=0)
    starts, ends = ((now + at).astimezone(ZONE).time() for at in (starts_in, ends_in))
    return LessonSlot("Math 7B", room, source, WEEK, starts, ends)


def daily(minutes_before: float, minutes_after: float, room: str = "A101") -> LessonSlot:
    return slot(-minutes_before * MINUTE, minutes_after * MINUTE, room)


class Calls:
    """The calls of the scheduler, in order."""

    def __init__(self, is_finished: bool = False) -> None:
        self.calls: queue.Queue[tuple[str, ScheduledLesson | None]] = queue.Queue()
        self.hooks = Hooks(
            begin=lambda lesson: self.calls.put(("begin", lesson)),
            end=lambda lesson: self.calls.put(("end", lesson)),
            missed=lambda lesson: self.calls.put(("missed", lesson)),
            nightly=lambda: self.calls.put(("nightly", None)),
            is_finished=lambda _lesson: is_finished,
        )

    def next(self) -> tuple[str, ScheduledLesson | None]:
        return self.calls.get(timeout=WAIT_S)

    def rest(self) -> list[str]:
        names = []
        while not self.calls.empty():
            names.append(self.calls.get_nowait()[0])
        return names


Runner = Callable[..., "contextmanager[LessonScheduler]"]


@contextmanager
def running(
    folder: Path,
    calls: Calls,
    *slots: LessonSlot,
    holidays: tuple[Holiday, ...] = (),
    night_hour: int | None = None,
    late_start: timedelta = LATE,
) -> Iterator[LessonScheduler]:
    table = Timetable(slots, ZONE, holidays)
    hour = (NOW.astimezone(ZONE).hour + 6) % 24 if night_hour is None else night_hour
    scheduler = LessonScheduler(table, folder, calls.hooks, late_start=late_start, night_hour=hour)
    with scheduler:
        yield scheduler


def settle(calls: Calls, scheduler: LessonScheduler) -> list[str]:
    """All calls that were due."""
    scheduler.run_due()
    scheduler.run_night()
    return calls.rest()


def starts(folder: Path) -> dict[str, datetime]:
    """The stored next starts."""
    return load_starts(folder / SCHEDULE_FILE)


def set_back(folder: Path, key: str, to: datetime) -> None:
    """Set a stored start to the past, as after a time in which the computer was off."""
    save_starts(folder / SCHEDULE_FILE, starts(folder) | {key: to})


def lesson_key(folder: Path) -> str:
    (key,) = starts(folder).keys() - {NIGHTLY_KEY}
    return key


def start_of(slot: LessonSlot, days_ago: int = 0) -> datetime:
    day = datetime.now(UTC).astimezone(ZONE).date() - timedelta(days=days_ago)
    return datetime.combine(day, slot.starts, ZONE).astimezone(UTC)


class TestALesson:
    def test_begin_and_end_are_called_on_time(self, tmp_path: Path) -> None:
        calls = Calls()
        lesson_slot = slot(timedelta(seconds=2), timedelta(seconds=6))
        # A busy computer starts it late, which must not count as missed.
        with running(tmp_path, calls, lesson_slot, late_start=timedelta(0)):
            (first, lesson), (second, ended_lesson) = calls.next(), calls.next()
        assert (first, second) == ("begin", "end")
        assert lesson == ended_lesson
        assert lesson is not None
        assert lesson.starts_at == start_of(lesson_slot)
        assert (lesson.class_name, lesson.room, lesson.source) == ("Math 7B", "A101", "rtsp://me:secret@c")
        assert calls.rest() == []

    def test_current_lesson_is_started_at_the_start_once(self, tmp_path: Path) -> None:
        calls = Calls()
        lesson_slot = daily(20, 40)
        with running(tmp_path, calls, lesson_slot) as scheduler:
            assert settle(calls, scheduler) == ["begin"]
            assert scheduler.next_lesson().starts_at == start_of(lesson_slot, -1)
        # A restart during the lesson continues it.
        with running(tmp_path, calls, lesson_slot) as scheduler:
            assert settle(calls, scheduler) == ["begin"]

    def test_lesson_ended_by_a_user_is_not_started_again(self, tmp_path: Path) -> None:
        calls = Calls(is_finished=True)
        with running(tmp_path, calls, daily(20, 40)) as scheduler:
            assert settle(calls, scheduler) == []

    def test_started_lesson_near_its_end_is_not_missed(self, tmp_path: Path) -> None:
        calls = Calls()
        with running(tmp_path, calls, daily(50, 5)) as scheduler:
            assert settle(calls, scheduler) == []

    def test_lessons_in_several_rooms_start_together(self, tmp_path: Path) -> None:
        calls = Calls()
        slots = [slot(-5 * MINUTE, 40 * MINUTE, room, room) for room in "ABC"]
        with running(tmp_path, calls, *slots):
            assert {calls.next()[1].room for _ in slots} == {"A", "B", "C"}

    def test_exception_in_a_hook_is_logged(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        calls = Calls()

        def begin(lesson: ScheduledLesson) -> None:
            calls.calls.put(("begin", lesson))
            raise OSError("no process could be started")

        hooks = Hooks(begin, calls.hooks.end, calls.hooks.missed, calls.hooks.nightly)
        table = Timetable(
            (slot(-5 * MINUTE, 40 * MINUTE, "A", "1"), slot(-4 * MINUTE, 40 * MINUTE, "B", "2")), ZONE
        )
        with LessonScheduler(table, tmp_path, hooks, late_start=LATE) as scheduler:
            assert settle(calls, scheduler) == ["begin", "begin"]
        assert "no process could be started" in caplog.text

    def test_stop_waits_for_a_running_hook_and_calls_no_other(self, tmp_path: Path) -> None:
        calls = Calls()
        is_running, may_return = threading.Event(), threading.Event()

        def begin(lesson: ScheduledLesson) -> None:
            is_running.set()
            assert may_return.wait(WAIT_S)
            calls.calls.put(("begin", lesson))

        table = Timetable((slot(-5 * MINUTE, 40 * MINUTE),), ZONE)
        scheduler = LessonScheduler(table, tmp_path, replace(calls.hooks, begin=begin), late_start=LATE)
        scheduler.start()
        assert is_running.wait(WAIT_S)
        end = threading.Thread(target=scheduler.stop, daemon=True)
        end.start()
        end.join(0.2)
        assert end.is_alive()
        may_return.set()
        end.join(WAIT_S)
        assert not end.is_alive()
        assert calls.rest() == ["begin"]
        scheduler.run_due()
        scheduler.run_night()
        assert calls.rest() == []


class TestComputerWasOff:
    def test_missed_lessons_are_reported_and_the_current_one_starts_late(self, tmp_path: Path) -> None:
        calls = Calls()
        lesson_slot = daily(20, 40)
        with running(tmp_path, calls, lesson_slot) as scheduler:
            settle(calls, scheduler)
        set_back(tmp_path, lesson_key(tmp_path), start_of(lesson_slot, days_ago=3))
        with running(tmp_path, calls, lesson_slot):
            made = [calls.next() for _ in range(4)]
        assert sorted((name, lesson.starts_at) for name, lesson in made) == [
            ("begin", start_of(lesson_slot)),
            *[("missed", start_of(lesson_slot, days_ago=n)) for n in (3, 2, 1)],
        ]
        assert calls.rest() == []

    def test_lesson_near_its_end_is_missed(self, tmp_path: Path) -> None:
        calls = Calls()
        lesson_slot = daily(50, 5)
        with running(tmp_path, calls, lesson_slot) as scheduler:
            settle(calls, scheduler)
        set_back(tmp_path, lesson_key(tmp_path), start_of(lesson_slot))
        with running(tmp_path, calls, lesson_slot):
            name, lesson = calls.next()
        assert (name, lesson.starts_at) == ("missed", start_of(lesson_slot))
        assert calls.rest() == []

    def test_lesson_on_a_new_holiday_is_not_missed(self, tmp_path: Path) -> None:
        calls = Calls()
        lesson_slot = daily(20, 40)
        today = datetime.now(UTC).astimezone(ZONE).date()
        with running(tmp_path, calls, lesson_slot) as scheduler:
            settle(calls, scheduler)
        set_back(tmp_path, lesson_key(tmp_path), start_of(lesson_slot))
        with running(tmp_path, calls, lesson_slot, holidays=(Holiday(today, today),)) as scheduler:
            assert settle(calls, scheduler) == []
            assert starts(tmp_path)[lesson_key(tmp_path)] == start_of(lesson_slot, -1)

    def test_missed_nights_are_made_up_for_once(self, tmp_path: Path) -> None:
        calls = Calls()
        with running(tmp_path, calls) as scheduler:
            assert settle(calls, scheduler) == []
        planned = starts(tmp_path)[NIGHTLY_KEY]
        assert timedelta() < planned - datetime.now(UTC) <= timedelta(days=1)
        set_back(tmp_path, NIGHTLY_KEY, planned - timedelta(days=4))
        with running(tmp_path, calls):
            assert calls.next() == ("nightly", None)
        assert calls.rest() == []
        assert starts(tmp_path)[NIGHTLY_KEY] == planned


class TestStore:
    def test_unchanged_starts_are_kept_and_others_replaced(self, tmp_path: Path) -> None:
        kept, removed, new = daily(-30, 60), daily(-70, 90), daily(-100, 120)
        with running(tmp_path, Calls(), kept, removed):
            before = starts(tmp_path)
        with running(tmp_path, Calls(), kept, new):
            after = starts(tmp_path)
        assert len(before) == len(after) == 3
        both = before.keys() & after.keys()
        assert len(both) == 2
        assert NIGHTLY_KEY in both
        assert all(before[key] == after[key] for key in both)

    def test_another_source_keeps_the_start(self, tmp_path: Path) -> None:
        lesson_slot = slot(30 * MINUTE, 60 * MINUTE, source="1")
        with running(tmp_path, Calls(), lesson_slot):
            before = starts(tmp_path)
        with running(tmp_path, Calls(), replace(lesson_slot, source="2")):
            assert starts(tmp_path).keys() == before.keys()

    def test_another_night_hour_moves_the_start(self, tmp_path: Path) -> None:
        with running(tmp_path, Calls(), night_hour=1):
            before = starts(tmp_path)[NIGHTLY_KEY]
        with running(tmp_path, Calls(), night_hour=2):
            assert starts(tmp_path)[NIGHTLY_KEY] - before in (HOUR, HOUR - DAY, HOUR + DAY)

    def test_store_is_private_and_contains_no_name_and_no_address(self, tmp_path: Path) -> None:
        with running(tmp_path, Calls(), daily(-30, 60)):
            content = (tmp_path / SCHEDULE_FILE).read_bytes()
        assert stat.S_IMODE((tmp_path / SCHEDULE_FILE).stat().st_mode) == 0o600
        assert b"Math 7B" not in content
        assert b"secret" not in content

    @pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b'{"night": 3}', b'{"night": "soon"}'])
    def test_damaged_store_is_recreated(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
    ) -> None:
        (tmp_path / SCHEDULE_FILE).write_bytes(content)
        calls = Calls()
        with running(tmp_path, calls, daily(20, 40)) as scheduler:
            assert settle(calls, scheduler) == ["begin"]
        assert SCHEDULE_FILE in caplog.text
        assert len(starts(tmp_path)) == 2

    def test_unusable_store_is_a_run_error(self, tmp_path: Path) -> None:
        (tmp_path / SCHEDULE_FILE).mkdir()
        with pytest.raises(RunError) as raised, running(tmp_path, Calls()):
            pass
        assert "\n" not in str(raised.value)
        (tmp_path / SCHEDULE_FILE).rmdir()
        with running(tmp_path, Calls()):
            pass

    def test_unwritable_store_does_not_stop_the_lessons(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = Calls()
        lesson_slot = slot(timedelta(seconds=2), timedelta(seconds=300))

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with running(tmp_path, calls, lesson_slot, late_start=timedelta(0)):
            monkeypatch.setattr("monitor.daemon.scheduler.write_private", full)
            assert calls.next()[0] == "begin"
        assert "No space left" in caplog.text

    def test_start_is_stored_before_the_hook_is_called(self, tmp_path: Path) -> None:
        calls = Calls()
        stored: list[datetime] = []
        lesson_slot = slot(timedelta(seconds=2), timedelta(seconds=300))
        hooks = replace(
            calls.hooks,
            begin=lambda lesson: (
                stored.append(starts(tmp_path)[lesson_key(tmp_path)]),
                calls.hooks.begin(lesson),
            ),
        )
        table = Timetable((lesson_slot,), ZONE)
        with LessonScheduler(table, tmp_path, hooks, late_start=timedelta(0)):
            assert calls.next()[0] == "begin"
        assert stored == [start_of(lesson_slot, -1)]

    def test_start_of_a_removed_slot_is_dropped(self, tmp_path: Path) -> None:
        save_starts(tmp_path / SCHEDULE_FILE, {"lesson-0": NOW - DAY})
        calls = Calls()
        with running(tmp_path, calls) as scheduler:
            assert settle(calls, scheduler) == []
        assert starts(tmp_path).keys() == {NIGHTLY_KEY}


class TestDecisions:
    """With a fake clock; nothing is started."""

    ZONE = timezone(timedelta(hours=1))
    SLOT = LessonSlot(
        "7b", None, "0", WEEK, datetime(2026, 1, 1, 8, 15).time(), datetime(2026, 1, 1, 9, 0).time()
    )
    START = datetime(2026, 11, 25, 7, 15, tzinfo=UTC)

    def decide(
        self, tmp_path: Path, now: datetime, scheduled: datetime | None = None, **options: object
    ) -> list[str]:
        calls = Calls()
        table = Timetable((self.SLOT,), self.ZONE, **options)  # type: ignore[arg-type]
        scheduler = LessonScheduler(table, tmp_path, calls.hooks, late_start=LATE, clock=lambda: now)
        (key,) = scheduler._slots
        scheduler._starts = {key: scheduled or self.START}
        scheduler._scheduler = "not started"
        scheduler.run_due()
        scheduler.run_due()
        return calls.rest()

    @pytest.mark.parametrize(
        ("minutes", "call"),
        [
            (0, "begin"),
            (1, "begin"),
            (35, "begin"),
            (35.1, "missed"),
            (44, "missed"),
            (300, "missed"),
        ],
    )
    def test_late_start_rule(self, tmp_path: Path, minutes: float, call: str) -> None:
        assert self.decide(tmp_path, self.START + minutes * MINUTE) == [call]

    def test_lesson_is_not_started_early(self, tmp_path: Path) -> None:
        assert self.decide(tmp_path, self.START - timedelta(seconds=1)) == []

    def test_removed_lesson_is_neither_started_nor_missed(self, tmp_path: Path) -> None:
        day = date(2026, 11, 25)
        assert self.decide(tmp_path, self.START, self.START, holidays=(Holiday(day, day),)) == []
        assert self.decide(tmp_path, self.START - timedelta(seconds=30), self.START - MINUTE) == []

    def test_nightly_job_on_days_of_a_clock_change(self, tmp_path: Path) -> None:
        from zoneinfo import ZoneInfo

        scheduler = LessonScheduler(
            Timetable((), ZoneInfo("Europe/Zurich")), tmp_path, Calls().hooks, late_start=LATE, night_hour=2
        )
        at, nights = datetime(2027, 3, 26, 12, tzinfo=UTC), []
        for _ in range(4):
            at = scheduler.next_start(NIGHTLY_KEY, at)
            nights.append(f"{at:%d %H:%M}")
        assert nights == ["27 01:00", "28 01:00", "29 00:00", "30 00:00"]


def test_build_timetable_uses_the_configured_zone(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    lesson = "{class: 7b, days: mon, from: 8:15, to: 9:00}"
    path.write_text(
        f"output: {{time_zone: Asia/Tokyo}}\nschedule:\n  lessons: [{lesson}]\n", encoding="utf-8"
    )
    assert str(build_timetable(read_config(path)).zone) == "Asia/Tokyo"
    path.write_text(f"schedule:\n  zone: Asia/Kolkata\n  lessons: [{lesson}]\n", encoding="utf-8")
    table = build_timetable(read_config(path))
    assert str(table.zone) == "Asia/Kolkata"
    assert table.slots[0].class_name == "7b"
    path.write_text("", encoding="utf-8")
    assert build_timetable(read_config(path)).zone.utcoffset(NOW.replace(tzinfo=None)) is not None
