"""The page of a lesson that is being recorded, its stream of events, its buttons, its picture."""

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


def told(answer: Any) -> list[dict[str, Any]]:
    """The events of a stream that has ended."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]


def ends_after(fake: FakeDaemon, engine, session: int, looks: int) -> None:
    def then() -> None:
        if fake.looks >= looks:
            fake.recordings = []
            if queries.get_session(engine, session).status is SessionStatus.RUNNING:
                end(engine, session)

    fake.then = then


class TestThePage:
    def test_says_who_is_present_and_what_they_do(self, browser, lesson) -> None:
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

    def test_says_that_faces_are_missed_and_what_to_do(self, browser, lesson, fake) -> None:
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

    def test_says_it_in_german(self, browser, lesson, fake) -> None:
        found = SmallFaces.from_sizes([12.0] * 12, 4, 24)
        fake.recordings = [recording(session_id=lesson, live_students=PEOPLE, small_faces=found)]
        page = browser("Ada").get(f"/live/{lesson}", headers={"accept-language": "de"}).text
        assert "Etwa 12 weitere Gesichter sind kleiner als 24" in page
        assert "Stellen Sie detection.min_face_px auf 12" in page

    def test_shows_curves_gaps_and_markers_and_the_same_as_a_table(self, browser, lesson) -> None:
        page = browser("Ada").get(f"/live/{lesson}").text
        assert page.count("<svg") == 2
        assert "&lt;i&gt;quiz&lt;/i&gt;" in page
        assert "(0:30): paused" in page
        assert "-unobserved)" in page
        assert "style=" not in page, "the policy of the page forbids it"
        assert "<caption>" in page

    def test_shows_nothing_of_anybody_while_nothing_can_be_seen(self, browser, lesson, fake) -> None:
        ada = browser("Ada")
        for state in (SessionState.PAUSED, SessionState.NO_SIGNAL, SessionState.ENDING):
            # What was told last may be of before.
            fake.recordings = [
                recording(session_id=lesson, state=state, live_students=PEOPLE, camera_reason="gone")
            ]
            page = ada.get(f"/live/{lesson}").text
            assert "it is not known who is present" in page, state
            assert "Mia" not in page
            assert ('<p class="error">gone' in page) == (state is SessionState.NO_SIGNAL)

    def test_is_only_for_who_sees_the_class(self, browser, lesson) -> None:
        ben = browser("Ben")
        for path in ("", "/events", "/picture"):
            assert ben.get(f"/live/{lesson}{path}").status_code == 404
        for verb in ("stop", "pause", "resume", "mark"):
            assert ben.submit(f"/live/{lesson}/{verb}", text="x").status_code == 404
        assert browser("Ada").get("/live/999").status_code == 404
        assert browser("Cleo").get(f"/live/{lesson}").status_code == 200

    def test_a_look_is_noted_once_for_as_long_as_it_lasts(self, browser, lesson, engine) -> None:
        ada = browser("Ada")
        for _ in range(3):
            ada.get(f"/live/{lesson}")
        noted = [(one.action, one.subject, one.detail) for one in queries.list_audit_entries(engine)]
        assert noted.count(("view", f"session {lesson}", "by Ada")) == 1

    def test_of_a_lesson_that_is_over_is_its_report(self, browser, lesson, engine) -> None:
        end(engine, lesson)
        assert browser("Ada").get(f"/live/{lesson}").headers["location"] == f"/lessons/{lesson}"

    def test_says_so_where_the_program_does_not_answer(self, browser, lesson, fake) -> None:
        fake.silent = DaemonUnreachable("Classpulse (process 9) has not answered for 10 s.", "See its log.")
        page = browser("Ada").get(f"/live/{lesson}")
        assert page.status_code == 200
        assert "has not answered" in page.text


class TestModes:
    @pytest.fixture
    def page(self, engine, browser, fake):
        def get(mode: str, live_students=PEOPLE) -> str:
            session = begin(engine, mode)
            fake.recordings = [recording(session_id=session, live_students=people)]
            text = browser("Ada").get(f"/live/{session}").text
            ends_after(fake, engine, session, fake.looks + 2)
            return text + browser("Ada").get(f"/live/{session}/events").text

        return get

    def test_a_bowed_head_is_a_reason(self, page) -> None:
        text = page("emotion", (replace(PEOPLE[1], unreadable_reason="head bowed"), *PEOPLE[2:]))
        assert "expression unknown: head bowed" in text

    def test_the_picture_is_described_as_what_its_mode_shows(self, page) -> None:
        assert "the expression read from it" in page("emotion")
        assert "the expression read from it" not in page("aggregate", ())

    def test_behaviour_has_no_expression_anywhere(self, page) -> None:
        people = tuple(replace(one, expression=None, unreadable_reason="not computed") for one in PEOPLE)
        text = page("behaviour", people)
        assert "turned to the front" in text
        for word in ("resembl", "xpression unknown", "neutral", "not computed", "faces_chart"):
            assert word not in text, word
        assert 'id="show"' not in text, "nor a picture"

    def test_aggregate_tells_nothing_of_anybody(self, page) -> None:
        text = page("aggregate", ())
        assert "Mia" not in text
        assert "Student 1" not in text
        assert "Faces seen now: 21" in text


class TestEvents:
    def test_end_with_the_session_and_lead_to_its_report(self, browser, lesson, fake, engine) -> None:
        ends_after(fake, engine, lesson, 2)
        first, *_, last = told(browser("Ada").get(f"/live/{lesson}/events"))
        assert (first["session"], first["state"], first["is_over"]) == (lesson, "recording", False)
        assert "Mia" in first["parts"]["people"]
        assert (last["is_over"], last["report"], last["next_url"]) == (True, f"/lessons/{lesson}", None)

    def test_a_lesson_that_goes_on_in_another_session_says_where(self, browser, lesson, fake, engine) -> None:
        end(engine, lesson)
        room = queries.get_session(engine, lesson).room
        fake.recordings = [recording(session_id=lesson + 1, room=room)]
        (only,) = told(browser("Ada").get(f"/live/{lesson}/events"))
        assert only["next_url"] == f"/live/{lesson + 1}"

    def test_what_has_not_changed_is_not_sent_again(self, browser, lesson, fake, engine) -> None:
        changed = recording(session_id=lesson, live_students=PEOPLE[:1])

        def then() -> None:
            if fake.looks == 2:
                fake.recordings = [changed]
            if fake.looks >= 3 and fake.recordings:
                fake.recordings = []
                end(engine, lesson)

        fake.then = then
        events = told(browser("Ada").get(f"/live/{lesson}/events"))
        assert "heads_chart" in events[0]["parts"]
        assert events[1]["parts"] == {}
        assert {"people", "heads_legend"} <= set(events[2]["parts"])
        assert "heads_chart" not in events[2]["parts"]

    def test_who_may_no_more_is_cut_off(self, browser, lesson, fake, engine, accounts, monkeypatch) -> None:
        monkeypatch.setattr(live, "ACCESS_CHECK_INTERVAL_S", 0.0)
        ada = browser("Ada")

        def then() -> None:
            if fake.looks == 3:
                with Store(engine).unit_of_work() as unit:
                    set_account_values(unit, accounts["Ada"], disabled=True)
                    unit.commit()
            assert fake.looks < 10, "it goes on"

        fake.then = then
        assert told(ada.get(f"/live/{lesson}/events"))[-1]["is_over"] is False

    def test_it_is_noted_that_somebody_looks(self, browser, lesson, fake, engine) -> None:
        ends_after(fake, engine, lesson, 1)
        browser("Ada").get(f"/live/{lesson}/events")
        assert ("view", f"session {lesson}") in [
            (o.action, o.subject) for o in queries.list_audit_entries(engine)
        ]


class TestOrders:
    @pytest.mark.parametrize("verb", ["stop", "pause", "resume"])
    def test_a_button_means_this_session_and_no_other(self, browser, lesson, fake, engine, verb) -> None:
        answer = browser("Ada").submit(f"/live/{lesson}/{verb}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/live/{lesson}")
        assert fake.orders == [Request(verb, session_id=lesson)]
        assert (verb, f"session {lesson}") in [
            (o.action, o.subject) for o in queries.list_audit_entries(engine)
        ]
        home = browser("Ada").submit(f"/live/{lesson}/{verb}", back="home")
        assert home.headers["location"] == "/"

    def test_a_marker_is_put_without_leaving_the_page(self, browser, lesson, fake) -> None:
        ada = browser("Ada")
        headers = {"accept": "application/json", "x-csrf-token": ada.token()}
        answer = ada.post(f"/live/{lesson}/mark", data={"text": "quiz"}, headers=headers)
        assert answer.json() == {"session": lesson, "done": "mark", "at_s": 60.0}
        assert fake.orders == [Request("mark", text="quiz", session_id=lesson)]
        fake.refuses = InvalidRequest("The marker has no text.", "Enter what happened.")
        answer = ada.post(f"/live/{lesson}/mark", data={"text": " "}, headers=headers)
        assert answer.status_code == 409
        assert answer.json() == {"error": "The marker has no text.", "hint": "Enter what happened."}

    def test_a_counsellor_looks_on(self, browser, lesson, fake) -> None:
        cleo = browser("Cleo")
        for verb in ("stop", "pause", "resume", "mark"):
            assert cleo.submit(f"/live/{lesson}/{verb}", text="x").status_code == 403
        assert fake.orders == []
        assert 'action="/live' not in cleo.get(f"/live/{lesson}").text

    def test_why_it_was_not_done_is_said_on_the_page(self, browser, lesson, fake) -> None:
        fake.refuses = CommandRejected("7b is already paused.", "Use 'classpulse resume'.")
        answer = browser("Ada").submit(f"/live/{lesson}/pause")
        assert answer.status_code == 409
        assert '<p class="error" role="alert">7b is already paused.</p>' in answer.text


class TestThePicture:
    def test_is_handed_on_and_that_is_noted(self, browser, lesson, fake, engine) -> None:
        fake.jpeg = base64.b64encode(b"\xff\xd8 a picture").decode()
        answer = browser("Ada").get(f"/live/{lesson}/picture")
        assert (answer.status_code, answer.content) == (200, b"\xff\xd8 a picture")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"
        assert fake.orders == [Request("picture", session_id=lesson)]
        assert ("view preview", f"session {lesson}") in [
            (o.action, o.subject) for o in queries.list_audit_entries(engine)
        ]

    def test_where_there_is_nothing_to_see_there_is_none(self, browser, lesson, fake) -> None:
        assert browser("Ada").get(f"/live/{lesson}/picture").status_code == 204
        fake.refuses = RecordingNotFound("Session 1 is no longer being recorded.")
        assert browser("Ada").get(f"/live/{lesson}/picture").status_code == 409

    @pytest.mark.parametrize(("setting", "code"), [("false", 404), ("true", 200)])
    def test_of_behaviour_alone_is_for_who_allows_it(
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


def test_many_viewers_are_one_look(monkeypatch, tmp_path) -> None:
    asked, now = [], [0.0]
    monkeypatch.setattr(daemonlook, "daemon_status", lambda folder: asked.append(folder) or daemon())
    look = DaemonStatusCache(tmp_path, lambda: now[0])
    for _ in range(20):
        look.snapshot()
    assert len(asked) == 1
    now[0] = daemonlook.CACHE_LIFETIME_S
    look.snapshot()
    assert len(asked) == 2


def test_nobody_waits_for_a_program_that_takes_its_time(monkeypatch, tmp_path) -> None:
    now = [0.0]
    monkeypatch.setattr(daemonlook, "daemon_status", lambda folder: daemon(pid=1))
    look = DaemonStatusCache(tmp_path, lambda: now[0])
    look.snapshot()
    now[0] = 10.0

    def slow(folder: object) -> Any:
        # While this question is on its way others are told how it stood before.
        assert look.snapshot().daemon.pid == 1
        return daemon(pid=2)

    monkeypatch.setattr(daemonlook, "daemon_status", slow)
    assert look.snapshot().daemon.pid == 2


def test_after_an_order_the_next_look_is_a_new_one(monkeypatch, tmp_path) -> None:
    asked: list[object] = []
    monkeypatch.setattr(daemonlook, "daemon_status", lambda folder: asked.append(folder) or daemon())
    monkeypatch.setattr(daemonlook, "send_request", lambda folder, request: {})
    look = DaemonStatusCache(tmp_path, lambda: 0.0)
    look.snapshot()
    look.send(Request("stop"))
    look.snapshot()
    assert len(asked) == 2


def test_a_picture_that_fails_is_told_and_forgotten(monkeypatch, tmp_path) -> None:
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


def test_the_last_bins_alone_are_read(engine, accounts) -> None:
    session = begin(engine)
    assert {one.start_s for one in queries.load_bins(engine, session, 280.0)} == {280.0, 285.0, 290.0, 295.0}
