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


def test_a_teacher_opens_a_lesson_and_has_its_code(browser, orders, lessons, engine) -> None:
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
    assert "view" in [one.action for one in queries.list_audit_entries(engine)]


def test_who_has_joined_is_seen_and_can_be_sent_out(browser, student, lesson) -> None:
    student("Robin")
    ada = browser("Ada")
    members = ada.get("/online/1/participants").text
    assert re.search(r"<bdi>Robin</bdi>", members)
    assert "<html" not in members
    assert ada.submit("/online/1/remove", "/online/1", tile="0").status_code == 303
    assert "removed" in ada.get("/online/1/participants").text
    assert ada.submit("/online/1/remove", "/online/1", tile="x").status_code == 400


def test_ending_it_stops_the_recording_and_every_camera(browser, student, lesson, orders, here) -> None:
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
def test_another_teachers_lesson_is_not_there(browser, lesson, method: str, address: str) -> None:
    ben = browser("Ben")
    data = {"csrf_token": ben.token(), "tile": "0"} if method == "POST" else None
    assert ben.request(method, address, data=data).status_code == 404
    assert not lesson.ended
    assert "/online/1" not in ben.get("/online").text


def test_another_teachers_class_cannot_be_opened(browser, orders) -> None:
    answer = browser("Ben").submit("/online", "/online", **{"class": "7b", "capacity": "12"})
    assert (answer.status_code, orders) == (404, [])


def test_a_counsellor_opens_nothing(browser) -> None:
    assert browser("Cleo").get("/online").status_code == 403


@pytest.mark.parametrize("places", ["", "0", "50", "many", "-3", "1e9"])
def test_a_number_of_students_that_is_none_is_refused(browser, orders, places: str) -> None:
    answer = browser("Ada").submit("/online", "/online", **{"class": "7b", "capacity": places})
    assert (answer.status_code, orders) == (400, [])


def test_a_class_has_one_online_lesson_at_a_time(browser, lesson) -> None:
    answer = browser("Ada").submit("/online", "/online", **{"class": "7b", "capacity": "12"})
    assert answer.status_code == 409
    assert "End it first." in answer.text


def test_where_nothing_records_no_lesson_is_opened(browser, lessons) -> None:
    def nobody(_):
        raise ControlError("Nothing runs.")

    lessons._send_request = nobody
    answer = browser("Ada").submit("/online", "/online", **{"class": "7b", "capacity": "12"})
    assert answer.status_code == 409
    assert "Nothing runs." in answer.text
    assert lessons.lessons() == []


def test_a_lesson_ends_with_its_recording(lessons, lesson, clock) -> None:
    lessons.run_maintenance()
    assert not lesson.ended
    lessons._recorded_rooms = lambda: frozenset()
    lessons.run_maintenance()
    assert (lesson.ended, lesson.error) == (True, None)


def test_a_recording_that_never_begins_is_told(lessons, lesson, clock) -> None:
    lessons._recorded_rooms = lambda: frozenset()
    lessons.run_maintenance()
    assert not lesson.ended
    clock.now_s += RECORDING_START_TIMEOUT_S + 1
    lessons.run_maintenance()
    assert lesson.ended
    assert isinstance(lesson.error, RecordingNotStarted)


def test_a_lesson_that_is_forgotten_ends_by_itself(lessons, lesson, clock, orders) -> None:
    clock.now_s += IDLE_TIMEOUT_S + 1
    lessons.run_maintenance()
    assert lesson.ended
    assert orders[-1].verb == "stop"


def test_a_day_later_nothing_is_known_of_it(lessons, lesson, clock) -> None:
    lessons.end(lesson)
    clock.now_s += WITHDRAWAL_PERIOD_S + 1
    lessons.run_maintenance()
    assert lessons.by_code(lesson.code) is None
