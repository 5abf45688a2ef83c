"""Live sessions as a teacher runs them: real processes, a camera on loopback, orders from another
terminal."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from classpulse.simulation.demo.video import write_demo_video
from db import sessions as queries
from db.engine import open_database
from db.records import SessionStatus
from monitor.daemon.control import Request, daemon_status, send_request
from monitor.daemon.errors import ControlError
from monitor.daemon.status import DaemonStatus
from monitor.daemon.timetable import Weekday
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState
from tests.helpers import waiting as patience
from tests.helpers.durability import in_time
from tests.helpers.videos import steps, write_video
from tests.helpers.waiting import PATIENCE_S
from tests.helpers.webcam import Webcam, webcam

BUSY = "busy"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of the six students, which the camera shows over and over."""
    path = tmp_path_factory.mktemp("film") / "class.mp4"
    write_demo_video(path, seconds=4)
    return path


@pytest.fixture(scope="module")
def camera(film: Path) -> Iterator[Webcam]:
    with webcam(film) as given:
        yield given


class Running:
    """A ``classpulse`` command that runs beside the test."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "classpulse", *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def status(self) -> DaemonStatus | None:
        return daemon_status(self.folder / "classpulse-data")

    def recording(self, wanted: Callable[[RecordingStatus], bool] = lambda one: True) -> RecordingStatus:
        """How the one recording stands, as soon as it stands as wanted."""
        found: list[RecordingStatus] = []

        def look() -> bool:
            status = None
            with suppress(ControlError):  # a busy computer may not answer in time
                status = self.status()
            found[:] = [] if status is None else [one for one in status.recordings if wanted(one)]
            return len(found) == 1

        wait_for(look, self)
        return found[0]

    def ended(self) -> tuple[int, str, str]:
        out, error = self.process.communicate(timeout=PATIENCE_S)
        assert "Traceback" not in error, error
        return self.process.returncode, out, error

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def running(tmp_path: Path, configured, camera: Webcam) -> Iterator[Callable[..., Running]]:
    # Expressions cost seconds of loading and nothing here is about them.
    more = (
        f'class: {{name: Math 7B}}\ncapture: {{source: "{camera.url}"}}\n'
        "serve: {preview_in_behaviour_mode: true}\n"
    )
    configured("behaviour", more=more)
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(Running(tmp_path, *arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.communicate()


def wait_for(condition: Callable[[], bool], running: Running | None = None) -> None:
    def look() -> bool:
        if running is not None and running.process.poll() is not None:
            raise AssertionError(f"it ended early: {running.process.communicate()}")
        return condition()

    patience.wait_for(look)


def sees(faces: int) -> Callable[[RecordingStatus], bool]:
    return lambda one: one.face_count == faces and one.last_written_at is not None


def database(folder: Path):
    return open_database(f"sqlite:///{folder / 'classpulse-data' / 'classpulse.db'}")


def test_a_lesson_is_ruled_from_another_terminal(tmp_path: Path, running, shell) -> None:
    lesson = running("start", "--room", "A 12")
    seen = lesson.recording(lambda one: sees(6)(one) and one.camera_reason == "")
    assert (seen.class_name, seen.room, seen.session_id, seen.state) == (
        "Math 7B",
        "A 12",
        1,
        SessionState.RECORDING,
    )
    assert seen.frames_sampled > 0
    told = shell.json("status")
    assert (told["recording"], told["is_daemon"], told["disk_free_bytes"] > 0) == (True, False, True)
    wait_for(lambda: "Math 7B in A 12: recording" in shell("status")[1])
    assert "already being recorded (session 1)" in shell.fails(2, "start", "--room", "A 12")
    assert "already running on" in shell.fails(2, "daemon")
    assert shell.json("mark", "quiz handed out") == {"session": 1, "text": "quiz handed out"}
    assert "has no text" in shell.fails(2, "mark", "  ")
    assert shell.json("pause") == {"session": 1, "paused": True}
    lesson.recording(lambda one: one.state is SessionState.PAUSED)
    assert "already paused" in shell.fails(2, "pause")
    assert shell.json("resume")["paused"] is False
    lesson.recording(lambda one: one.state is SessionState.RECORDING)
    assert "'B 3'" in shell.fails(2, "stop", "--room", "B 3")
    assert shell.json("stop") == {"session": 1, "stopped": True}
    code, out, error = lesson.ended()
    assert code == 0, error
    assert "recording session 1" in error
    assert "session 1 finished" in error
    assert Path(out.split("HTML")[1].split("\n")[0].strip()).exists()
    engine = database(tmp_path)
    assert queries.get_session(engine, 1).status is SessionStatus.FINISHED
    assert "quiz handed out" in [marker.text for marker in queries.list_markers(engine, 1)]
    # On a busy computer there may be others, before and after.
    gaps = queries.list_gaps(engine, 1)
    (paused,) = (one for one in gaps if one.reason == "paused")
    opening = gaps[gaps.index(paused) + 1]
    assert opening.reason == "no signal"
    assert paused.start_s < paused.end_s == opening.start_s < opening.end_s
    engine.dispose()
    assert shell.json("status") == {"recording": False}
    assert "not running" in shell.fails(2, "stop")


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_how_a_live_lecture_ends(tmp_path: Path, running, shell, number: signal.Signals) -> None:
    lesson = running("start", "--json")
    before = lesson.recording(sees(6)).frames_sampled
    recorder = lesson.children()
    began_s = time.monotonic()
    # As a terminal does it: Ctrl-C goes to every process of the group.
    os.killpg(lesson.process.pid, number) if number == signal.SIGINT else lesson.process.send_signal(number)
    # The promise: within five seconds everything is written.
    psutil.wait_procs(recorder, timeout=PATIENCE_S)
    assert in_time(time.monotonic() - began_s)
    assert not any(one.is_running() for one in recorder)
    code, out, error = lesson.ended()
    assert code == 0, error
    answer = json.loads(out)
    assert (answer["session"], answer["status"], answer["earlier_sessions"]) == (1, "finished", [])
    assert answer["frames_sampled"] >= before
    assert ("html" in answer["report"]) == (number == signal.SIGINT), "nobody waits for a report at SIGTERM"
    engine = database(tmp_path)
    session = queries.get_session(engine, 1)
    assert (session.status, session.frames_sampled) == (SessionStatus.FINISHED, answer["frames_sampled"])
    engine.dispose()


def test_a_service_loses_neither_a_recording_that_dies_nor_its_own_end(
    tmp_path: Path, running, shell
) -> None:
    service = running("daemon")
    wait_for(lambda: service.status() is not None, service)
    assert shell.json("start", "--class", "Physics") == {"session": 1, "recording": True}
    service.recording(sees(6))
    for child in service.children():
        child.kill()
    again = service.recording(lambda one: one.session_id == 2 and sees(6)(one))
    assert again.class_name == "Physics"
    engine = database(tmp_path)
    wait_for(lambda: queries.get_session(engine, 1).status is not SessionStatus.RUNNING, service)
    assert queries.get_session(engine, 1).frames_sampled > 0
    wait_for(lambda: (tmp_path / "classpulse-data/reports/session-0001/report.html").exists(), service)
    began_s = time.monotonic()
    service.process.send_signal(signal.SIGTERM)
    code, _, error = service.ended()
    assert in_time(time.monotonic() - began_s)
    assert code == 0, error
    session = queries.get_session(engine, 2)
    assert (session.status, session.status_reason) == (
        SessionStatus.INTERRUPTED,
        "Classpulse was ended during the lesson",
    )
    assert not (tmp_path / "classpulse-data/reports/session-0002").exists()
    next_day = running("daemon")
    wait_for(lambda: (tmp_path / "classpulse-data/reports/session-0002/report.html").exists(), next_day)
    engine.dispose()


@POSIX
def test_a_lesson_that_was_paused_when_everything_was_killed_stays_paused(
    tmp_path: Path, running, camera: Webcam, configured, shell
) -> None:
    # Whatever the time of day, somewhere it is noon, and a lesson of two hours is on.
    west = (datetime.now(UTC).hour - 12) % 24
    zone = f"Etc/GMT{west - 24 if west > 12 else west:+d}"
    configured(
        "behaviour",
        more=f'rooms: [{{name: A 12, source: "{camera.url}"}}]\nschedule:\n  zone: {zone}\n  lessons:\n'
        f'    - {{class: 7b, room: A 12, days: [{", ".join(Weekday)}], from: "11:00", to: "14:00"}}\n',
    )
    service = running("daemon")
    service.recording(sees(6))
    shell.json("pause")
    engine = database(tmp_path)
    wait_for(lambda: [one.reason for one in queries.list_gaps(engine, 1)][-1:] == ["paused"], service)
    os.killpg(service.process.pid, signal.SIGKILL)
    service.process.communicate()
    service = running("daemon")
    waits = service.recording(lambda one: one.state is SessionState.PAUSED)
    assert (waits.session_id, waits.camera) == (None, CameraState.CLOSED)
    assert "was paused when Classpulse ended" in waits.camera_reason
    assert shell.json("resume")["paused"] is False
    service.recording(lambda one: one.session_id == 2 and sees(6)(one))
    engine.dispose()


@POSIX
def test_whatever_is_killed_is_closed_and_reported_at_the_next_start(tmp_path: Path, running, shell) -> None:
    lesson = running("start")
    lesson.recording(sees(6))
    recorder = lesson.children()
    lesson.process.kill()
    # A recording whose supervisor is gone closes its session by itself.
    psutil.wait_procs(recorder, timeout=PATIENCE_S)
    lesson.ended()
    (session,) = shell.json("sessions")
    assert session["status"] == "interrupted"
    lesson = running("start")
    lesson.recording(lambda one: one.session_id == 2)
    os.killpg(lesson.process.pid, signal.SIGKILL)
    lesson.ended()
    engine = database(tmp_path)
    reported = {one.subject for one in queries.list_audit_entries(engine, action="report")}
    engine.dispose()
    lesson = running("start")
    lesson.recording(lambda one: one.session_id == 3)
    folder = tmp_path / "classpulse-data/reports"
    wait_for(lambda: (status := lesson.status()) is not None and status.reports_pending == 0, lesson)
    assert (folder / "session-0001/report.html").exists()
    assert (folder / "session-0002/report.html").exists()
    lesson.process.send_signal(signal.SIGTERM)  # nobody waits for a report of the third
    code, _, error = lesson.ended()
    assert code == 0, error
    # The second start may have made the first one's report before it was killed.
    was_reported = "the report of the interrupted session 1 is ready" in error
    assert was_reported == ("session 1" not in reported)
    assert "the report of the interrupted session 2 is ready" in error
    statuses = {one["session_id"]: one["status"] for one in shell.json("sessions")}
    assert statuses == {1: "interrupted", 2: "interrupted", 3: "finished"}


def test_start_missing_camera_is_one_problem(configured, shell) -> None:
    configured(more="capture: {stale_s: 1.0}\n")
    line = shell.fails(2, "start", "--source", "http://127.0.0.1:9/video")
    assert "http://127.0.0.1:9/video delivers no frames" in line
    assert shell.json("sessions") == []


def test_a_film_can_stand_in_for_a_camera(configured, shell, film: Path) -> None:
    configured("behaviour")
    code, out, error = shell("start", "--source", str(film))
    assert code == 0, error
    assert "report.html" in out
    assert "session 1 finished" in error


def test_nobody_is_recorded_without_a_policy(tmp_path: Path, shell) -> None:
    (tmp_path / "config.yaml").write_text("class: {name: 7b}\n", encoding="utf-8")
    for command in (["start"], ["daemon"]):
        assert "policy" in shell.fails(2, *command)
    assert not (tmp_path / "classpulse-data").exists()


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough that a test can send a signal in the middle."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_video(path, steps(1) * 12_000, fps=10, options={"preset": "ultrafast"})


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_in_the_middle_loses_nothing(
    tmp_path: Path, configured, shell, long_video: Path, number: signal.Signals
) -> None:
    configured("behaviour", more="capture:\n  sample_fps: 10\n")
    child = subprocess.Popen(
        [sys.executable, "-m", "classpulse", "analyze", str(long_video)],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def recorded_s() -> float:
        if not (tmp_path / "classpulse-data" / "classpulse.db").exists():
            return 0.0
        engine = database(tmp_path)
        try:
            return max((s.end_s for s in queries.list_sessions(engine)), default=0.0)
        finally:
            engine.dispose()

    wait_for(lambda: recorded_s() > 0 or child.poll() is not None)
    before = recorded_s()
    child.send_signal(number)
    out, error = child.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in error
    if number is not signal.SIGKILL:
        assert child.returncode == 1
        assert "interrupted: stopped before the end of the recording" in error
        assert "report.html" in out
    (session,) = shell.json("sessions")
    assert session["status"] == "interrupted"
    engine = database(tmp_path)
    assert queries.get_session(engine, 1).end_s >= before > 0
    engine.dispose()
    if number is signal.SIGKILL:
        assert Path(shell.json("report", "1")["report"]["html"]).exists()


@POSIX
def test_who_is_present_and_the_picture_can_be_watched_from_elsewhere(tmp_path: Path, running) -> None:
    lesson = running("start", "--room", "A 12")
    seen = lesson.recording(
        lambda one: len(one.live_students) == 6 and all(person.label for person in one.live_students)
    )
    assert {person.label for person in seen.live_students} == {f"Student {n}" for n in range(1, 7)}
    assert all(person.seen is (person.unreadable_reason != "absent") for person in seen.live_students)
    assert all(
        (person.expression is None) != (person.unreadable_reason is None) for person in seen.live_students
    )
    folder = tmp_path / "classpulse-data"

    def jpeg() -> str:
        with suppress(ControlError):  # a busy computer may not answer in time
            return str(send_request(folder, Request("picture", session_id=1))["jpeg"])
        return BUSY

    pictures: list[str] = []
    wait_for(lambda: pictures.append(jpeg()) or pictures[-1] not in (BUSY, ""), lesson)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(pictures[-1]), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (720, 1280, 3)
    send_request(folder, Request("pause", session_id=1))
    paused = lesson.recording(lambda one: one.state is SessionState.PAUSED)
    assert paused.live_students == ()
    wait_for(lambda: jpeg() == "", lesson)
    lesson.process.send_signal(signal.SIGTERM)  # without waiting for a report
    assert lesson.ended()[0] == 0
    left = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert left.isdisjoint({".jpg", ".jpeg", ".png"})
