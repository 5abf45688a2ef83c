"""The live page: event stream, commands and preview."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from classpulse.config.settings import read_config
from classpulse.web import daemon_status as daemonlook
from classpulse.web.app import build_app
from classpulse.web.daemon_status import DaemonStatusCache, PreviewFetcher
from classpulse.web.pages import live
from db import sessions as queries
from db.accounts import set_account_values
from db.records import SessionStatus
from db.small_faces import SmallFaces
from db.unit_of_work import Store
from monitor.daemon.control import Request
from monitor.daemon.errors import (
    CommandRejected,
    DaemonBusy,
    DaemonUnreachable,
    InvalidRequest,
    RecordingNotFound,
)
from monitor.session.state import SessionState
from tests.helpers.processes import PEOPLE, begin
from tests.helpers.recorded import START
from tests.helpers.status_messages import daemon, recording
from tests.helpers.watched_session import FakeDaemon


def end(engine, session: int) -> None:
    with Store(engine).unit_of_work() as unit:
        unit.end_session(session, SessionStatus.FINISHED, START + timedelta(minutes=5), "")
        unit.commit()


@pytest.fixture
def fake(monkeypatch) -> FakeDaemon:
    monkeypatch.setattr(live, "UPDATE_INTERVAL_S", 0.0)
    return FakeDaemon(monkeypatch)


@pytest.fixture
def lesson(engine, accounts, fake) -> int:
    session = begin(engine)
    fake.recordings = [recording(session_id=session, live_students=PEOPLE, media_s=300.0)]
    return session


def events_of(answer: Any) -> list[dict[str, Any]]:
    """The events of an ended stream."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]


def ends_after(fake: FakeDaemon, engine, session: int, looks: int) -> None:
    def then() -> None:
        if fake.looks >= looks:
            fake.recordings = []
            if queries.get_session(engine, session).status is SessionStatus.RUNNING:
                end(engine, session)

    fake.then = then


class TestPage:
    def test_page_shows_students_with_head_and_expression(self, browser, lesson) -> None:
        page = browser("Ada").get(f"/live/{lesson}").text
        assert "Being recorded" in page
        assert "4 / 5" in page
        for words in (
            "Mia &lt;b&gt;", "turned to the front", "resembling happiness",
            "expression unknown: face too small", "eyes closed", "not seen", "seen, direction unknown",
            "not identified yet",
        ):  # fmt: skip
            assert words in page, words
        assert "<b>" not in page
        assert "is sad" not in page

    def test_page_warns_about_small_faces(self, browser, lesson, fake) -> None:
        ada, found = browser("Ada"), SmallFaces.from_sizes([12.0] * 12, 4, 24)
        assert "more face" not in ada.get(f"/live/{lesson}").text
        fake.recordings = [
            recording(session_id=lesson, live_students=PEOPLE, media_s=300.0, small_faces=found)
        ]
        page = ada.get(f"/live/{lesson}").text
        assert "About 12 more faces are smaller than 24\N{NO-BREAK SPACE}px." in page
        assert "Set detection.min_face_px to 12" in page
        fake.recordings = [recording(session_id=lesson, small_faces=SmallFaces.from_sizes([], 4, 24))]
        assert "more face" not in ada.get(f"/live/{lesson}").text

    def test_warning_is_translated(self, browser, lesson, fake) -> None:
        found = SmallFaces.from_sizes([12.0] * 12, 4, 24)
        fake.recordings = [recording(session_id=lesson, live_students=PEOPLE, small_faces=found)]
        page = browser("Ada").get(f"/live/{lesson}", headers={"accept-language": "de"}).text
        assert "Etwa 12 weitere Gesichter sind kleiner als 24" in page
        assert "Stellen Sie detection.min_face_px auf 12" in page

    def test_page_shows_charts_gaps_markers_and_tables(self, browser, lesson) -> None:
        page = browser("Ada").get(f"/live/{lesson}").text
        assert page.count("<svg") == 2
        assert "&lt;i&gt;quiz&lt;/i&gt;" in page
        assert "(0:30): paused" in page
        assert "-unobserved)" in page
        assert "style=" not in page, "the content security policy forbids it"
        assert "<caption>" in page

    def test_page_without_signal_shows_no_students(self, browser, lesson, fake) -> None:
        ada = browser("Ada")
        for state in (SessionState.PAUSED, SessionState.NO_SIGNAL, SessionState.ENDING):
            # The last status may be outdated.
            fake.recordings = [
                recording(session_id=lesson, state=state, live_students=PEOPLE, camera_reason="gone")
            ]
            page = ada.get(f"/live/{lesson}").text
            assert "it is not known who is present" in page, state
            assert "Mia" not in page
            assert ('<p class="error">gone' in page) == (state is SessionState.NO_SIGNAL)

    def test_page_requires_access_to_class(self, browser, lesson) -> None:
        ben = browser("Ben")
        for path in ("", "/events", "/picture"):
            assert ben.get(f"/live/{lesson}{path}").status_code == 404
        for verb in ("stop", "pause", "resume", "mark"):
            assert ben.submit(f"/live/{lesson}/{verb}", text="x").status_code == 404
        assert browser("Ada").get("/live/999").status_code == 404
        assert browser("Cleo").get(f"/live/{lesson}").status_code == 200

    def test_view_is_audited_once(self, browser, lesson, engine) -> None:
        ada = browser("Ada")
        for _ in range(3):
            ada.get(f"/live/{lesson}")
        trail = [(entry.action, entry.subject, entry.detail) for entry in queries.list_audit_entries(engine)]
        assert trail.count(("view", f"session {lesson}", "by Ada")) == 1

    def test_ended_session_redirects_to_lesson(self, browser, lesson, engine) -> None:
        end(engine, lesson)
        assert browser("Ada").get(f"/live/{lesson}").headers["location"] == f"/lessons/{lesson}"

    def test_unreachable_daemon_is_shown(self, browser, lesson, fake) -> None:
        fake.silent = DaemonUnreachable("Classpulse (process 9) has not answered for 10 s.", "See its log.")
        page = browser("Ada").get(f"/live/{lesson}")
        assert page.status_code == 200
        assert "has not answered" in page.text


class TestModes:
    @pytest.fixture
    def page(self, engine, browser, fake):
        def get(mode: str, students=PEOPLE) -> str:
            session = begin(engine, mode)
            fake.recordings = [recording(session_id=session, live_students=students)]
            text = browser("Ada").get(f"/live/{session}").text
            ends_after(fake, engine, session, fake.looks + 2)
            return text + browser("Ada").get(f"/live/{session}/events").text

        return get

    def test_bowed_head_is_shown_as_reason(self, page) -> None:
        text = page("emotion", (replace(PEOPLE[1], unreadable_reason="head bowed"), *PEOPLE[2:]))
        assert "expression unknown: head bowed" in text

    def test_preview_alt_text_depends_on_mode(self, page) -> None:
        assert "the expression read from it" in page("emotion")
        assert "the expression read from it" not in page("aggregate", ())

    def test_behaviour_mode_shows_no_expression(self, page) -> None:
        people = tuple(replace(one, expression=None, unreadable_reason="not computed") for one in PEOPLE)
        text = page("behaviour", people)
        assert "turned to the front" in text
        for word in ("resembl", "xpression unknown", "neutral", "not computed", "faces_chart"):
            assert word not in text, word
        assert 'id="show"' not in text, "no preview"

    def test_aggregate_mode_shows_no_student(self, page) -> None:
        text = page("aggregate", ())
        assert "Mia" not in text
        assert "Student 1" not in text
        assert "Faces seen now: 21" in text


class TestEvents:
    def test_stream_ends_with_session_and_report_url(self, browser, lesson, fake, engine) -> None:
        ends_after(fake, engine, lesson, 2)
        first, *_, last = events_of(browser("Ada").get(f"/live/{lesson}/events"))
        assert (first["session"], first["state"], first["is_over"]) == (lesson, "recording", False)
        assert "Mia" in first["parts"]["people"]
        assert (last["is_over"], last["report"], last["next_url"]) == (True, f"/lessons/{lesson}", None)

    def test_stream_names_successor_session(self, browser, lesson, fake, engine) -> None:
        end(engine, lesson)
        room = queries.get_session(engine, lesson).room
        fake.recordings = [recording(session_id=lesson + 1, room=room)]
        (only,) = events_of(browser("Ada").get(f"/live/{lesson}/events"))
        assert only["next_url"] == f"/live/{lesson + 1}"

    def test_stream_sends_changed_parts_only(self, browser, lesson, fake, engine) -> None:
        changed = recording(session_id=lesson, live_students=PEOPLE[:1])

        def then() -> None:
            if fake.looks == 2:
                fake.recordings = [changed]
            if fake.looks >= 3 and fake.recordings:
                fake.recordings = []
                end(engine, lesson)

        fake.then = then
        events = events_of(browser("Ada").get(f"/live/{lesson}/events"))
        assert "heads_chart" in events[0]["parts"]
        assert events[1]["parts"] == {}
        assert {"people", "heads_legend"} <= set(events[2]["parts"])
        assert "heads_chart" not in events[2]["parts"]

    def test_stream_ends_when_access_is_lost(
        self, browser, lesson, fake, engine, accounts, monkeypatch
    ) -> None:
        monkeypatch.setattr(live, "ACCESS_CHECK_INTERVAL_S", 0.0)
        ada = browser("Ada")

        def then() -> None:
            if fake.looks == 3:
                with Store(engine).unit_of_work() as unit:
                    set_account_values(unit, accounts["Ada"], disabled=True)
                    unit.commit()
            assert fake.looks < 10, "the stream does not end"

        fake.then = then
        assert events_of(ada.get(f"/live/{lesson}/events"))[-1]["is_over"] is False

    def test_stream_view_is_audited(self, browser, lesson, fake, engine) -> None:
        ends_after(fake, engine, lesson, 1)
        browser("Ada").get(f"/live/{lesson}/events")
        assert ("view", f"session {lesson}") in [
            (o.action, o.subject) for o in queries.list_audit_entries(engine)
        ]


class TestCommands:
    @pytest.mark.parametrize("verb", ["stop", "pause", "resume"])
    def test_button_sends_command_for_its_session(self, browser, lesson, fake, engine, verb) -> None:
        answer = browser("Ada").submit(f"/live/{lesson}/{verb}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/live/{lesson}")
        assert fake.orders == [Request(verb, session_id=lesson)]
        assert (verb, f"session {lesson}") in [
            (o.action, o.subject) for o in queries.list_audit_entries(engine)
        ]
        home = browser("Ada").submit(f"/live/{lesson}/{verb}", back="home")
        assert home.headers["location"] == "/"

    def test_marker_returns_json(self, browser, lesson, fake) -> None:
        ada = browser("Ada")
        headers = {"accept": "application/json", "x-csrf-token": ada.token()}
        answer = ada.post(f"/live/{lesson}/mark", data={"text": "quiz"}, headers=headers)
        assert answer.json() == {"session": lesson, "done": "mark", "at_s": 60.0}
        assert fake.orders == [Request("mark", text="quiz", session_id=lesson)]
        fake.refuses = InvalidRequest("The marker has no text.", "Enter what happened.")
        answer = ada.post(f"/live/{lesson}/mark", data={"text": " "}, headers=headers)
        assert answer.status_code == 409
        assert answer.json() == {"error": "The marker has no text.", "hint": "Enter what happened."}

    def test_counsellor_cannot_send_commands(self, browser, lesson, fake) -> None:
        cleo = browser("Cleo")
        for verb in ("stop", "pause", "resume", "mark"):
            assert cleo.submit(f"/live/{lesson}/{verb}", text="x").status_code == 403
        assert fake.orders == []
        assert 'action="/live' not in cleo.get(f"/live/{lesson}").text

    def test_rejected_command_shows_problem_without_hint(self, browser, lesson, fake) -> None:
        fake.refuses = CommandRejected("7b is already paused.", "Use 'classpulse resume'.")
        answer = browser("Ada").submit(f"/live/{lesson}/pause")
        assert answer.status_code == 409
        assert '<p class="error" role="alert">7b is already paused.</p>' in answer.text


class TestPreview:
    def test_preview_is_returned_and_audited(self, browser, lesson, fake, engine) -> None:
        fake.jpeg = base64.b64encode(b"\xff\xd8 a picture").decode()
        answer = browser("Ada").get(f"/live/{lesson}/picture")
        assert (answer.status_code, answer.content) == (200, b"\xff\xd8 a picture")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"
        assert fake.orders == [Request("picture", session_id=lesson)]
        assert ("view preview", f"session {lesson}") in [
            (o.action, o.subject) for o in queries.list_audit_entries(engine)
        ]

    def test_preview_without_frame_is_204(self, browser, lesson, fake) -> None:
        assert browser("Ada").get(f"/live/{lesson}/picture").status_code == 204
        fake.refuses = RecordingNotFound("Session 1 is no longer being recorded.")
        assert browser("Ada").get(f"/live/{lesson}/picture").status_code == 409

    @pytest.mark.parametrize(("setting", "code"), [("false", 404), ("true", 200)])
    def test_preview_in_behaviour_mode_needs_setting(
        self, configured, engine, accounts, fake, visiting, setting: str, code: int
    ) -> None:
        path = configured(
            "behaviour", more=f"class: {{name: 7b}}\nserve: {{preview_in_behaviour_mode: {setting}}}\n"
        )
        ada = visiting(build_app(read_config(path), engine))
        ada.submit("/login", "/login", name="Ada", password="three quiet walnuts", return_to="/")
        session = begin(engine, "behaviour")
        fake.jpeg = base64.b64encode(b"picture").decode()
        assert ada.get(f"/live/{session}/picture").status_code == code
        assert len(fake.orders) == (code == 200)


def test_status_is_cached_for_all_viewers(monkeypatch, tmp_path) -> None:
    asked, now = [], [0.0]
    monkeypatch.setattr(daemonlook, "daemon_status", lambda folder: asked.append(folder) or daemon())
    look = DaemonStatusCache(tmp_path, lambda: now[0])
    for _ in range(20):
        look.snapshot()
    assert len(asked) == 1
    now[0] = daemonlook.CACHE_LIFETIME_S
    look.snapshot()
    assert len(asked) == 2


def test_slow_query_returns_previous_status(monkeypatch, tmp_path) -> None:
    now = [0.0]
    monkeypatch.setattr(daemonlook, "daemon_status", lambda folder: daemon(pid=1))
    look = DaemonStatusCache(tmp_path, lambda: now[0])
    look.snapshot()
    now[0] = 10.0

    def slow(folder: object) -> Any:
        # While this query is running, others get the previous status.
        assert look.snapshot().daemon.pid == 1
        return daemon(pid=2)

    monkeypatch.setattr(daemonlook, "daemon_status", slow)
    assert look.snapshot().daemon.pid == 2


def test_command_invalidates_cached_status(monkeypatch, tmp_path) -> None:
    asked: list[object] = []
    monkeypatch.setattr(daemonlook, "daemon_status", lambda folder: asked.append(folder) or daemon())
    monkeypatch.setattr(daemonlook, "send_request", lambda folder, request: {})
    look = DaemonStatusCache(tmp_path, lambda: 0.0)
    look.snapshot()
    look.send(Request("stop"))
    look.snapshot()
    assert len(asked) == 2


def test_failed_preview_is_raised_and_retried(monkeypatch, tmp_path) -> None:
    answers: list[Any] = [DaemonBusy("Classpulse is busy."), {"jpeg": "abc"}]

    def ask(folder: object, request: Request) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(daemonlook, "send_request", ask)
    pictures = PreviewFetcher(DaemonStatusCache(tmp_path))
    with pytest.raises(DaemonBusy):
        pictures.fetch(1)
    assert pictures.fetch(1) == "abc"


def test_load_bins_since_returns_last_bins(engine, accounts) -> None:
    session = begin(engine)
    assert {one.start_s for one in queries.load_bins(engine, session, 280.0)} == {280.0, 285.0, 290.0, 295.0}
