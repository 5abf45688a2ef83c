"""The start page: starting a lesson, running recordings and their buttons."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from classpulse.config.settings import read_config
from classpulse.services.assessment import reassess_session
from classpulse.web.app import build_app
from db import sessions as queries
from db.accounts import set_account_classes
from db.unit_of_work import Store
from monitor.daemon.control import Request
from monitor.daemon.errors import DaemonNotRunning, DaemonUnreachable, RecordingConflict
from monitor.daemon.status import NextLesson, Problem, ProblemKind
from monitor.session.state import SessionState
from reports.text.dates import format_short_datetime
from tests.helpers.recorded import START
from tests.helpers.status_messages import NOW, recording
from tests.helpers.watched_session import FakeDaemon


def problem(class_name: str, text: str) -> Problem:
    return Problem(class_name, None, ProblemKind.NOT_RECORDED, text)


@pytest.fixture
def fake(monkeypatch) -> FakeDaemon:
    return FakeDaemon(monkeypatch)


class TestStart:
    def test_start_sends_request_and_redirects(self, browser, fake, engine) -> None:
        answer = browser("Ada").submit("/start", **{"class": "7b", "room": "", "minutes": ""})
        assert (answer.status_code, answer.headers["location"]) == (303, "/?started=7b")
        assert fake.orders == [Request("start", None, "7b")]
        assert ("start", "class 7b") in [
            (entry.action, entry.subject) for entry in queries.list_audit_entries(engine)
        ]

    def test_start_with_minutes_sends_end_time(self, browser, fake) -> None:
        assert browser("Ada").submit("/start", **{"class": "7b", "minutes": "45"}).status_code == 303
        ends = datetime.fromisoformat(fake.orders[0].until)
        assert timedelta(minutes=44) < ends - datetime.now(UTC) <= timedelta(minutes=45)

    @pytest.mark.parametrize("minutes", ["0", "-3", "many", "1e9", "nan", "inf"])
    def test_invalid_minutes_are_rejected(self, browser, fake, minutes: str) -> None:
        answer = browser("Ada").submit("/start", **{"class": "7b", "minutes": minutes})
        assert answer.status_code == 400
        assert "The minutes must be a number from 1 to 1440" in answer.text
        assert f'value="{minutes}"' in answer.text, "the typed value is kept"
        assert fake.orders == []

    def test_other_and_unknown_classes_are_rejected(self, browser, fake) -> None:
        assert browser("Ben").submit("/start", **{"class": "7b"}).status_code == 404
        assert browser("Root").submit("/start", **{"class": "made up"}).status_code == 400
        assert browser("Cleo").submit("/start", **{"class": "7b"}).status_code == 403
        assert fake.orders == []

    def test_unknown_room_is_rejected(self, browser, fake) -> None:
        answer = browser("Ada").submit("/start", **{"class": "7b", "room": "the cellar"})
        assert answer.status_code == 400
        assert "no such room" in answer.text

    def test_rejected_start_shows_problem_without_hint(self, browser, fake) -> None:
        fake.refuses = RecordingConflict(
            "Session 3 of 7b in A 1 is already being recorded.", "Stop it with 'classpulse stop' first."
        )
        answer = browser("Ada").submit("/start", **{"class": "7b"})
        assert answer.status_code == 409
        assert (
            '<p class="error" role="alert">Session 3 of 7b in A 1 is already being recorded.</p>'
            in answer.text
        )

    def test_missing_daemon_is_explained(self, browser, fake) -> None:
        fake.refuses = DaemonNotRunning("Classpulse is not running.", "'classpulse start' starts a session.")
        answer = browser("Ada").submit("/start", **{"class": "7b"})
        assert "The recording service is not running at the moment." in answer.text

    def test_missing_policy_replaces_form(self, config, engine, accounts, fake, visiting, tmp_path) -> None:
        (tmp_path / "config.yaml").write_text("class: {name: 7b}\n", encoding="utf-8")
        ada = visiting(build_app(read_config(tmp_path / "config.yaml"), engine))
        ada.submit("/login", "/login", name="Ada", password="three quiet walnuts", return_to="/")
        page = ada.get("/").text
        assert "no section &#39;policy&#39;" in page
        assert 'action="/start"' not in page


class TestRecordings:
    def test_recording_has_buttons_for_teachers(self, browser, fake) -> None:
        fake.recordings = [recording()]
        page = browser("Ada").get("/").text
        assert 'href="/live/7"' in page
        for verb in ("stop", "pause", "resume", "mark"):
            assert f'action="/live/7/{verb}"' in page
        assert 'action="/live/7' not in browser("Cleo").get("/").text, "a counsellor has no buttons"

    def test_recordings_of_other_classes_are_hidden(self, browser, fake) -> None:
        fake.recordings = [recording()]
        fake.changes = {
            "next_lesson": NextLesson("7b", "B 12", NOW),
            "problems": (problem("7b", "the camera is gone"),),
        }
        for path in ("/", "/recordings?started=7b"):
            answer = browser("Ben").get(path, headers={"accept": "application/json"} if "?" in path else None)
            shown = re.sub(r'data-followed="7b"|\b[0-9a-f]{64}\b', "", answer.text)  # without CSRF tokens
            assert "7b" not in shown, path
            assert "B 12" not in answer.text

    def test_next_lesson_is_shown_to_its_teacher(self, browser, fake) -> None:
        fake.changes = {"next_lesson": NextLesson("7b", "B 12", NOW)}
        assert "Next lesson in the timetable" in browser("Ada").get("/").text
        assert "Next lesson in the timetable" not in browser("Ben").get("/").text

    def test_problems_are_shown_to_administrators(self, browser, fake) -> None:
        fake.changes = {"problems": (problem("8c", "no camera"),)}
        assert "no camera" in browser("Root").get("/").text
        assert "no camera" not in browser("Ben").get("/").text

    def test_starting_recording_is_followed(self, browser, fake) -> None:
        ada = browser("Ada")
        fake.recordings = [recording(session_id=None, state=SessionState.STARTING, started_at=None)]
        answer = ada.get("/recordings?started=7b").json()
        assert (answer["is_transient"], answer["has_started"]) == (True, False)
        assert "Starting:" in answer["html"]
        assert 'action="/cancel"' in answer["html"]
        fake.recordings = [recording()]
        answer = ada.get("/recordings?started=7b").json()
        assert (answer["is_transient"], answer["has_started"]) == (False, True)
        assert 'href="/live/7"' in answer["html"]

    def test_start_failure_is_shown_to_user_who_started(self, browser, fake) -> None:
        fake.changes = {
            "problems": (problem("7b", "camera 0 gives no frame"), problem("7bx", "something else"))
        }
        assert "camera 0 gives no frame" in browser("Ada").get("/recordings?started=7b").json()["html"]
        assert "camera 0" not in browser("Ada").get("/recordings").json()["html"]
        assert "camera 0" not in browser("Ben").get("/recordings?started=7b").json()["html"]
        assert "something else" not in browser("Ada").get("/recordings?started=7b").json()["html"]
        fake.recordings = [recording()]
        assert "camera 0" not in browser("Ada").get("/recordings?started=7b").json()["html"]

    def test_cancel_sends_class_and_room(self, browser, fake) -> None:
        fields = {"class": "7b", "room": "B 12"}
        assert browser("Ben").submit("/cancel", **fields).status_code == 404
        assert browser("Ada").submit("/cancel", **fields).status_code == 303
        assert fake.orders == [Request("stop", "B 12", "7b")]

    def test_recording_interrupted_while_paused_can_be_resumed(self, browser, fake) -> None:
        ada, fields = browser("Ada"), {"class": "7b", "room": "B 12"}
        fake.recordings = [recording(session_id=None, state=SessionState.PAUSED, started_at=None)]
        page = ada.get("/").text
        assert "Nothing is recorded until you resume it" in page
        assert 'action="/cancel"' in page
        assert 'action="/resume"' in page
        assert browser("Ben").submit("/resume", **fields).status_code == 404
        answer = ada.submit("/resume", **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/?started=7b")
        assert fake.orders == [Request("resume", "B 12", "7b")]

    def test_paused_session_is_resumed_by_its_own_button(self, browser, fake) -> None:
        fake.recordings = [recording(state=SessionState.PAUSED)]
        page = browser("Ada").get("/").text
        assert ('action="/live/7/resume"' in page, 'action="/resume"' in page) == (True, False)

    def test_unreachable_daemon_is_shown(self, browser, fake) -> None:
        fake.silent = DaemonUnreachable("Classpulse (process 9) has not answered for 10 s.", "See its log.")
        page = browser("Ada").get("/")
        assert page.status_code == 200
        assert "has not answered for 10 s. See its log." in page.text

    def test_names_are_escaped(self, browser, fake) -> None:
        fake.recordings = [recording(camera_reason="<b>no</b>")]
        page = browser("Root").get("/?started=%22%3E%3Cscript%3E").text
        assert "<b>no" not in page
        assert "<script>" not in page


class TestLastLessons:
    def test_lessons_are_links_and_newest_class_is_selected(
        self, browser, engine, accounts, session_7b, fake
    ) -> None:
        with Store(engine).unit_of_work() as unit:
            set_account_classes(unit, accounts["Ada"], ["6a", "7b"])
            unit.commit()
        page = browser("Ada").get("/").text
        here = START.astimezone()  # in this computer's time zone
        start_text = f"{here:%a} {format_short_datetime(here)}"
        assert re.search(rf'<a href="/lessons/{session_7b}"><time [^>]*>{start_text}</time></a>', page)
        assert "<option>6a</option>" in page
        assert "<option selected>7b</option>" in page
        assert "/lessons/" not in browser("Ben").get("/").text

    def test_open_checkins_are_counted_for_own_classes(
        self, browser, engine, config, session_7b, fake
    ) -> None:
        assert "open check-in" not in browser("Ada").get("/").text
        reassess_session(engine, session_7b, config)
        assert '<a href="/check-ins">1 open check-in</a>' in browser("Ada").get("/").text
        assert "open check-in" not in browser("Ben").get("/").text
