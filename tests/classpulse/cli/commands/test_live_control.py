"""Live sessions in real processes: a camera on loopback, commands from another terminal, signals."""

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
from datetime import UTC, datetime, timedelta
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
from tests.helpers import waiting
from tests.helpers.durability import in_time
from tests.helpers.videos import steps, write_video
from tests.helpers.waiting import PATIENCE_S
from tests.helpers.webcam import Webcam, webcam

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture(scope="module")
def class_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of the demo's six students, which the camera repeats."""
    path = tmp_path_factory.mktemp("video") / "class.mp4"
    write_demo_video(path, seconds=4)
    return path


@pytest.fixture(scope="module")
def camera(class_video: Path) -> Iterator[Webcam]:
    with webcam(class_video) as server:
        yield server


class RunningCommand:
    """A ``classpulse`` command in a child process."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "classpulse", *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def status(self) -> DaemonStatus | None:
        return daemon_status(self.folder / "classpulse-data")

    def recording(self, matches: Callable[[RecordingStatus], bool] = lambda status: True) -> RecordingStatus:
        """Wait until exactly one recording matches and return its status."""
        matching: list[RecordingStatus] = []

        def is_matched() -> bool:
            daemon = None
            with suppress(ControlError):  # a loaded machine may not answer in time
                daemon = self.status()
            matching[:] = (
                [] if daemon is None else [status for status in daemon.recordings if matches(status)]
            )
            return len(matching) == 1

        wait_for(is_matched, self)
        return matching[0]

    def wait_for_exit(self) -> tuple[int, str, str]:
        """The exit code, standard output and standard error; no traceback is expected."""
        out, error = self.process.communicate(timeout=PATIENCE_S)
        assert "Traceback" not in error, error
        return self.process.returncode, out, error

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def running(tmp_path: Path, configured, camera: Webcam) -> Iterator[Callable[..., RunningCommand]]:
    # Behaviour mode: loading the expression model takes seconds, and no test here needs it.
    more = (
        f'class: {{name: Math 7B}}\ncapture: {{source: "{camera.url}"}}\n'
        "serve: {preview_in_behaviour_mode: true}\n"
    )
    configured("behaviour", more=more)
    started: list[RunningCommand] = []

    def start(*arguments: str) -> RunningCommand:
        started.append(RunningCommand(tmp_path, *arguments))
        return started[-1]

    yield start
    for command in started:
        if command.process.poll() is None:
            os.killpg(command.process.pid, signal.SIGKILL)
        command.process.communicate()


def wait_for(condition: Callable[[], bool], running: RunningCommand | None = None) -> None:
    """Wait for the condition; fails if the command ends first."""

    def is_met() -> bool:
        if running is not None and running.process.poll() is not None:
            raise AssertionError(f"the command ended early: {running.process.communicate()}")
        return condition()

    waiting.wait_for(is_met)


def sees(faces: int) -> Callable[[RecordingStatus], bool]:
    """Matches a recording that sees that many faces and has written to the database."""
    return lambda status: status.face_count == faces and status.last_written_at is not None


def database(folder: Path):
    return open_database(f"sqlite:///{folder / 'classpulse-data' / 'classpulse.db'}")


def test_start_is_controlled_from_another_terminal(tmp_path: Path, running, shell) -> None:
    lesson = running("start", "--room", "A 12")
    status = lesson.recording(lambda recording: sees(6)(recording) and recording.camera_reason == "")
    assert (status.class_name, status.room, status.session_id, status.state) == (
        "Math 7B",
        "A 12",
        1,
        SessionState.RECORDING,
    )
    assert status.frames_sampled > 0
    data = shell.json("status")
    assert (data["recording"], data["is_daemon"], data["disk_free_bytes"] > 0) == (True, False, True)
    wait_for(lambda: "Math 7B in A 12: recording" in shell("status")[1])
    assert "already being recorded (session 1)" in shell.fails(2, "start", "--room", "A 12")
    assert "already running on" in shell.fails(2, "daemon")
    assert shell.json("mark", "quiz handed out") == {"session": 1, "text": "quiz handed out"}
    assert "has no text" in shell.fails(2, "mark", "  ")
    assert shell.json("pause") == {"session": 1, "paused": True}
    lesson.recording(lambda status: status.state is SessionState.PAUSED)
    code, _, error = shell("pause")
    assert code == 0
    assert "Math 7B in A 12 is already paused since " in error
    assert shell.json("resume")["paused"] is False
    lesson.recording(lambda status: status.state is SessionState.RECORDING)
    assert "'B 3'" in shell.fails(2, "stop", "--room", "B 3")
    assert shell.json("stop") == {"session": 1, "stopped": True}
    code, out, error = lesson.wait_for_exit()
    assert code == 0, error
    assert "recording session 1" in error
    assert "session 1 finished" in error
    assert Path(out.split("HTML")[1].split("\n")[0].strip()).exists()
    engine = database(tmp_path)
    assert queries.get_session(engine, 1).status is SessionStatus.FINISHED
    assert "quiz handed out" in [marker.text for marker in queries.list_markers(engine, 1)]
    # On a loaded machine there may be other gaps, before and after.
    gaps = queries.list_gaps(engine, 1)
    (paused,) = (gap for gap in gaps if gap.reason == "paused")
    reopening = gaps[gaps.index(paused) + 1]
    assert reopening.reason == "no signal"
    assert paused.start_s < paused.end_s == reopening.start_s < reopening.end_s
    engine.dispose()
    assert shell.json("status") == {"recording": False}
    assert "not running" in shell.fails(2, "stop")


def test_pause_removes_the_samples_since_it_was_requested(tmp_path: Path, running, shell) -> None:
    lesson = running("start", "--room", "A 12")
    lesson.recording(lambda status: sees(6)(status) and status.media_s > 8)
    folder, requested_at = tmp_path / "classpulse-data", datetime.now(UTC) - timedelta(seconds=6)
    body = send_request(folder, Request("pause", requested_at=requested_at.isoformat()))
    assert body["changed"] is True
    lesson.recording(lambda status: status.state is SessionState.PAUSED)
    assert send_request(folder, Request("pause"))["changed"] is False
    shell.json("stop")
    lesson.wait_for_exit()
    engine = database(tmp_path)
    gaps = queries.list_gaps(engine, 1)
    (paused,) = (gap for gap in gaps if gap.reason == "paused")
    session = queries.get_session(engine, 1)
    requested_s = (requested_at - session.started_at).total_seconds()
    # On a loaded machine the camera may have had a gap since the request; gaps do not overlap.
    earliest_s = max([requested_s, *(gap.end_s for gap in gaps[: gaps.index(paused)])])
    assert paused.start_s == pytest.approx(earliest_s, abs=1)
    assert session.watched_s <= requested_s + 1
    bins = queries.load_bins(engine, 1)
    assert max(bin_.start_s + bin_.watched_s for bin_ in bins) <= requested_s + 1
    engine.dispose()


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_start_signal_finishes_session_within_five_seconds(
    tmp_path: Path, running, shell, number: signal.Signals
) -> None:
    lesson = running("start", "--json")
    before = lesson.recording(sees(6)).frames_sampled
    recorder = lesson.children()
    signalled_s = time.monotonic()
    # Like a terminal, which sends Ctrl-C to every process of the group.
    os.killpg(lesson.process.pid, number) if number == signal.SIGINT else lesson.process.send_signal(number)
    psutil.wait_procs(recorder, timeout=PATIENCE_S)
    assert in_time(time.monotonic() - signalled_s)
    assert not any(process.is_running() for process in recorder)
    code, out, error = lesson.wait_for_exit()
    assert code == 0, error
    answer = json.loads(out)
    assert (answer["session"], answer["status"], answer["earlier_sessions"]) == (1, "finished", [])
    assert answer["frames_sampled"] >= before
    assert ("html" in answer["report"]) == (number == signal.SIGINT), "SIGTERM ends without a report"
    engine = database(tmp_path)
    session = queries.get_session(engine, 1)
    assert (session.status, session.frames_sampled) == (SessionStatus.FINISHED, answer["frames_sampled"])
    engine.dispose()


def test_daemon_restarts_crashed_recorder_and_reports_after_sigterm(tmp_path: Path, running, shell) -> None:
    daemon = running("daemon")
    wait_for(lambda: daemon.status() is not None, daemon)
    assert shell.json("start", "--class", "Physics") == {"session": 1, "recording": True}
    daemon.recording(sees(6))
    for child in daemon.children():
        child.kill()
    restarted = daemon.recording(lambda status: status.session_id == 2 and sees(6)(status))
    assert restarted.class_name == "Physics"
    engine = database(tmp_path)
    wait_for(lambda: queries.get_session(engine, 1).status is not SessionStatus.RUNNING, daemon)
    assert queries.get_session(engine, 1).frames_sampled > 0
    wait_for(lambda: (tmp_path / "classpulse-data/reports/session-0001/report.html").exists(), daemon)
    signalled_s = time.monotonic()
    daemon.process.send_signal(signal.SIGTERM)
    code, _, error = daemon.wait_for_exit()
    assert in_time(time.monotonic() - signalled_s)
    assert code == 0, error
    session = queries.get_session(engine, 2)
    assert (session.status, session.status_reason) == (
        SessionStatus.INTERRUPTED,
        "Classpulse was ended during the lesson",
    )
    assert not (tmp_path / "classpulse-data/reports/session-0002").exists()
    next_daemon = running("daemon")
    wait_for(lambda: (tmp_path / "classpulse-data/reports/session-0002/report.html").exists(), next_daemon)
    engine.dispose()


@POSIX
def test_daemon_restarted_after_kill_keeps_scheduled_lesson_paused(
    tmp_path: Path, running, camera: Webcam, configured, shell
) -> None:
    # The zone in which it is noon now, so that a scheduled lesson is in progress at any time of day.
    west = (datetime.now(UTC).hour - 12) % 24
    zone = f"Etc/GMT{west - 24 if west > 12 else west:+d}"
    configured(
        "behaviour",
        more=f'rooms: [{{name: A 12, source: "{camera.url}"}}]\nschedule:\n  zone: {zone}\n  lessons:\n'
        f'    - {{class: 7b, room: A 12, days: [{", ".join(Weekday)}], from: "11:00", to: "14:00"}}\n',
    )
    daemon = running("daemon")
    daemon.recording(sees(6))
    shell.json("pause")
    engine = database(tmp_path)
    wait_for(lambda: [gap.reason for gap in queries.list_gaps(engine, 1)][-1:] == ["paused"], daemon)
    os.killpg(daemon.process.pid, signal.SIGKILL)
    daemon.process.communicate()
    daemon = running("daemon")
    paused = daemon.recording(lambda status: status.state is SessionState.PAUSED)
    assert (paused.session_id, paused.camera) == (None, CameraState.CLOSED)
    assert "was paused when Classpulse ended" in paused.camera_reason
    assert shell.json("resume")["paused"] is False
    daemon.recording(lambda status: status.session_id == 2 and sees(6)(status))
    engine.dispose()


@POSIX
def test_killed_sessions_are_closed_and_reported_at_next_start(tmp_path: Path, running, shell) -> None:
    lesson = running("start")
    lesson.recording(sees(6))
    recorder = lesson.children()
    lesson.process.kill()
    # A recorder worker closes its session itself when its supervisor is gone.
    psutil.wait_procs(recorder, timeout=PATIENCE_S)
    lesson.wait_for_exit()
    (session,) = shell.json("sessions")
    assert session["status"] == "interrupted"
    lesson = running("start")
    lesson.recording(lambda status: status.session_id == 2)
    os.killpg(lesson.process.pid, signal.SIGKILL)
    lesson.wait_for_exit()
    engine = database(tmp_path)
    reported = {entry.subject for entry in queries.list_audit_entries(engine, action="report")}
    engine.dispose()
    lesson = running("start")
    lesson.recording(lambda status: status.session_id == 3)
    folder = tmp_path / "classpulse-data/reports"
    wait_for(lambda: (status := lesson.status()) is not None and status.reports_pending == 0, lesson)
    assert (folder / "session-0001/report.html").exists()
    assert (folder / "session-0002/report.html").exists()
    lesson.process.send_signal(signal.SIGTERM)  # ends without a report of session 3
    code, _, error = lesson.wait_for_exit()
    assert code == 0, error
    # The second start may have finished the report of session 1 before it was killed.
    was_reported = "the report of the interrupted session 1 is ready" in error
    assert was_reported == ("session 1" not in reported)
    assert "the report of the interrupted session 2 is ready" in error
    statuses = {session["session_id"]: session["status"] for session in shell.json("sessions")}
    assert statuses == {1: "interrupted", 2: "interrupted", 3: "finished"}


def test_start_missing_camera_fails_without_session(configured, shell) -> None:
    configured(more="capture: {stale_s: 1.0}\n")
    line = shell.fails(2, "start", "--source", "http://127.0.0.1:9/video")
    assert "http://127.0.0.1:9/video delivers no frames" in line
    assert shell.json("sessions") == []


def test_start_video_file_as_source_is_recorded(configured, shell, class_video: Path) -> None:
    configured("behaviour")
    code, out, error = shell("start", "--source", str(class_video))
    assert code == 0, error
    assert "report.html" in out
    assert "session 1 finished" in error


def test_recording_without_policy_fails_before_data_folder(tmp_path: Path, shell) -> None:
    (tmp_path / "config.yaml").write_text("class: {name: 7b}\n", encoding="utf-8")
    for command in (["start"], ["daemon"]):
        assert "policy" in shell.fails(2, *command)
    assert not (tmp_path / "classpulse-data").exists()


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough to send a signal during its analysis."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_video(path, steps(1) * 12_000, fps=10, options={"preset": "ultrafast"})


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_analyze_interrupted_by_signal_keeps_written_data(
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
        assert child.returncode == (130 if number is signal.SIGINT else 1)
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
def test_live_students_and_preview_are_sent_to_another_process(tmp_path: Path, running) -> None:
    lesson = running("start", "--room", "A 12")
    students = lesson.recording(
        lambda status: (
            len(status.live_students) == 6 and all(student.label for student in status.live_students)
        )
    ).live_students
    assert {student.label for student in students} == {f"Student {n}" for n in range(1, 7)}
    assert all(student.seen is (student.unreadable_reason != "absent") for student in students)
    assert all((student.expression is None) != (student.unreadable_reason is None) for student in students)
    folder = tmp_path / "classpulse-data"

    def preview() -> str | None:
        """The preview in base64, "" if there is none, None if the daemon does not answer in time."""
        with suppress(ControlError):  # a loaded machine may not answer in time
            return str(send_request(folder, Request("picture", session_id=1))["jpeg"])
        return None

    previews: list[str | None] = []
    wait_for(lambda: previews.append(preview()) or bool(previews[-1]), lesson)
    image = cv2.imdecode(np.frombuffer(base64.b64decode(previews[-1] or ""), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (720, 1280, 3)
    send_request(folder, Request("pause", session_id=1))
    paused = lesson.recording(lambda status: status.state is SessionState.PAUSED)
    assert paused.live_students == ()
    wait_for(lambda: preview() == "", lesson)
    lesson.process.send_signal(signal.SIGTERM)  # without waiting for a report
    assert lesson.wait_for_exit()[0] == 0
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert suffixes.isdisjoint({".jpg", ".jpeg", ".png"})
