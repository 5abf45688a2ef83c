from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from classpulse.config.settings import Settings, read_config
from classpulse.config.template import render_config
from classpulse.errors import UserError
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


def refused(folder: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        settings_of(folder, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lessons(*lines: str, rooms: str = "") -> str:
    return rooms + "schedule:\n  lessons:\n" + "".join(f"    - {line}\n" for line in lines)


def test_a_term_is_read(tmp_path: Path) -> None:
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


def test_a_term_that_is_written_is_read_back(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, TERM)
    assert settings_of(tmp_path, render_config(settings)) == settings


@pytest.mark.parametrize(
    ("more", "lesson", "room", "source"),
    [
        ("", "{class: 7b, days: mon, from: 8:00, to: 9:00}", None, "0"),
        ("capture: {source: film.mp4}\n", "{class: 7b, days: mon, from: 8:00, to: 9:00}", None, "film.mp4"),
        ("class: {room: Hall}\n", "{class: 7b, days: mon, from: 8:00, to: 9:00}", "Hall", "0"),
        ("class: {room: B2}\n" + ROOMS, "{class: 7b, days: mon, from: 8:00, to: 9:00}", "B2", "rtsp://camera/b2"),
        (ROOMS, "{class: 7b, room: B2, days: mon, from: 8:00, to: 9:00}", "B2", "rtsp://camera/b2"),
        (ROOMS, "{class: 7b, room: B2, days: mon, from: 8:00, to: 9:00, source: 3}", "B2", "3"),
        # Without rooms, a lesson's room is what records say.
        ("", "{class: 7b, room: Hall, days: mon, from: 8:00, to: 9:00}", "Hall", "0"),
    ],
)  # fmt: skip
def test_what_is_watched(tmp_path: Path, more: str, lesson: str, room: str | None, source: str) -> None:
    (slot,) = settings_of(tmp_path, more + lessons(lesson)).lesson_slots()
    assert (slot.room, slot.source) == (room, source)


GOOD = "{class: 7b, days: [mon], from: 8:00, to: 9:00}"


def one(**changes: str) -> str:
    """A lesson with these parts instead."""
    parts = {"class": "A", "days": "[mon]", "from": "8:00", "to": "9:00"} | changes
    return "{" + ", ".join(f"{key}: {value}" for key, value in parts.items() if value) + "}"


BAD_LESSONS = [
    (
        {"from": "8"},
        "schedule.lessons[2].from: 8 is no time of the day; expected hours and minutes in quotes",
    ),
    ({"from": "8.15"}, 'such as "08:15"'),
    ({"from": "24:00"}, "'24:00' is no time"),
    ({"from": "9:00", "to": "8:00"}, "schedule.lessons[2]: a lesson from 09:00 to 08:00; expected an end"),
    ({"from": "23:00", "to": "23:00"}, "one over midnight is two lessons"),
    ({"days": "[]"}, "at least 1 item"),
    ({"days": "[lun]"}, "'lun' is no day of the week; expected one of mon, tue, "),
    ({"days": ""}, "'schedule.lessons[2].days' is missing"),
    ({"class": "''"}, "schedule.lessons[2].class is ''"),
    ({"until": "9:00"}, "'schedule.lessons[2].until'; expected one of class, days, from, room, source, to"),
    ({"room": "C3"}, "there is no room 'C3'; expected one of 'rooms': A101, B2"),
]


@pytest.mark.parametrize(("changes", "part"), BAD_LESSONS)
def test_a_bad_lesson_is_told_with_its_line(tmp_path: Path, changes: dict[str, str], part: str) -> None:
    message = refused(tmp_path, lessons(GOOD, one(**changes), rooms=ROOMS))
    assert message.startswith("config.yaml, line 7: "), message
    assert part in message


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (lessons("class: A\n      days: mon\n      from: 8:00\n      to: x"), 6, "lessons[1].to: 'x' is"),
        ("schedule:\n  holidays:\n    - 2026-12-25\n    - 2026-13-01\n", 4, "expected a day such as 2026"),
        ("schedule:\n  holidays:\n    - 2026-12-25\n    - '2026-13-01'\n", 4, "'2026-13-01' is no day;"),
        ("schedule:\n  holidays:\n    - Christmas\n", 3, "'Christmas' is no day; expected one such as 2026-"),
        ("schedule:\n  holidays: [2026-12-25..2026-12-24]\n", 2, "expected the earlier day first"),
        ("schedule:\n  late_start_min: -1\n", 2, "greater than or equal to 0"),
        ("rooms:\n  - {name: A, source: 0}\n  - {name: A, source: 1}\n", 3, "there are two rooms 'A'"),
        ("rooms:\n  - {name: A}\n", 2, "'rooms[1].source' is missing"),
        # In YAML 1.1, which a file may ask for, this is 615.
        ("%YAML 1.1\n---\n" + lessons(one(**{"from": "10:15", "to": "11:00"})), 5, "615 is no time"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_told_with_its_line(tmp_path: Path, text: str, line: int, part: str) -> None:
    message = refused(tmp_path, text)
    assert message.startswith(f"config.yaml, line {line}: "), message
    assert part in message


def test_an_overlap_is_told_with_both_lessons_and_the_line_of_the_second(tmp_path: Path) -> None:
    text = lessons(
        "{class: Math 7B, room: A101, days: [mon, wed], from: 8:15, to: 9:00}",
        "{class: Art 5a, room: B2, days: [mon], from: 8:15, to: 9:00}",
        "{class: Physics, room: A101, days: [wed, fri], from: 8:45, to: 9:30}",
        rooms=ROOMS,
    )
    assert refused(tmp_path, text) == (
        "config.yaml, line 8: schedule.lessons[3]: 'Math 7B' (mon, wed 08:15 to 09:00) and 'Physics' (wed, "
        "fri 08:45 to 09:30) overlap on wed in room 'A101'; change a time, or give one another room"
    )


def test_two_lessons_at_once_need_two_cameras(tmp_path: Path) -> None:
    text = lessons(
        "{class: A, room: X, days: [mon], from: 8:15, to: 9:00}",
        "{class: B, days: [mon], from: 8:15, to: 9:00}",
    )
    assert "overlap on mon with the same camera" in refused(tmp_path, text)
