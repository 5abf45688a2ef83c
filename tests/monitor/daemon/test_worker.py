"""The recorder worker, run in this process: commands on its input, and its messages."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from classpulse.cli.commands.record import load_worker_setup
from classpulse.config.daemon import daemon_settings
from classpulse.config.settings import read_config
from db.records import SessionProgress, SessionStatus
from monitor.daemon import worker as module
from monitor.daemon.protocol import (
    Command,
    RecordingRequest,
    SessionEnded,
    StartFailed,
    StatusUpdate,
    decode_message,
    encode_command,
)
from monitor.daemon.worker import RecorderWorker
from monitor.daemon.worker_process import JOB_ADAPTER, WorkerJob, make_job
from monitor.errors import SetupError, SourceError
from monitor.runtime.shutdown import ShutdownRequest
from monitor.session.session import SessionOutcome, SessionView
from monitor.session.state import SessionEvent
from monitor.sources.camera_state import CameraState, CameraStatus
from monitor.sources.live import LiveSource
from monitor.types import FrameResult, TrackedFace, UnreadableReason

MATH = RecordingRequest("Math 7B", "0", "B 12")


class Camera(LiveSource):
    def __init__(self) -> None:
        self.name = "camera 0"
        self.calls: list[str] = []

    def status(self) -> CameraStatus:
        return CameraStatus(CameraState.FRESH, "", 0.1)

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")


class Session:
    end_cause: SessionEvent | None = None

    def __init__(self) -> None:
        self.marks: list[str] = []

    def mark(self, text: str) -> None:
        self.marks.append(text)

    def view(self) -> SessionView:
        return SessionView(SessionProgress(60.0, 58.0, 120, 2), 6, 7, 1.9, 2.0, 3, None)


class World:
    """A worker whose session lasts until it is stopped."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.config = read_config(path)
        self.job = make_job(daemon_settings(self.config), MATH)
        self.camera, self.session = Camera(), Session()
        self.stop: ShutdownRequest | None = None
        self.fails: Exception | None = None
        self.begins = True
        self.outcome = SessionOutcome(7, SessionStatus.FINISHED, "", SessionProgress(60.0, 58.0, 120, 2), 7)
        self.classes: list[tuple[str, str | None]] = []
        self.results: list[FrameResult] = []
        world = self

        class FakeRunner:
            def __init__(self, settings, *_: object) -> None:
                world.classes.append((settings.class_.name, settings.class_.room))

            def run(
                self, source, stop, *, on_start, on_progress, on_ready, on_result, **_: object
            ) -> SessionOutcome:
                world.stop = stop
                for result in world.results:
                    on_result(result)
                if world.begins:
                    on_start(7, None)
                    on_ready(world.camera, world.session)
                if world.fails is not None:
                    raise world.fails
                assert stop.wait(60)
                on_progress(None, 0)
                return world.outcome

        monkeypatch.setattr(module, "SessionRunner", FakeRunner)
        monkeypatch.setattr(module, "_redirect_stdout", self._take_stdout)
        monkeypatch.setattr(RecorderWorker, "_install_signal_handlers", lambda self: None)
        self._monkeypatch = monkeypatch
        read, write = os.pipe()
        self.pipe, self.out = os.fdopen(read, "rb"), os.fdopen(write, "wb")

    def close(self) -> None:
        self.pipe.close()
        with suppress(OSError):  # the pipe is closed
            self.out.close()

    def _take_stdout(self) -> BinaryIO:
        return self.out

    def worker(self) -> RecorderWorker:
        return RecorderWorker(partial(load_worker_setup, self.config.path))

    def run(self, *lines: bytes, first: bytes | None = None):
        """The exit code and the messages; the input ends after ``lines``."""
        begin = JOB_ADAPTER.dump_json(self.job) + b"\n" if first is None else first
        stdin = SimpleNamespace(buffer=io.BytesIO(begin + b"".join(lines)))
        self._monkeypatch.setattr(sys, "stdin", stdin)
        code = self.worker().run()
        # The session ends with the first stop; later commands are handled as well.
        for thread in threading.enumerate():
            if thread.name == "commands":
                thread.join(60)
        self.out.close()
        return code, [decode_message(line) for line in self.pipe]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, configured) -> Iterator[World]:
    made = World(monkeypatch, configured(more="class: {name: 7b}\n"))
    yield made
    made.close()


def test_job_is_recorded_until_it_is_stopped(world: World) -> None:
    code, messages = world.run(
        encode_command(Command("mark", "quiz")),
        encode_command(Command("pause")),
        encode_command(Command("resume")),
        encode_command(Command("stop")),
    )
    assert code == 0
    assert world.classes == [("Math 7B", "B 12")]
    # The command may be handled before or after the start of the session.
    assert world.session.marks in ([], ["quiz"])
    *updates, last = messages
    assert all(isinstance(update, StatusUpdate) for update in updates)
    # The status is sent at the start and at the end of the session, and by the heartbeat.
    assert [update.status.session_id for update in updates].count(7) >= 2
    assert last == SessionEnded(7, SessionStatus.FINISHED, "", is_retryable=False)


HAPPY = (0.0, 0.0, 0.0, 0.8, 0.0, 0.0, 0.2)
NEUTRAL = (0.0, 0.0, 0.0, 0.2, 0.0, 0.0, 0.8)


@pytest.mark.parametrize(
    ("mode", "student", "readings"),
    [
        ("emotion", 0, [HAPPY, pytest.approx((0, 0, 0, 0.5, 0, 0, 0.5))]),
        ("aggregate", None, [UnreadableReason.NOT_COMPUTED, UnreadableReason.NOT_COMPUTED]),
    ],
)
def test_previews_show_smoothed_expressions_and_none_in_aggregate_mode(
    monkeypatch: pytest.MonkeyPatch, configured, mode: str, student: int | None, readings: list[object]
) -> None:
    shown: dict[str, list[FrameResult]] = {"PreviewWindow": [], "LivePreview": []}
    options: dict[str, object] = {}

    for name, seen in shown.items():

        class Watcher:
            def __init__(self, *_: object, name=name, seen=seen, **more: object) -> None:
                options[name] = more["language"]
                self.show_result = self.add_result = seen.append

            def __enter__(self):
                return self

            def __exit__(self, *_: object) -> None: ...

            def refresh(self, **_: object) -> None: ...

        monkeypatch.setattr(module, name, Watcher)
    world = World(monkeypatch, configured(mode, more="class: {name: 7b}\noutput: {language: de}\n"))
    world.results = [
        FrameResult(at_s, (), 1, (640, 480), (TrackedFace(1, 0, (0, 0, 9, 9), expression),))
        for at_s, expression in ((1.0, HAPPY), (1.5, NEUTRAL))
    ]
    world.run(encode_command(Command("stop")))
    world.close()
    assert options == {"PreviewWindow": "de", "LivePreview": "de"}
    for seen in shown.values():
        faces = [result.tracked_faces[0] for result in seen]
        assert [face.expression for face in faces] == readings
        assert {face.student for face in faces} == {student}


def test_commands_are_handled_in_order(world: World) -> None:
    worker = world.worker()
    reporter = SimpleNamespace(done=[])
    reporter.pause = lambda at: reporter.done.append(("pause", at))
    reporter.resume = lambda: reporter.done.append("resume")
    reporter.mark = lambda text, at: reporter.done.append((text, at))
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    commands = Command("pause", requested_at=at), Command("mark", "quiz", requested_at=at)
    lines = [*commands, Command("resume"), Command("stop")]
    raw = b"".join(map(encode_command, lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
        worker._done.set()
        worker._read_commands(reporter)
    assert reporter.done == [("pause", at), ("quiz", at), "resume"]
    assert (worker._stop.is_set(), worker._stop.immediate, worker._stop.reason) == (True, False, "")


def test_end_of_the_input_ends_the_session_immediately(world: World) -> None:
    code, messages = world.run()
    assert (code, world.stop.immediate) == (0, True)
    assert world.stop.reason != ""
    assert isinstance(messages[-1], SessionEnded)


def test_second_stop_keeps_the_reason_and_adds_immediate(world: World) -> None:
    world.run(
        encode_command(Command("stop", reason="Classpulse was ended")),
        encode_command(Command("stop", immediate=True, reason="another")),
    )
    assert (world.stop.reason, world.stop.immediate) == ("Classpulse was ended", True)


def test_invalid_command_is_ignored_and_its_content_is_not_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.run(
        b"{\n", b'{"verb": "note", "text": "Mia is late"}\n', b"\xff\n", encode_command(Command("stop"))
    )
    assert [r.args for r in caplog.records if r.name == module.__name__ and r.levelname == "WARNING"][:3] == [
        ("ValidationError",)
    ] * 3
    assert "Mia" not in caplog.text


@pytest.mark.parametrize(
    ("error", "begins", "expected"),
    [
        (SourceError("camera 0\ndelivers no frames"), False,
         StartFailed("camera 0 delivers no frames", is_retryable=True)),
        (SetupError("Ann cannot be masked."), False,
         StartFailed("Ann cannot be masked.", is_retryable=False)),
        (
            SetupError("The database is gone.", "Restore it."), True,
            SessionEnded(
                7, SessionStatus.INTERRUPTED, "The database is gone. Restore it.", is_retryable=True
            ),
        ),
        (
            ZeroDivisionError("Mia"), True,
            SessionEnded(
                7, SessionStatus.INTERRUPTED, "Internal error (ZeroDivisionError). See the log.",
                is_retryable=True,
            ),
        ),
    ],
)  # fmt: skip
def test_failure_is_the_last_message(world: World, error: Exception, begins: bool, expected: object) -> None:
    world.fails, world.begins = error, begins
    code, messages = world.run(encode_command(Command("stop")))
    assert (code, messages[-1]) == (1, expected)


def test_interrupted_session_is_retryable_unless_stopped(world: World) -> None:
    worker = world.worker()
    lost = replace(world.outcome, status=SessionStatus.INTERRUPTED, reason="the camera went away")
    assert worker._ended_message(lost) == SessionEnded(
        7, SessionStatus.INTERRUPTED, "the camera went away", is_retryable=True
    )
    worker._stop.set()
    assert not worker._ended_message(lost).is_retryable


def test_invalid_settings_are_a_retryable_failure(world: World) -> None:
    world.config.path.write_text("capture: {sample_fps: 0}\n", encoding="utf-8")
    code, (message,) = world.run()
    assert code == 1
    assert isinstance(message, StartFailed)
    assert "config.yaml, line 1: capture.sample_fps" in message.reason
    assert message.is_retryable


def test_changed_database_is_a_retryable_failure(world: World, tmp_path: Path) -> None:
    with world.config.path.open("a", encoding="utf-8") as file:
        file.write("database: {url: 'sqlite:///elsewhere/other.db'}\n")
    code, (message,) = world.run()
    assert isinstance(message, StartFailed)
    assert (code, message.is_retryable) == (1, True)
    assert "database" in message.reason
    assert not (tmp_path / "elsewhere").exists()


def test_worker_without_a_job_is_a_setup_error(world: World) -> None:
    with pytest.raises(SetupError):
        world.run(first=b"hello\n")


def test_closed_pipe_is_ignored(world: World) -> None:
    world.pipe.close()
    worker = world.worker()
    worker._send(StartFailed("x", is_retryable=False))
    worker._send(StartFailed("x", is_retryable=False))


def test_sigterm_stops_immediately_with_a_reason(world: World) -> None:
    worker = world.worker()
    # The interrupted thread may hold the lock of the event.
    with worker._stop._cond:
        worker._terminate(signal.SIGTERM, None)
    assert worker._stop.wait(60)
    assert (worker._stop.immediate, worker._stop.reason) == (True, "Classpulse was ended")


def test_job_round_trip(world: World) -> None:
    assert JOB_ADAPTER.validate_json(JOB_ADAPTER.dump_json(world.job)) == world.job
    assert isinstance(world.job, WorkerJob)
