"""Scripts of the upload and seats pages in Chromium."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from classpulse.services.roster import import_roster, parse_roster_bytes
from classpulse.web.pages import seats as seats_page
from db.clock import now_utc
from db.records import PlannedSeat
from db.roster import list_roster
from db.seat_plans import get_seat_plan
from tests.helpers.recorded import class_number
from tests.helpers.room_picture import BOXES, coded, room_picture
from tests.helpers.videos import steps, write_video


def test_recording_is_uploaded_with_progress(page, app, tmp_path) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(3_000_000))
    page.goto("/upload")
    page.set_input_files("input[name=recording]", tmp_path / "a.mp4")
    page.click("button.main")
    page.wait_for_selector(".uploads li[data-state=waiting]")
    assert page.input_value("input[name=recording]") == ""
    (one,) = app.state.upload_store.list_all()
    assert (one.file_name, one.size_bytes) == ("a.mp4", 3_000_000)


def test_lesson_start_is_proposed_from_file(page, app, tmp_path) -> None:
    film = write_video(tmp_path / "lesson.mp4", steps(3), times_s=[0, 600, 1200], fps=1 / 600)
    written = datetime(2026, 3, 2, 9, 50).astimezone()
    os.utime(film, (written.timestamp(), written.timestamp()))
    page.goto("/upload")
    page.set_input_files("input[name=recording]", film)
    page.locator(".proposed-time").wait_for()
    proposed = datetime.fromisoformat(page.input_value("input[name=at]")).astimezone()
    assert (
        timedelta(minutes=15) < written - proposed < timedelta(minutes=35)
    )  # its length, give or take a frame
    page.fill("input[name=at]", "2026-03-02T09:15")
    assert page.locator(".proposed-time").is_hidden()
    (tmp_path / "other.mp4").write_bytes(bytes(1000))
    page.set_input_files("input[name=recording]", tmp_path / "other.mp4")
    page.click("button.main")
    page.wait_for_selector(".uploads li[data-state=waiting]")
    assert page.input_value("input[name=at]") == ""
    (one,) = app.state.upload_store.list_all()
    assert one.lesson_at == datetime(2026, 3, 2, 9, 15).astimezone()


def test_students_are_assigned_by_mouse_and_keyboard(page, engine, monkeypatch, tmp_path) -> None:
    found = [PlannedSeat(label, box) for label, box in BOXES.items()]
    monkeypatch.setattr(seats_page, "detect_seats", lambda *_, **__: found)
    text = "name,pseudonym,group,seat,consent\nMia,Otter,,,yes\nJan,Heron,,,yes\nEva,Lynx,,,yes\n"
    import_roster(engine, parse_roster_bytes(text.encode(), "x", "7b").rows, now_utc())
    (tmp_path / "room.png").write_bytes(coded(room_picture()))
    page.goto(f"/classes/{class_number(engine, '7b')}/seats")
    page.click(".alternative summary")
    page.set_input_files("input[name=image]", tmp_path / "room.png")
    page.click(".alternative button")
    page.wait_for_selector(".room image")
    page.drag_and_drop(".name:has-text('Otter')", ".seat[data-row='2'] rect")
    page.focus(".name:has-text('Heron')")
    page.keyboard.press("Enter")
    page.focus(".seat[data-row='1']")
    page.keyboard.press("Enter")
    assert page.inner_text(".message") == "Heron sits on A1."
    page.keyboard.press("ArrowRight")
    page.click(".add")
    page.click(".name:has-text('Lynx')")
    page.focus(".seat[data-row='3']")
    page.keyboard.press("Enter")
    with page.expect_navigation():
        page.click("#seating button.main")
    assert page.locator(".error").all_inner_texts() == []
    page.wait_for_selector("p.card")
    assert {one.pseudonym: one.seat_label for one in list_roster(engine, "7b")} == {
        "Heron": "A1",
        "Lynx": "S1",
        "Otter": "A2",
    }
    seats = {seat.label: seat.box_xyxy for seat in get_seat_plan(engine, "7b").seats}
    assert seats["A1"] == (104.0, 200.0, 144.0, 250.0)
    assert seats["A2"] == BOXES["A2"]
