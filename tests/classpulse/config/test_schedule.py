from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from classpulse.config.settings import Settings, read_config
from classpulse.config.template import render_config
from classpulse.errors import SettingsError
from monitor.daemon.timetable import Holiday, Weekday

ROOMS = """rooms:
  - {name: A101, source: 0}
  - {name: B2, source: "rtsp://camera/b2"}
"""
TERM = (
    ROOMS
    + """schedule:
  zone: Europe/Zurich
  late_start_min: 5
  holidays:
    - 2026-12-25
    - 2027-02-08..2027-02-12
    - 2027-05-01 to 2027-05-02
  lessons:
    - {class: Math 7B, room: A101, days: [mon, Wednesday], from: 08:15, to: "9:00"}
    - class: Physics 10b
      room: B2
      days: fri
      from: "10:00"
      to: "11:30"
"""
)


def settings_of(folder: Path, text: str) -> Settings:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return read_config(path).settings


def invalid(folder: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        settings_of(folder, text)
    assert "\n" not in str(caught.value)
    return caught.value


def lessons(*lines: str, rooms: str = "") -> str:
    return rooms + "schedule:\n  lessons:\n" + "".join(f"    - {line}\n" for line in lines)


def test_settings_schedule_is_read(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, TERM)
    maths, physics = settings.lesson_slots()
    assert (maths.class_name, maths.room, maths.source) == ("Math 7B", "A101", "0")
    assert maths.days == (Weekday.MON, Weekday.WED)
    assert (maths.starts, maths.ends) == (time(8, 15), time(9, 0))
    assert (physics.room, physics.source, physics.days) == ("B2", "rtsp://camera/b2", (Weekday.FRI,))
    assert settings.schedule.holidays == (
        Holiday(date(2026, 12, 25), date(2026, 12, 25)),
        Holiday(date(2027, 2, 8), date(2027, 2, 12)),
        Holiday(date(2027, 5, 1), date(2027, 5, 2)),
    )


def test_render_config_schedule_round_trip(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, TERM)
    assert settings_of(tmp_path, render_config(settings)) == settings


@pytest.mark.parametrize(
    ("more", "line", "room", "source"),
    [
        ("", "{class: 7b, days: mon, from: 8:00, to: 9:00}", None, "0"),
        ("capture: {source: film.mp4}\n", "{class: 7b, days: mon, from: 8:00, to: 9:00}", None, "film.mp4"),
        ("class: {room: Hall}\n", "{class: 7b, days: mon, from: 8:00, to: 9:00}", "Hall", "0"),
        ("class: {room: B2}\n" + ROOMS, "{class: 7b, days: mon, from: 8:00, to: 9:00}", "B2", "rtsp://camera/b2"),
        (ROOMS, "{class: 7b, room: B2, days: mon, from: 8:00, to: 9:00}", "B2", "rtsp://camera/b2"),
        (ROOMS, "{class: 7b, room: B2, days: mon, from: 8:00, to: 9:00, source: 3}", "B2", "3"),
        # Without rooms, the room of a lesson is a label.
        ("", "{class: 7b, room: Hall, days: mon, from: 8:00, to: 9:00}", "Hall", "0"),
    ],
)  # fmt: skip
def test_lesson_slots_room_and_source(
    tmp_path: Path, more: str, line: str, room: str | None, source: str
) -> None:
    (slot,) = settings_of(tmp_path, more + lessons(line)).lesson_slots()
    assert (slot.room, slot.source) == (room, source)


GOOD = "{class: 7b, days: [mon], from: 8:00, to: 9:00}"


def lesson(**changes: str) -> str:
    """A lesson with some fields changed."""
    parts = {"class": "A", "days": "[mon]", "from": "8:00", "to": "9:00"} | changes
    return "{" + ", ".join(f"{key}: {value}" for key, value in parts.items() if value) + "}"


INVALID_LESSONS = [
    ({"from": "8"}, "schedule.lessons[2].from"),
    ({"from": "8.15"}, "schedule.lessons[2].from"),
    ({"from": "24:00"}, "schedule.lessons[2].from"),
    ({"from": "9:00", "to": "8:00"}, "schedule.lessons[2]"),
    ({"from": "23:00", "to": "23:00"}, "schedule.lessons[2]"),
    ({"days": "[]"}, "schedule.lessons[2].days"),
    ({"days": "[lun]"}, "schedule.lessons[2].days[1]"),
    ({"days": ""}, "schedule.lessons[2].days"),
    ({"class": "''"}, "schedule.lessons[2].class"),
    ({"until": "9:00"}, "schedule.lessons[2].until"),
    ({"room": "C3"}, "schedule.lessons[2].room"),
]


@pytest.mark.parametrize(("changes", "key"), INVALID_LESSONS)
def test_settings_invalid_lesson_error_has_line_and_key(
    tmp_path: Path, changes: dict[str, str], key: str
) -> None:
    error = invalid(tmp_path, lessons(GOOD, lesson(**changes), rooms=ROOMS))
    assert (error.line, error.key) == (7, key)


def test_settings_unknown_room_hint_lists_the_rooms(tmp_path: Path) -> None:
    error = invalid(tmp_path, lessons(GOOD, lesson(room="C3"), rooms=ROOMS))
    assert "A101, B2" in error.hint


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (lessons("class: A\n      days: mon\n      from: 8:00\n      to: x"), 6, "schedule.lessons[1].to"),
        ("schedule:\n  holidays:\n    - 2026-12-25\n    - 2026-13-01\n", 4, ""),
        ("schedule:\n  holidays:\n    - 2026-12-25\n    - '2026-13-01'\n", 4, "schedule.holidays[2]"),
        ("schedule:\n  holidays:\n    - Christmas\n", 3, "schedule.holidays[1]"),
        ("schedule:\n  holidays: [2026-12-25..2026-12-24]\n", 2, "schedule.holidays[1]"),
        ("schedule:\n  late_start_min: -1\n", 2, "schedule.late_start_min"),
        ("rooms:\n  - {name: A, source: 0}\n  - {name: A, source: 1}\n", 3, "rooms[2].name"),
        ("rooms:\n  - {name: A}\n", 2, "rooms[1].source"),
        # YAML 1.1, which a file may select, reads 10:15 as the number 615.
        (
            "%YAML 1.1\n---\n" + lessons(lesson(**{"from": "10:15", "to": "11:00"})),
            5,
            "schedule.lessons[1].from",
        ),
    ],
)  # fmt: skip
def test_settings_invalid_schedule_error_has_line_and_key(
    tmp_path: Path, text: str, line: int, key: str
) -> None:
    error = invalid(tmp_path, text)
    assert (error.line, error.key) == (line, key)


def test_settings_overlapping_lessons_error_names_both_and_has_the_second_line(tmp_path: Path) -> None:
    text = lessons(
        "{class: Math 7B, room: A101, days: [mon, wed], from: 8:15, to: 9:00}",
        "{class: Art 5a, room: B2, days: [mon], from: 8:15, to: 9:00}",
        "{class: Physics, room: A101, days: [wed, fri], from: 8:45, to: 9:30}",
        rooms=ROOMS,
    )
    error = invalid(tmp_path, text)
    assert (error.line, error.key) == (8, "schedule.lessons[3]")
    for part in ("Math 7B", "Physics", "wed", "A101"):
        assert part in error.problem


def test_settings_lessons_with_the_same_camera_overlap(tmp_path: Path) -> None:
    text = lessons(
        "{class: A, room: X, days: [mon], from: 8:15, to: 9:00}",
        "{class: B, days: [mon], from: 8:15, to: 9:00}",
    )
    error = invalid(tmp_path, text)
    assert (error.line, error.key) == (4, "schedule.lessons[2]")
    assert "camera" in error.problem
