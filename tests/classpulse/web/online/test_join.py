"""The student's page of an online lesson."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from classpulse.config.settings import read_config
from classpulse.online.jpeg import MAX_JPEG_BYTES
from classpulse.online.manager import OnlineLessonManager
from classpulse.web.app import build_app
from db import sessions as queries
from db.clock import now_utc
from db.erasure import find_recorded_id
from db.roster import save_roster_entry
from db.unit_of_work import Store
from monitor.sources.participant_grid import TileFace

JPEG = cv2.imencode(".jpg", np.zeros((240, 320, 3), np.uint8))[1].tobytes()


def send(new, here: str, body: bytes = JPEG, kind: str = "image/jpeg"):
    headers = {"X-CSRF-Token": new.token(here), "Content-Type": kind, "Accept": "application/json"}
    return new.post(f"{here}/frame", content=body, headers=headers)


def test_consent_page_explains_and_requests_no_camera(browser, here) -> None:
    page = browser().get(here)
    assert page.status_code == 200
    for words in ("One small image per second", "the image is deleted", "Who sees it", "close this page"):
        assert words in page.text
    assert 'type="checkbox"' in page.text
    assert "checked" not in page.text
    assert "/static/join.js" not in page.text
    assert "camera=()" in page.headers["permissions-policy"]


def test_camera_policy_only_after_joining(student, here) -> None:
    robin = student()
    page = robin.get(here)
    assert "camera=(self), microphone=()" in page.headers["permissions-policy"]
    assert "/static/join.js" in page.text
    assert "camera=()" in robin.get("/join").headers["permissions-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


def test_join_without_consent_is_rejected(browser, here, lesson) -> None:
    new = browser()
    answer = new.submit(here, here, pseudonym="Robin")
    assert answer.status_code == 400
    assert "only if you agree" in answer.text
    assert 'value="Robin"' in answer.text
    assert lesson.participants() == []
    assert "classpulse_join" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\u202eb", "..."])
def test_invalid_pseudonym_is_rejected(browser, here, lesson, name: str) -> None:
    answer = browser().submit(here, here, pseudonym=name, consent="yes")
    assert (answer.status_code, lesson.participants()) == (400, [])


def test_pseudonym_is_escaped(student, browser, here, lesson) -> None:
    robin = student("<b onclick=alert(1)>{{ 7*7 }}")
    assert "<b onclick" not in robin.get(here).text
    page = browser("Ada").get(f"/online/{lesson.number}").text
    assert "<b onclick" not in page
    assert "{{ 7*7 }}" in page


def test_duplicate_pseudonym_is_rejected(student, browser, here) -> None:
    student("Robin")
    answer = browser().submit(here, here, pseudonym="robin", consent="yes")
    assert answer.status_code == 400
    assert "Choose another one" in answer.text


def test_roster_identifies_and_excludes_students(engine, student, browser, here, lesson) -> None:
    with Store(engine).unit_of_work() as unit:
        mia = save_roster_entry(unit, "7b", "Mia", None, consent=True, at=now_utc())
        save_roster_entry(unit, "7b", "Noah", None, consent=False, at=now_utc())
        save_roster_entry(unit, "8c", "Zoe", None, consent=True, at=now_utc())
        unit.commit()
    student("mia")
    student("Zoe")
    assert [participant.student_id for participant in lesson.participants()] == [mia, None]
    assert browser().submit(here, here, pseudonym="Noah", consent="yes").status_code == 400


def test_join_cookie_is_http_only_and_bound_to_path(student, here) -> None:
    new = student()
    answer = new.submit(here, here, consent="yes")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert f"path={here}".lower() in cookie


def test_frames_are_stored_while_recorder_polls(student, here, lesson, clock) -> None:
    robin = student()
    assert send(robin, here).json() == {"is_polled": False}
    assert lesson.participants()[0].frame_jpeg is None
    lesson.poll(0, (), clock())
    clock.now_s += 1
    assert send(robin, here).json() == {"is_polled": True, "frame": 1, "face": None}
    assert lesson.poll(0, (), clock())[1] == [JPEG]
    assert send(robin, here).status_code == 429
    assert send(robin, here, b"").json() == {"is_polled": True, "frame": 1, "face": None}


def test_frame_answer_contains_own_face_box(student, here, lesson, clock) -> None:
    robin, mia = student("Robin"), student("Mia")
    lesson.poll(0, (), clock())
    send(robin, here)
    send(mia, here)
    participants = {
        participant.pseudonym: participant for participant in lesson.poll(0, (), clock())[0].participants
    }
    box = (0.25, 0.123456, 0.5, 1.0)
    lesson.poll(0, (), clock(), [TileFace(participants["Mia"].tile, participants["Mia"].image_number, box)])
    answer = send(mia, here, b"").json()
    assert answer["face"] == {"frame": 1, "box": [0.25, 0.1235, 0.5, 1.0]}
    assert send(robin, here, b"").json()["face"] is None
    lesson.poll(0, (), clock(), [TileFace(participants["Mia"].tile, participants["Mia"].image_number, None)])
    assert send(mia, here, b"").json()["face"] == {"frame": 1, "box": None}


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"GIF89a", "image/jpeg", 422),
        (JPEG[:-9], "image/jpeg", 422),
        (JPEG, "image/png", 415),
        (JPEG, "multipart/form-data", 415),
        (b"\0" * (MAX_JPEG_BYTES + 1), "image/jpeg", 413),
        (cv2.imencode(".jpg", np.zeros((700, 700, 3), np.uint8))[1].tobytes(), "image/jpeg", 422),
    ],
)
def test_invalid_frame_is_rejected(student, here, lesson, clock, body, kind: str, code: int) -> None:
    robin = student()
    lesson.poll(0, (), clock())
    assert send(robin, here, body, kind).status_code == code
    assert lesson.participants()[0].frame_jpeg is None


def test_chunked_body_is_limited(student, here) -> None:
    robin = student()
    headers = {"X-CSRF-Token": robin.token(here), "Content-Type": "image/jpeg"}
    endless = (b"\0" * 50_000 for _ in range(10))
    assert robin.post(f"{here}/frame", content=endless, headers=headers).status_code == 413


def test_unknown_and_forged_requests_are_rejected(student, browser, here, lesson) -> None:
    robin, stranger = student(), browser()
    assert send(stranger, here).status_code == 404
    assert (
        robin.post(f"{here}/frame", content=JPEG, headers={"Content-Type": "image/jpeg"}).status_code == 403
    )
    for what in ("leave", "withdraw"):
        assert stranger.submit(f"{here}/{what}", here).status_code == 404
        assert robin.post(f"{here}/{what}").status_code == 403
    assert stranger.get(f"{here}/withdrawal").status_code == 404
    assert len(lesson.participants()) == 1


def test_leaving_stops_frames_and_allows_rejoining(student, here, lesson, clock) -> None:
    robin = student()
    lesson.poll(0, (), clock())
    send(robin, here)
    assert robin.submit(f"{here}/leave", here).status_code == 303
    assert lesson.poll(0, (), clock())[0].active_tiles == frozenset()
    page = robin.get(here)
    assert "You have left the lesson" in page.text
    assert "camera=()" in page.headers["permissions-policy"]
    clock.now_s += 1
    assert send(robin, here).status_code == 409
    robin.submit(here, here, consent="yes")
    assert "You are in the online lesson" in robin.get(here).text
    assert len(lesson.participants()) == 1


def test_withdrawal_is_erased_and_audited_without_name(student, here, lesson, lessons, clock, engine) -> None:
    robin = student()
    robin.submit(f"{here}/withdraw", here)
    assert "being erased" in robin.get(here).text
    assert robin.get(f"{here}/withdrawal").json() == {"done": False}
    lessons.run_maintenance()
    assert robin.get(f"{here}/withdrawal").status_code == 200, "the recorder has not confirmed it yet"
    lesson.poll(0, (0,), clock())
    lessons.run_maintenance()
    assert robin.get(f"{here}/withdrawal").status_code == 404
    assert "Join the online lesson" in robin.get(here).text
    trail = [(entry.action, entry.subject) for entry in queries.list_audit_entries(engine)]
    assert ("withdraw consent", "online lesson of 7b") in trail
    assert "Robin" not in str(queries.list_audit_entries(engine))


def test_withdrawal_after_lesson_erases_session_and_report(
    student, here, lesson, lessons, engine, config, orders, clock
) -> None:
    robin = student()
    from dataclasses import replace

    from db.records import SessionProgress, SessionStatus
    from tests.helpers.recorded import new_session, one_bin

    with Store(engine).unit_of_work() as unit:
        new = replace(new_session(), started_at=now_utc(), room=lesson.room, source="online lesson")
        session = unit.start_session(new)
        own = unit.add_student(session, "Robin")
        other = unit.add_student(session, "Kestrel")
        unit.write_bins(session, [one_bin(student, n, "n") for student in (own, other) for n in range(5)])
        unit.save_progress(session, SessionProgress(25.0, 25.0, 25, 0))
        unit.end_session(session, SessionStatus.FINISHED, now_utc(), "")
        unit.commit()
    lessons.end(lesson)
    assert "The lesson has ended" in robin.get(here).text
    robin.submit(f"{here}/withdraw", here)
    lessons.run_maintenance()
    assert robin.get(f"{here}/withdrawal").status_code == 404
    assert find_recorded_id(engine, session, "Robin", None) is None
    assert {one.student_id for one in queries.load_bins(engine, session)} == {other}
    assert orders[-1] == session


def test_wrong_codes_are_rate_limited_except_for_participants(student, browser, here) -> None:
    robin, guesser = student(), browser()
    codes = [guesser.get(f"/join/{code}").status_code for code in ["AAAABBBB"] * 20]
    assert codes == [404] * 20
    assert guesser.get("/join/AAAACCCC").status_code == 429
    assert guesser.get(here).status_code == 429, "the wait must not reveal correct codes"
    assert guesser.get("/join", params={"code": here[-8:]}).status_code == 429
    assert robin.get(here).status_code == 200
    assert send(robin, here).status_code == 200


@pytest.mark.parametrize("code", ["nothing", "../../etc", "AAAA-BBBB-CCCC", "x" * 3000, "%00"])
def test_invalid_code_is_404(browser, code: str) -> None:
    assert browser().get(f"/join/{code}").status_code == 404


def test_typed_code_is_normalised(browser, here, lesson) -> None:
    typed = f"{lesson.code[:4].lower()}-{lesson.code[4:].lower()}"
    assert browser().get("/join", params={"code": typed}).headers["location"] == here
    assert browser().get(f"/join/{typed}").headers["location"] == here


@pytest.mark.parametrize(
    ("mode", "expected_text", "does_not"),
    [
        ("behaviour", "No expression is computed.", "what the expression resembles"),
        ("emotion", "what the expression resembles", "No expression is computed."),
        ("aggregate", "Nothing under your name.", "added to your earlier lessons"),
    ],
)
def test_consent_text_depends_on_mode(
    configured, engine, accounts, visiting, mode: str, expected_text: str, does_not: str
) -> None:
    config = read_config(configured(mode=mode, more="class: {name: 7b}\nretention: {keep_days: 30}\n"))
    app = build_app(config, engine)
    app.state.context.online_lessons = OnlineLessonManager(
        config, engine, send_request=lambda _: None, runs_thread=False
    )
    opened = app.state.context.online_lessons.open("7b", 4)
    page = visiting(app).get(f"/join/{opened.code}").text
    app.state.context.online_lessons.close()
    assert expected_text in page
    assert does_not not in page
    assert "They are erased after 30 days." in page
