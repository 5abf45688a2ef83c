from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db import sessions as queries
from db.records import GapRecord, SessionStatus
from db.unit_of_work import Store
from monitor.daemon.scheduler import ended_while_paused, record_missed_lesson, sessions_of, was_ended_by_user
from monitor.daemon.timetable import ScheduledLesson
from tests.helpers.recorded import START, record_lesson

MINUTE = timedelta(minutes=1)
AT = START + timedelta(hours=3)
"""Noon of 2 March 2026 in UTC, a Monday; the recorded lesson is of nine o'clock."""


@pytest.fixture
def term(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        path.read_text("utf-8")
        + """rooms:
  - {name: A101, source: "rtsp://me:secret@camera/1"}
  - {name: B2, source: 1}
schedule:
  zone: Europe/Zurich
  holidays: [2026-03-04]
  lessons:
    - {class: 7b, room: A101, days: [mon, wed], from: "10:00", to: "10:45"}
    - {class: Art, room: B2, days: [mon], from: "11:00", to: "11:45"}
    - {class: Music, room: B2, days: [mon], from: "12:40", to: "13:30"}
    - {class: Sport, room: A101, days: [mon, tue], from: "17:00", to: "18:00"}
""",
        "utf-8",
    )
    monkeypatch.setattr("classpulse.cli.commands.schedule.now_utc", lambda: AT)
    return path


def states(shell, *more: str) -> list[tuple[str, str, str]]:
    answer = shell.json("schedule", *more)
    assert answer["zone"] == "Europe/Zurich"
    return [(one["class"], one["from"][:16], one["state"]) for one in answer["lessons"]]


def test_schedule_states_of_the_week(term: Path, store: Store, shell) -> None:
    record_lesson(store)
    assert states(shell) == [
        ("7b", "2026-03-02T10:00", "recorded"),
        ("Art", "2026-03-02T11:00", "missed"),
        ("Music", "2026-03-02T12:40", "now"),
        ("Sport", "2026-03-02T17:00", "upcoming"),
        ("Sport", "2026-03-03T17:00", "upcoming"),
        ("7b", "2026-03-04T10:00", "holiday"),
    ]
    assert len(states(shell, "--days", "1")) == 4
    assert len(states(shell, "--days", "8")) == 10


def test_schedule_local_times_across_daylight_saving(term: Path, shell) -> None:
    found = [at for name, at, _ in states(shell, "--days", "60") if name == "7b"]
    assert {at[11:] for at in found} == {"10:00"}
    offsets = {one["from"][-6:] for one in shell.json("schedule", "--days", "60")["lessons"]}
    assert offsets == {"+01:00", "+02:00"}


def test_schedule_table(term: Path, store: Store, shell) -> None:
    number = record_lesson(store)
    code, out, _ = shell("schedule")
    assert code == 0
    for part in (
        "Lessons of 7 days, Europe/Zurich",
        "Mon 2026-03-02",
        f"session {number} finished",
        "now, not recorded",
        "holiday",
        "missed",
    ):
        assert part in out
    assert "secret" not in out + str(shell.json("schedule"))


def test_schedule_creates_no_database(tmp_path: Path, shell) -> None:
    (tmp_path / "config.yaml").write_text(
        "schedule: {zone: UTC, lessons: [{class: A, days: mon, from: 8:00, to: 9:00}]}\n", "utf-8"
    )
    assert len(shell.json("schedule")["lessons"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_schedule_without_lessons_prints_a_hint(tmp_path: Path, shell) -> None:
    (tmp_path / "config.yaml").write_text("", "utf-8")
    code, out, error = shell("schedule")
    assert (code, out) == (0, "")
    assert "config.yaml has no lessons" in error


def lesson(start: datetime = START - MINUTE, room: str | None = None) -> ScheduledLesson:
    return ScheduledLesson("7b", room, "0", start, start + 45 * MINUTE)


class TestSessionsOfALesson:
    def test_sessions_of_lesson_by_start_and_room(self, store: Store) -> None:
        number = record_lesson(store)
        assert [one.id for one in sessions_of(store.engine, lesson())] == [number]
        assert [one.id for one in sessions_of(store.engine, lesson(room="A101"))] == [number], (
            "a session without a room matches any room"
        )
        assert sessions_of(store.engine, lesson(START + MINUTE)) == []
        assert sessions_of(store.engine, lesson(START - 45 * MINUTE)) == []

    def test_was_ended_by_user(self, store: Store) -> None:
        assert not was_ended_by_user(store.engine, lesson())
        number = record_lesson(store)
        assert was_ended_by_user(store.engine, lesson())
        with store.unit_of_work() as unit:
            unit.end_session(number, SessionStatus.INTERRUPTED, START + MINUTE, "a crash")
            unit.commit()
        assert not was_ended_by_user(store.engine, lesson())

    @pytest.mark.parametrize(
        ("gaps", "paused"),
        [
            ([], False),
            ([GapRecord(10.0, 300.0, "paused")], True),
            ([GapRecord(10.0, 299.0, "paused"), GapRecord(299.0, 300.0, "no signal")], False),
            ([GapRecord(10.0, 200.0, "paused")], False),
        ],
        ids=["never", "until the end", "resumed, then no signal", "resumed"],
    )
    def test_ended_while_paused(self, store: Store, gaps: list[GapRecord], paused: bool) -> None:
        assert not ended_while_paused(store.engine, lesson())
        number = record_lesson(store)
        assert queries.get_session(store.engine, number).end_s == 300.0
        with store.unit_of_work() as unit:
            unit.save_gaps(number, gaps)
            unit.commit()
        assert ended_while_paused(store.engine, lesson()) == paused

    def test_record_missed_lesson_writes_audit_and_log(
        self, store: Store, caplog: pytest.LogCaptureFixture
    ) -> None:
        now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        assert record_missed_lesson(store.engine, lesson(START, "A101"), now)
        (entry,) = queries.list_audit_entries(store.engine)
        assert (entry.action, entry.subject, entry.at) == (
            "lesson_missed",
            "lesson of class 7b in room A101",
            now,
        )
        assert entry.detail == "2026-03-02 09:00 to 09:45 UTC"
        assert "was missed" in caplog.text

    def test_record_missed_lesson_ignores_a_recorded_one(self, store: Store) -> None:
        record_lesson(store)
        assert not record_missed_lesson(store.engine, lesson(), START + 45 * MINUTE)
        assert queries.list_audit_entries(store.engine) == []


class TestCheck:
    def found(self, shell) -> dict[str, tuple[bool, str]]:
        _, out, _ = shell("check", "--no-source", "--json")
        return {check["check"]: (check["ready"], check["detail"]) for check in json.loads(out)}

    def test_check_timetable_retention_and_notifications(
        self, term: Path, shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("db.clock.now_utc", lambda: AT)
        found = self.found(shell)
        assert found["timetable"] == (
            True,
            "4 weekly lessons; the next is Sport, Mon 2026-03-02 17:00 Europe/Zurich",
        )
        assert found["retention"] == (
            True,
            "lessons are kept until you erase them; retention.keep_days sets a limit",
        )
        assert found["notifications"] == (True, "none configured")
        webhook = "{url: 'https://school.example/', secret_env: HOOK_SECRET}"
        more = f"retention: {{keep_days: 365}}\nnotify: {{webhook: {webhook}}}\n"
        term.write_text(term.read_text("utf-8") + more, "utf-8")
        found = self.found(shell)
        assert found["retention"] == (True, "lessons are erased 365 days after their end, at 3:00")
        ready, detail = found["notifications"]
        assert not ready
        assert "HOOK_SECRET is not set" in detail
        monkeypatch.setenv("HOOK_SECRET", "geheim")
        assert self.found(shell)["notifications"] == (True, "by webhook")

    def test_check_without_lessons(self, store: Store, shell) -> None:
        assert self.found(shell)["timetable"] == (True, "no lessons scheduled")
