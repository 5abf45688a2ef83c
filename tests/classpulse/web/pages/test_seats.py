"""The seats page: stills, seat plans, assignments and access."""

from __future__ import annotations

import re

import numpy as np
import pytest

from classpulse.services.roster import import_roster, parse_roster_bytes
from classpulse.web.pages import seats as page
from classpulse.web.still_store import MAX_STILLS, StillStore
from db import sessions as queries
from db.clock import now_utc
from db.records import PlannedSeat
from db.roster import list_roster
from db.seat_plans import get_seat_plan
from tests.helpers.recorded import class_number
from tests.helpers.room_picture import BOXES, coded, room_picture


@pytest.fixture(autouse=True)
def faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seats are detected in any image."""
    found = [PlannedSeat(label, box) for label, box in BOXES.items()]
    monkeypatch.setattr(page, "detect_seats", lambda *_, **__: found)


@pytest.fixture
def students(engine, accounts) -> dict[str, int]:
    """Student ids: Otter and Heron have seats on the roster, Lynx has none; all have consented."""
    text = (
        "name,pseudonym,group,seat,consent\nMia,Otter,,A1,yes\nJan,Heron,,b9,yes\nEva,Lynx,,,yes\n"
        "Tom,Crane,8c,A1,yes\n"
    )
    import_roster(engine, parse_roster_bytes(text.encode(), "x", "7b").rows, now_utc())
    return {entry.pseudonym: entry.student_id for entry in list_roster(engine)}


@pytest.fixture
def address(engine, accounts) -> str:
    return f"/classes/{class_number(engine, '7b')}/seats"


def send_picture(browser, address: str, content: bytes | None = None, name: str = "room.png", **fields):
    content = coded(room_picture()) if content is None else content
    data = {"csrf_token": browser.token(), "input": "image", **fields}
    return browser.post(f"{address}/still", data=data, files={"image": (name, content)})


def still_of(browser, address: str) -> str:
    found = re.search(r'name="still" value="(\w*)"', browser.get(address).text)
    return found[1] if found else ""


def rows(seats: dict[str, tuple], student_ids: dict[str, int] | None = None) -> dict[str, str]:
    fields = {}
    for number, (label, box) in enumerate(seats.items(), 1):
        fields[f"label-{number}"] = label
        fields[f"box-{number}"] = " ".join(f"{edge:.0f}" for edge in box)
        fields[f"student-{number}"] = str((student_ids or {}).get(label, ""))
    return fields


def test_image_becomes_plan_with_assignments(browser, engine, address, students) -> None:
    ada = browser("Ada")
    assert send_picture(ada, address).headers["location"] == address
    shown = ada.get(address).text
    assert re.search(rf'<option value="{students["Otter"]}" selected>Otter', shown)
    still = still_of(ada, address)
    assert ada.get(f"{address}/still.jpg").headers["cache-control"] == "no-store"
    wanted = {"A1": students["Lynx"], "A2": students["Otter"]}
    answer = ada.submit(address, still=still, **rows(BOXES, wanted))
    assert answer.headers["location"] == f"{address}?saved=yes"
    plan = get_seat_plan(engine, "7b")
    assert {seat.label: seat.box_xyxy for seat in plan.seats} == BOXES
    assert (plan.frame_width, plan.frame_height, len(plan.reference_view) > 100) == (640, 480, True)
    assert {entry.pseudonym: entry.seat_label for entry in list_roster(engine, "7b")} == {
        "Heron": None,
        "Lynx": "A1",
        "Otter": "A2",
    }
    assert ("save seat plan", "class 7b", "2 seats, by Ada") in [
        (entry.action, entry.subject, entry.detail) for entry in queries.list_audit_entries(engine)
    ]
    assert ada.get(f"{address}/still.jpg").status_code == 404
    assert "Saved." in ada.get(f"{address}?saved=yes").text


def test_assignments_change_without_new_plan(browser, engine, address, students) -> None:
    ada = browser("Ada")
    send_picture(ada, address)
    ada.submit(address, still=still_of(ada, address), **rows(BOXES))
    before = get_seat_plan(engine, "7b")
    assert "<image" not in ada.get(address).text
    elsewhere = dict.fromkeys(BOXES, (0.0, 0.0, 5.0, 5.0))
    assert ada.submit(address, still="", **rows(elsewhere, {"A2": students["Heron"]})).status_code == 303
    assert get_seat_plan(engine, "7b") == before
    assert {entry.pseudonym: entry.seat_label for entry in list_roster(engine, "7b")}["Heron"] == "A2"


def test_names_are_shown_on_request_and_audited(browser, engine, address, students) -> None:
    ada = browser("Ada")
    send_picture(ada, address)
    assert not re.search(r"\b(Mia|Jan|Eva)\b", ada.get(address).text)
    assert "view names" not in [entry.action for entry in queries.list_audit_entries(engine)]
    shown = ada.get(f"{address}?names=yes").text
    assert re.search(rf'<option value="{students["Otter"]}" selected>Mia', shown)
    assert re.search(rf'data-student="{students["Lynx"]}"[^>]*>Eva<', shown)
    (noted,) = [entry for entry in queries.list_audit_entries(engine) if entry.action == "view names"]
    assert (noted.subject, noted.detail) == ("class 7b", "by Ada")
    # The page keeps showing names; the stored plan contains none.
    answer = ada.submit(f"{address}?names=yes", still=still_of(ada, address), **rows(BOXES))
    assert answer.headers["location"] == f"{address}?names=yes&saved=yes"
    assert "Mia" not in str(get_seat_plan(engine, "7b"))
    assert browser("Ben").get(f"{address}?names=yes").status_code == 404


def test_still_is_never_written_to_disk(browser, address, students, tmp_path, app) -> None:
    ada = browser("Ada")
    send_picture(ada, address)
    ada.submit(address, still=still_of(ada, address), **rows(BOXES))
    picture = coded(room_picture())[200:400]
    for path in tmp_path.rglob("*"):
        assert path.suffix not in {".jpg", ".png", ".part"}
        assert not path.is_file() or picture not in path.read_bytes()


def test_still_belongs_to_one_account_and_can_be_discarded(browser, address, students) -> None:
    ada, root = browser("Ada"), browser("Root")
    send_picture(ada, address)
    still = still_of(ada, address)
    assert root.get(f"{address}/still.jpg").status_code == 404
    assert root.submit(address, still=still, **rows(BOXES)).status_code == 409
    ada.submit(f"{address}/still/discard")
    assert ada.get(f"{address}/still.jpg").status_code == 404
    assert ada.submit(address, still=still, **rows(BOXES)).status_code == 409


def test_still_expires() -> None:
    due = []
    stills = StillStore(lambda after_s, then: due.append((after_s, then)))
    first = stills.put(1, "7b", room_picture(), [])
    second = stills.put(1, "7b", room_picture(), [])
    assert [after_s for after_s, _ in due] == [900, 900]
    due[0][1]()
    assert stills.get(1, "7b") is second
    due[1][1]()
    assert stills.get(1, "7b") is None
    assert first.id != second.id
    for account in range(MAX_STILLS + 1):
        stills.put(account, "7b", room_picture(), [])
    assert stills.get(0, "7b") is None


@pytest.mark.parametrize(
    ("seats", "expected_text"),
    [
        ({"A1": (10, 10, 5, 20)}, "is empty"),
        ({"A1": (600, 400, 700, 450)}, "outside the image"),
        ({"A1": BOXES["A1"], "a1": BOXES["A2"]}, "is already on line 1"),
        ({"A1": BOXES["A1"], "A2": BOXES["A1"]}, "overlaps seat"),
        ({"": BOXES["A1"]}, "the label is"),
        ({"A" * 21: BOXES["A1"]}, "the label is"),
        ({}, "The plan has no seat."),
    ],
)
def test_invalid_plan_is_rejected_and_image_stays(
    browser, engine, address, students, seats: dict, expected_text: str
) -> None:
    ada = browser("Ada")
    send_picture(ada, address)
    answer = ada.submit(address, still=still_of(ada, address), **rows(seats))
    assert answer.status_code == 422
    assert expected_text in answer.text
    assert get_seat_plan(engine, "7b") is None
    assert still_of(ada, address)


def test_invalid_form_values_are_rejected(browser, engine, address, students) -> None:
    ada = browser("Ada")
    send_picture(ada, address)
    still = still_of(ada, address)
    for box in ("nan nan nan nan", "1e400 0 0 0", "a b c d", "1 2 3", "", "<script>"):
        fields = {"label-1": "<script>alert(1)</script>", "box-1": box, "student-1": "1"}
        answer = ada.submit(address, still=still, **fields)
        assert answer.status_code == 422
        assert "<script>alert" not in answer.text
    assert get_seat_plan(engine, "7b") is None


def test_duplicate_and_foreign_students_are_rejected(browser, engine, address, students) -> None:
    ada = browser("Ada")
    send_picture(ada, address)
    still = still_of(ada, address)
    twice = rows(BOXES, {"A1": students["Otter"], "A2": students["Otter"]})
    assert "is already on seat A1" in ada.submit(address, still=still, **twice).text
    other = rows(BOXES, {"A1": students["Crane"]})
    assert ada.submit(address, still=still, **other).status_code == 422
    assert get_seat_plan(engine, "7b") is None
    assert next(entry for entry in list_roster(engine, "8c")).seat_label == "A1"


def test_image_without_keypoints_is_rejected(browser, engine, address, students) -> None:
    ada = browser("Ada")
    send_picture(ada, address, coded(np.full((480, 640, 3), 90, np.uint8)))
    answer = ada.submit(address, still=still_of(ada, address), **rows(BOXES))
    assert answer.status_code == 422
    assert get_seat_plan(engine, "7b") is None


def test_opted_out_students_must_be_absent(browser, engine, address, students) -> None:
    text = "name,pseudonym,group,seat,consent\nMia,Otter,,A1,no\n"
    import_roster(engine, parse_roster_bytes(text.encode(), "x", "7b").rows, now_utc())
    ada = browser("Ada")
    answer = send_picture(ada, address)
    assert answer.status_code == 422
    assert "opted out (Otter)" in answer.text
    assert send_picture(ada, address, opted_out_absent="yes").status_code == 303
    assert re.search(r'class="name opted-out" data-student="\d+"', ada.get(address).text)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"GIF89a" + bytes(50),
        b"#EXTM3U\nhttp://127.0.0.1/a\n",
    ],
)
@pytest.mark.parametrize("name", ["room.png", "../../x", "a\0", "x" * 300])
def test_invalid_image_is_rejected(browser, address, students, content: bytes, name: str) -> None:
    ada = browser("Ada")
    answer = send_picture(ada, address, content, name)
    assert answer.status_code == 422
    assert still_of(ada, address) == ""


def test_too_large_image_is_rejected(browser, address, students) -> None:
    ada = browser("Ada")
    assert send_picture(ada, address, bytes(31_000_000)).status_code == 413
    huge = coded(np.zeros((9000, 9000, 3), np.uint8))
    assert len(huge) < 1_000_000
    assert "is not a readable image" in send_picture(ada, address, huge).text


def test_camera_is_chosen_from_settings(browser, address, students, monkeypatch) -> None:
    ada = browser("Ada")
    taken = []
    monkeypatch.setattr(page, "capture_still", lambda spec, *_: taken.append(spec) or room_picture())
    fields = {"input": "camera", "room": "rtsp://elsewhere/", "source": "/etc/passwd"}
    answer = ada.post(
        f"{address}/still", files={k: (None, v) for k, v in {"csrf_token": ada.token(), **fields}.items()}
    )
    assert answer.status_code == 303
    assert taken == ["0"]


def test_seats_of_another_class_are_rejected(browser, engine, address, students) -> None:
    send_picture(browser("Ada"), address)
    for name, code in (("Ben", 404), ("Cleo", 403)):
        outsider = browser(name)
        assert outsider.get(address).status_code == code
        assert outsider.get(f"{address}/still.jpg").status_code == code
        assert outsider.submit(f"{address}/still/discard").status_code == code
        assert outsider.submit(address, still="", **rows(BOXES)).status_code == code
        assert send_picture(outsider, address).status_code == code
    assert still_of(browser("Ada"), address)
    assert send_picture(browser("Ada"), address, csrf_token="wrong").status_code == 403
