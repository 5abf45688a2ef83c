"""An online lesson end to end: a daemon, three clients with synthetic faces, one of which withdraws."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from classpulse.config.settings import read_config
from classpulse.online.lesson import OnlineLesson
from classpulse.online.manager import OnlineLessonManager
from classpulse.services.accounts import hash_password
from classpulse.web.app import build_app
from db import sessions as queries
from db.accounts import Role, add_account, set_account_classes
from db.clock import now_utc
from db.engine import open_database
from db.records import ONLINE_SOURCE, SessionStatus
from db.roster import save_roster_entry
from db.schema import TimelineBinRow
from db.unit_of_work import Store
from tests.helpers.waiting import PATIENCE_S, answers, wait_for

PASSWORD = "three quiet walnuts"


class Student:
    """A client that has joined and sends one frame per second until it stops."""

    def __init__(self, app: Starlette, lesson: OnlineLesson, name: str, pictures: list[bytes]) -> None:
        self.browser = TestClient(app, "http://localhost", follow_redirects=False)
        self.here = f"/join/{lesson.code}"
        self._pictures = itertools.cycle(pictures)
        self._over = threading.Event()
        self.faces: list[dict[str, Any]] = []
        answer = self.post("", pseudonym=name, consent="yes")
        assert answer.status_code == 303, answer.text
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def token(self) -> str:
        found = re.search(r'name="csrf-token" content="(\w+)"', self.browser.get(self.here).text)
        assert found is not None
        return found[1]

    def post(self, where: str, **fields: str) -> Any:
        return self.browser.post(self.here + where, data={"csrf_token": self.token(), **fields})

    def box(self) -> list[float] | None:
        return next((face["box"] for face in list(self.faces) if face["box"]), None)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _send(self) -> None:
        token = self.token()
        headers = {"X-CSRF-Token": token, "Content-Type": "image/jpeg", "Accept": "application/json"}
        while not self._over.wait(1.0):
            frame = next(self._pictures)
            answer = self.browser.post(f"{self.here}/frame", content=frame, headers=headers)
            if answer.status_code == 200 and (face := answer.json().get("face")):
                self.faces.append(face)


@pytest.fixture
def place(configured: Callable[..., Path]) -> Any:
    return read_config(configured(more="class: {name: 7b}\nrecording: {commit_s: 1}\n"))


@pytest.fixture
def engine(place: Any) -> Iterator[Engine]:
    opened = open_database(place.database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def service(place: Any) -> Iterator[None]:
    """A running ``classpulse daemon``."""
    command = [sys.executable, "-m", "classpulse", "--config", str(place.path), "daemon"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(place.data_folder))
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")
def test_three_participants_are_recorded_and_one_is_erased(
    place, engine, service, cameras, monkeypatch
) -> None:
    monkeypatch.setattr("monitor.daemon.control.ANSWER_TIMEOUT_S", PATIENCE_S)
    with Store(engine).unit_of_work() as unit:
        number = add_account(unit, "Ada", Role.TEACHER, hash_password(PASSWORD), now_utc())
        set_account_classes(unit, number, ["7b"])
        mia = save_roster_entry(unit, "7b", "Mia", None, consent=True, at=now_utc())
        unit.commit()
    app = build_app(place, engine)
    lessons = app.state.context.online_lessons = OnlineLessonManager(place, engine, runs_thread=False)
    lesson = lessons.open("7b", 4)
    students = [
        Student(app, lesson, name, pictures)
        for name, pictures in zip(("Robin", "Mia", "Kestrel"), cameras, strict=True)
    ]
    robin, _, kestrel = students
    try:
        session = wait_for(lambda: queries.list_sessions(engine))[0]

        def names() -> set[str]:
            return {student.pseudonym for student in queries.list_students(engine, session.id)}

        wait_for(lambda: names() == {"Robin", "Mia", "Kestrel"})
        # Each client receives the box of its face.
        for student in students:
            left, top, right, bottom = wait_for(student.box)
            assert 0 < left < 0.5 < right < 1
            assert 0 < top < bottom <= 1
        kestrel.stop()
        kestrel.post("/leave")
        # By the clock: the end of the session in the database may be some seconds old.
        left_s = (now_utc() - session.started_at).total_seconds()
        robin.stop()
        assert robin.post("/withdraw").status_code == 303
        wait_for(lambda: names() == {"Mia", "Kestrel"})
        assert "Robin" not in str(queries.list_audit_entries(engine))
        wait_for(lambda: queries.get_session(engine, session.id).end_s > left_s + 12)

        def forgotten() -> bool:
            lessons.run_maintenance()
            return robin.browser.get(f"{robin.here}/withdrawal").status_code == 404

        wait_for(forgotten)
    finally:
        for one in students:
            one.stop()
    lessons.end(lesson)
    wait_for(lambda: queries.get_session(engine, session.id).status is not SessionStatus.RUNNING)
    ended = queries.get_session(engine, session.id)
    assert (ended.status, ended.source, ended.class_name) == (SessionStatus.FINISHED, ONLINE_SOURCE, "7b")
    known = {one.pseudonym: one.id for one in queries.list_students(engine, session.id)}
    assert known == {"Mia": mia, "Kestrel": known["Kestrel"]}
    bins = queries.load_bins(engine, session.id)
    assert {one.student_id for one in bins} == set(known.values())
    late = [one for one in bins if one.start_s > left_s + 5]
    assert {one.student_id for one in late} == {mia}, (
        "a student who has left is not observed, and so not absent"
    )
    with engine.connect() as connection:
        assert connection.scalar(select(text("count(*)")).select_from(TimelineBinRow)) == len(bins)
    assert b"Robin" not in (place.data_folder / "classpulse.db").read_bytes()
    pictures = [one for one in place.data_folder.rglob("*") if one.suffix in (".jpg", ".png", ".jpeg")]
    assert pictures == []
