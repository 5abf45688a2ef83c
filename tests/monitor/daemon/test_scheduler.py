"""The scheduler at the real clock: lessons lie a second or some minutes away, and what comes is waited for.
The zone is one in which it is about noon, so that no test runs over midnight."""

from __future__ import annotations

import queue
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from classpulse.config.settings import read_config
from classpulse.errors import RunError
from monitor.daemon.scheduler import (
    NIGHTLY_KEY,
    SCHEDULE_FILE,
    Hooks,
    LessonScheduler,
    build_timetable,
    open_job_store,
)
from monitor.daemon.timetable import WEEK, Holiday, LessonSlot, ScheduledLesson, Timetable

NOW = datetime.now(UTC).replace(microsecond=0)
ZONE = timezone(timedelta(hours=12 - NOW.hour))
MINUTE = timedelta(minutes=1)
LATE = 10 * MINUTE
WAIT_S = 60


def slot(
    starts_in: timedelta, ends_in: timedelta, room: str = "A101", source: str = "rtsp://me:secret@c"
) -> LessonSlot:
    """A daily lesson that begins and ends so far from now."""
    now = datetime.now(UTC).replace(microsecond=0)
    starts, ends = ((now + at).astimezone(ZONE).time() for at in (starts_in, ends_in))
    return LessonSlot("Math 7B", room, source, WEEK, starts, ends)


def daily(minutes_before: float, minutes_after: float, room: str = "A101") -> LessonSlot:
    return slot(-minutes_before * MINUTE, minutes_after * MINUTE, room)


class Heard:
    """What the scheduler called, in order."""

    def __init__(self, over: bool = False) -> None:
        self.calls: queue.Queue[tuple[str, ScheduledLesson | None]] = queue.Queue()
        self.hooks = Hooks(
            begin=lambda lesson: self.calls.put(("begin", lesson)),
            end=lambda lesson: self.calls.put(("end", lesson)),
            missed=lambda lesson: self.calls.put(("missed", lesson)),
            nightly=lambda: self.calls.put(("nightly", None)),
            is_finished=lambda _lesson: over,
        )

    def next(self) -> tuple[str, ScheduledLesson | None]:
        return self.calls.get(timeout=WAIT_S)

    def rest(self) -> list[str]:
        found = []
        while not self.calls.empty():
            found.append(self.calls.get_nowait()[0])
        return found


Runner = Callable[..., "contextmanager[LessonScheduler]"]


@contextmanager
def running(
    folder: Path,
    heard: Heard,
    *slots: LessonSlot,
    holidays: tuple[Holiday, ...] = (),
    night_hour: int | None = None,
    late_start: timedelta = LATE,
) -> Iterator[LessonScheduler]:
    table = Timetable(slots, ZONE, holidays)
    hour = (NOW.astimezone(ZONE).hour + 6) % 24 if night_hour is None else night_hour
    scheduler = LessonScheduler(table, folder, heard.hooks, late_start=late_start, night_hour=hour)
    with scheduler:
        yield scheduler


def settle(heard: Heard, scheduler: LessonScheduler) -> list[str]:
    """Everything that was still to be called before now: a call of ours queues behind it."""
    scheduler._run_at(datetime.now(UTC), lambda: heard.calls.put(("done", None)))
    found = []
    while (what := heard.next()[0]) != "done":
        found.append(what)
    return found


def rows(folder: Path) -> dict[str, tuple[float, bytes]]:
    with closing(sqlite3.connect(folder / SCHEDULE_FILE)) as connection:
        return {
            row[0]: row[1:]
            for row in connection.execute("SELECT id, next_run_time, job_state FROM apscheduler_jobs")
        }


def set_back(folder: Path, key: str, to: datetime) -> None:
    """As if the computer had been off since before then."""
    scheduler = open_job_store(folder / SCHEDULE_FILE)
    scheduler.modify_job(key, next_run_time=to)
    scheduler.shutdown()


def lesson_key(folder: Path) -> str:
    (key,) = rows(folder).keys() - {NIGHTLY_KEY}
    return key


def start_of(one: LessonSlot, days_ago: int = 0) -> datetime:
    day = datetime.now(UTC).astimezone(ZONE).date() - timedelta(days=days_ago)
    return datetime.combine(day, one.starts, ZONE).astimezone(UTC)


class TestALesson:
    def test_it_begins_and_ends_on_time(self, tmp_path: Path) -> None:
        heard = Heard()
        one = slot(timedelta(seconds=2), timedelta(seconds=6))
        # A busy computer begins it late, which is no reason to miss it.
        with running(tmp_path, heard, one, late_start=timedelta(0)):
            (what, lesson), (then, same) = heard.next(), heard.next()
        assert (what, then) == ("begin", "end")
        assert lesson == same
        assert lesson is not None
        assert lesson.starts_at == start_of(one)
        assert (lesson.class_name, lesson.room, lesson.source) == ("Math 7B", "A101", "rtsp://me:secret@c")
        assert heard.rest() == []

    def test_one_that_is_on_is_begun_at_the_start_once(self, tmp_path: Path) -> None:
        heard = Heard()
        one = daily(20, 40)
        with running(tmp_path, heard, one) as scheduler:
            assert settle(heard, scheduler) == ["begin"]
            assert scheduler.next_lesson().starts_at == start_of(one, -1)
        # A restart in the lesson: it goes on.
        with running(tmp_path, heard, one) as scheduler:
            assert settle(heard, scheduler) == ["begin"]

    def test_one_that_was_ended_by_hand_is_not_begun_again(self, tmp_path: Path) -> None:
        heard = Heard(over=True)
        with running(tmp_path, heard, daily(20, 40)) as scheduler:
            assert settle(heard, scheduler) == []

    def test_one_that_was_begun_and_is_nearly_over_is_not_told_as_missed(self, tmp_path: Path) -> None:
        heard = Heard()
        with running(tmp_path, heard, daily(50, 5)) as scheduler:
            assert settle(heard, scheduler) == []

    def test_several_rooms_at_once(self, tmp_path: Path) -> None:
        heard = Heard()
        slots = [slot(-5 * MINUTE, 40 * MINUTE, room, room) for room in "ABC"]
        with running(tmp_path, heard, *slots):
            assert {heard.next()[1].room for _ in slots} == {"A", "B", "C"}

    def test_a_hook_that_fails_stops_nothing(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        heard = Heard()

        def begin(lesson: ScheduledLesson) -> None:
            heard.calls.put(("begin", lesson))
            raise OSError("no process could be started")

        hooks = Hooks(begin, heard.hooks.end, heard.hooks.missed, heard.hooks.nightly)
        table = Timetable(
            (slot(-5 * MINUTE, 40 * MINUTE, "A", "1"), slot(-4 * MINUTE, 40 * MINUTE, "B", "2")), ZONE
        )
        with LessonScheduler(table, tmp_path, hooks, late_start=LATE) as scheduler:
            assert settle(heard, scheduler) == ["begin", "begin"]
        assert "no process could be started" in caplog.text

    def test_what_is_at_work_at_the_end_may_still_plan_something(self, tmp_path: Path) -> None:
        heard = Heard()
        scheduler = LessonScheduler(Timetable((), ZONE), tmp_path, heard.hooks, late_start=LATE)
        scheduler.start()
        jobs = scheduler._scheduler

        def work() -> None:
            heard.calls.put(("at work", None))
            while jobs.is_alive:
                time.sleep(0.01)
            time.sleep(0.2)  # by now it is being waited for
            jobs.add_job(heard.hooks.nightly, "date", jobstore="memory")
            heard.calls.put(("done", None))

        scheduler._run_at(datetime.now(UTC), work)
        assert heard.next()[0] == "at work"
        end = threading.Thread(target=scheduler.stop, daemon=True)
        end.start()
        end.join(WAIT_S)
        assert not end.is_alive()
        assert heard.rest() == ["done"]


class TestTheComputerWasOff:
    def test_each_missed_lesson_is_told_and_one_that_is_on_begun_late(self, tmp_path: Path) -> None:
        heard = Heard()
        one = daily(20, 40)
        with running(tmp_path, heard, one) as scheduler:
            settle(heard, scheduler)
        set_back(tmp_path, lesson_key(tmp_path), start_of(one, days_ago=3))
        with running(tmp_path, heard, one):
            found = [heard.next() for _ in range(4)]
        assert sorted((what, lesson.starts_at) for what, lesson in found) == [
            ("begin", start_of(one)),
            *[("missed", start_of(one, days_ago=n)) for n in (3, 2, 1)],
        ]
        assert heard.rest() == []

    def test_too_little_is_left(self, tmp_path: Path) -> None:
        heard = Heard()
        one = daily(50, 5)
        with running(tmp_path, heard, one) as scheduler:
            settle(heard, scheduler)
        set_back(tmp_path, lesson_key(tmp_path), start_of(one))
        with running(tmp_path, heard, one):
            what, lesson = heard.next()
        assert (what, lesson.starts_at) == ("missed", start_of(one))
        assert heard.rest() == []

    def test_what_is_a_holiday_now_was_not_missed(self, tmp_path: Path) -> None:
        heard = Heard()
        one = daily(20, 40)
        today = datetime.now(UTC).astimezone(ZONE).date()
        with running(tmp_path, heard, one) as scheduler:
            settle(heard, scheduler)
        set_back(tmp_path, lesson_key(tmp_path), start_of(one))
        with running(tmp_path, heard, one, holidays=(Holiday(today, today),)) as scheduler:
            assert settle(heard, scheduler) == []
            assert datetime.fromtimestamp(rows(tmp_path)[lesson_key(tmp_path)][0], UTC) == start_of(one, -1)

    def test_the_night_is_made_good_once(self, tmp_path: Path) -> None:
        heard = Heard()
        with running(tmp_path, heard) as scheduler:
            assert settle(heard, scheduler) == []
        planned = datetime.fromtimestamp(rows(tmp_path)[NIGHTLY_KEY][0], UTC)
        assert timedelta() < planned - datetime.now(UTC) <= timedelta(days=1)
        set_back(tmp_path, NIGHTLY_KEY, planned - timedelta(days=4))
        with running(tmp_path, heard):
            assert heard.next() == ("nightly", None)
        assert heard.rest() == []
        assert datetime.fromtimestamp(rows(tmp_path)[NIGHTLY_KEY][0], UTC) == planned


class TestTheStore:
    def test_unchanged_jobs_are_left_and_others_replaced(self, tmp_path: Path) -> None:
        kept, gone, new = daily(-30, 60), daily(-70, 90), daily(-100, 120)
        with running(tmp_path, Heard(), kept, gone):
            before = rows(tmp_path)
        with running(tmp_path, Heard(), kept, new):
            after = rows(tmp_path)
        assert len(before) == len(after) == 3
        both = before.keys() & after.keys()
        assert len(both) == 2
        assert NIGHTLY_KEY in both
        assert all(before[key] == after[key] for key in both)

    def test_another_camera_is_no_reason_to_forget(self, tmp_path: Path) -> None:
        one = slot(30 * MINUTE, 60 * MINUTE, source="1")
        with running(tmp_path, Heard(), one):
            before = rows(tmp_path)
        with running(tmp_path, Heard(), replace(one, source="2")):
            assert rows(tmp_path).keys() == before.keys()

    def test_another_hour_of_the_night(self, tmp_path: Path) -> None:
        with running(tmp_path, Heard(), night_hour=1):
            before = rows(tmp_path)[NIGHTLY_KEY][0]
        with running(tmp_path, Heard(), night_hour=2):
            assert rows(tmp_path)[NIGHTLY_KEY][0] - before in (3600, 3600 - 86400, 3600 + 86400)

    def test_it_is_the_owners_and_holds_no_name_and_no_address(self, tmp_path: Path) -> None:
        with running(tmp_path, Heard(), daily(-30, 60)):
            content = (tmp_path / SCHEDULE_FILE).read_bytes()
        assert stat.S_IMODE((tmp_path / SCHEDULE_FILE).stat().st_mode) == 0o600
        assert b"Math 7B" not in content
        assert b"secret" not in content

    def test_a_damaged_one_is_made_anew(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / SCHEDULE_FILE).write_bytes(
            b"this is no database, and long enough for SQLite to see it" * 20
        )
        heard = Heard()
        with running(tmp_path, heard, daily(20, 40)) as scheduler:
            assert settle(heard, scheduler) == ["begin"]
        assert "is damaged; it is made anew" in caplog.text
        assert len(rows(tmp_path)) == 2

    def test_a_job_of_another_version_is_replaced(self, tmp_path: Path) -> None:
        one = daily(-30, 60)
        with running(tmp_path, Heard(), one):
            pass
        with closing(sqlite3.connect(tmp_path / SCHEDULE_FILE)) as connection, connection:
            connection.execute("UPDATE apscheduler_jobs SET job_state = x'00'")
        with running(tmp_path, Heard(), one):
            assert {state for _, state in rows(tmp_path).values()} != {b"\0"}
            assert len(rows(tmp_path)) == 2

    def test_one_that_cannot_be_opened_is_one_line(self, tmp_path: Path) -> None:
        (tmp_path / SCHEDULE_FILE).mkdir()
        with pytest.raises(RunError, match="cannot be used") as caught, running(tmp_path, Heard()):
            pass
        assert "\n" not in str(caught.value)
        (tmp_path / SCHEDULE_FILE).rmdir()
        with running(tmp_path, Heard()):
            pass

    def test_two_on_one_folder(self, tmp_path: Path) -> None:
        with running(tmp_path, Heard()):
            with pytest.raises(RuntimeError, match="runs already"), running(tmp_path, Heard()):
                pass
            assert NIGHTLY_KEY in rows(tmp_path)


class TestDecisions:
    """At a clock of our own: nothing is started."""

    ZONE = timezone(timedelta(hours=1))
    SLOT = LessonSlot(
        "7b", None, "0", WEEK, datetime(2026, 1, 1, 8, 15).time(), datetime(2026, 1, 1, 9, 0).time()
    )
    START = datetime(2026, 11, 25, 7, 15, tzinfo=UTC)

    def decide(
        self, tmp_path: Path, now: datetime, planned: datetime | None = None, **more: object
    ) -> list[str]:
        heard = Heard()
        table = Timetable((self.SLOT,), self.ZONE, **more)  # type: ignore[arg-type]
        scheduler = LessonScheduler(table, tmp_path, heard.hooks, late_start=LATE, clock=lambda: now)
        (key,) = scheduler._slots
        scheduler.run_job(key, planned)
        scheduler.run_job(key, planned)
        return heard.rest()

    @pytest.mark.parametrize(
        ("minutes", "said"),
        [
            (0, "begin"),
            (1, "begin"),
            (35, "begin"),
            (35.1, "missed"),
            (44, "missed"),
            (300, "missed"),
            (-1, "begin"),
        ],
    )
    def test_by_the_rule(self, tmp_path: Path, minutes: float, said: str) -> None:
        now = self.START + minutes * MINUTE
        assert self.decide(tmp_path, now) == [said]
        if minutes >= 0:
            assert self.decide(tmp_path, now, self.START) == [said]

    def test_what_is_planned_no_more_is_nothing(self, tmp_path: Path) -> None:
        day = date(2026, 11, 25)
        assert self.decide(tmp_path, self.START, self.START, holidays=(Holiday(day, day),)) == []
        assert self.decide(tmp_path, self.START, self.START - MINUTE) == []

    def test_a_slot_that_there_is_not(self, tmp_path: Path) -> None:
        heard = Heard()
        LessonScheduler(Timetable((), self.ZONE), tmp_path, heard.hooks, late_start=LATE).run_job("lesson-0")
        assert heard.rest() == []

    def test_the_night_when_the_clock_is_changed(self, tmp_path: Path) -> None:
        from zoneinfo import ZoneInfo

        scheduler = LessonScheduler(
            Timetable((), ZoneInfo("Europe/Zurich")), tmp_path, Heard().hooks, late_start=LATE, night_hour=2
        )
        at, found = datetime(2027, 3, 26, 12, tzinfo=UTC), []
        for _ in range(4):
            at = scheduler.next_start(NIGHTLY_KEY, at)
            found.append(f"{at:%d %H:%M}")
        assert found == ["27 01:00", "28 01:00", "29 00:00", "30 00:00"]


def test_the_timetable_of_a_configuration(tmp_path: Path) -> None:
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
