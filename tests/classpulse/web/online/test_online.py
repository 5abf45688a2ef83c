"""The teacher's pages of online lessons."""

from __future__ import annotations

import re

import pytest

from classpulse.online.manager import (
    IDLE_TIMEOUT_S,
    RECORDING_START_TIMEOUT_S,
    WITHDRAWAL_PERIOD_S,
    RecordingNotStarted,
)
from db import sessions as queries
from monitor.daemon.errors import ControlError

pytestmark = pytest.mark.usefixtures("lessons")


def test_opened_lesson_shows_code_and_starts_recording(browser, orders, lessons, engine) -> None:
    ada = browser("Ada")
    assert "7b" in ada.get("/online").text
    answer = ada.submit("/online", "/online", **{"class": "7b", "capacity": "12"})
    assert answer.headers["location"] == "/online/1"
    (made,) = lessons.lessons()
    (order,) = orders
    assert (order.verb, order.class_name, order.room) == ("start", "7b", "online 7b")
    assert order.source.startswith("online:")
    page = ada.get("/online/1").text
    assert f"{made.code[:4]}-{made.code[4:]}" in page
    assert f"http://localhost/join/{made.code}" in page
    assert "No student has joined yet." in page
    assert "view" in [entry.action for entry in queries.list_audit_entries(engine)]


def test_participant_is_listed_and_can_be_removed(browser, student, lesson) -> None:
    student("Robin")
    ada = browser("Ada")
    members = ada.get("/online/1/participants").text
    assert re.search(r"<bdi>Robin</bdi>", members)
    assert "<html" not in members
    assert ada.submit("/online/1/remove", "/online/1", tile="0").status_code == 303
    assert "removed" in ada.get("/online/1/participants").text
    assert ada.submit("/online/1/remove", "/online/1", tile="x").status_code == 400


def test_ending_stops_recording_and_frames(browser, student, lesson, orders, here) -> None:
    robin = student()
    assert browser("Ada").submit("/online/1/end", "/online/1").status_code == 303
    assert (orders[-1].verb, orders[-1].room) == ("stop", "online 7b")
    headers = {"X-CSRF-Token": robin.token(here), "Content-Type": "image/jpeg"}
    assert robin.post(f"{here}/frame", content=b"", headers=headers).status_code == 410
    assert "The lesson has ended." in browser("Ada").get("/online/1").text


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/online/1"),
        ("GET", "/online/1/participants"),
        ("POST", "/online/1/end"),
        ("POST", "/online/1/remove"),
        ("GET", "/online/2"),
    ],
)
def test_lesson_of_another_teacher_is_404(browser, lesson, method: str, address: str) -> None:
    ben = browser("Ben")
    data = {"csrf_token": ben.token(), "tile": "0"} if method == "POST" else None
    assert ben.request(method, address, data=data).status_code == 404
    assert not lesson.ended
    assert "/online/1" not in ben.get("/online").text


def test_class_of_another_teacher_is_404(browser, orders) -> None:
    answer = browser("Ben").submit("/online", "/online", **{"class": "7b", "capacity": "12"})
    assert (answer.status_code, orders) == (404, [])


def test_counsellor_is_forbidden(browser) -> None:
    assert browser("Cleo").get("/online").status_code == 403


@pytest.mark.parametrize("places", ["", "0", "50", "many", "-3", "1e9"])
def test_invalid_capacity_is_rejected(browser, orders, places: str) -> None:
    answer = browser("Ada").submit("/online", "/online", **{"class": "7b", "capacity": places})
    assert (answer.status_code, orders) == (400, [])


def test_second_lesson_of_class_is_rejected(browser, lesson) -> None:
    answer = browser("Ada").submit("/online", "/online", **{"class": "7b", "capacity": "12"})
    assert answer.status_code == 409
    assert "End it first." in answer.text


def test_lesson_is_not_opened_without_daemon(browser, lessons) -> None:
    def nobody(_):
        raise ControlError("Nothing runs.")

    lessons._send_request = nobody
    answer = browser("Ada").submit("/online", "/online", **{"class": "7b", "capacity": "12"})
    assert answer.status_code == 409
    assert "Nothing runs." in answer.text
    assert lessons.lessons() == []


def test_lesson_ends_with_its_recording(lessons, lesson, clock) -> None:
    lessons.run_maintenance()
    assert not lesson.ended
    lessons._recorded_rooms = lambda: frozenset()
    lessons.run_maintenance()
    assert (lesson.ended, lesson.error) == (True, None)


def test_lesson_without_recording_ends_with_error(lessons, lesson, clock) -> None:
    lessons._recorded_rooms = lambda: frozenset()
    lessons.run_maintenance()
    assert not lesson.ended
    clock.now_s += RECORDING_START_TIMEOUT_S + 1
    lessons.run_maintenance()
    assert lesson.ended
    assert isinstance(lesson.error, RecordingNotStarted)


def test_idle_lesson_ends(lessons, lesson, clock, orders) -> None:
    clock.now_s += IDLE_TIMEOUT_S + 1
    lessons.run_maintenance()
    assert lesson.ended
    assert orders[-1].verb == "stop"


def test_lesson_is_dropped_after_withdrawal_period(lessons, lesson, clock) -> None:
    lessons.end(lesson)
    clock.now_s += WITHDRAWAL_PERIOD_S + 1
    lessons.run_maintenance()
    assert lessons.by_code(lesson.code) is None
