"""One room's process, run in this one: what it reads from its input, and what it says."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from classpulse.config.settings import read_config
from classpulse.errors import UserError
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
from monitor.errors import SourceError
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
    """A recording whose lecture lasts until it is stopped, and what it was told and says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.config = read_config(path)
        self.task = make_job(self.config, MATH)
        self.camera, self.session = Camera(), Session()
        self.stop: ShutdownRequest | None = None
        self.fails: Exception | None = None
        self.begins = True
        self.outcome = SessionOutcome(7, SessionStatus.FINISHED, "", SessionProgress(60.0, 58.0, 120, 2), 7)
        self.classes: list[tuple[str, str | None]] = []
        self.samples: list[FrameResult] = []
        world = self

        class Lecture:
            def __init__(self, config, *_: object) -> None:
                world.classes.append((config.settings.class_.name, config.settings.class_.room))

            def watch(
                self, source, stop, *, on_start, on_progress, on_ready, on_sample, **_: object
            ) -> SessionOutcome:
                world.stop = stop
                for one in world.samples:
                    on_sample(one)
                if world.begins:
                    on_start(7, None)
                    on_ready(world.camera, world.session)
                if world.fails is not None:
                    raise world.fails
                assert stop.wait(60)
                on_progress(None, 0)
                return world.outcome

        monkeypatch.setattr(module, "Lecture", Lecture)
        monkeypatch.setattr(module, "_redirect_stdout", self._take_stdout)
        monkeypatch.setattr(RecorderWorker, "_install_signal_handlers", lambda self: None)
        self._monkeypatch = monkeypatch
        read, write = os.pipe()
        self.pipe, self.out = os.fdopen(read, "rb"), os.fdopen(write, "wb")

    def close(self) -> None:
        self.pipe.close()
        with suppress(OSError):  # nobody listens any more
            self.out.close()

    def _take_stdout(self) -> BinaryIO:
        return self.out

    def run(self, *lines: bytes, first: bytes | None = None):
        """The exit code and the messages; the input ends after ``lines``."""
        begin = JOB_ADAPTER.dump_json(self.task) + b"\n" if first is None else first
        stdin = SimpleNamespace(buffer=io.BytesIO(begin + b"".join(lines)))
        self._monkeypatch.setattr(sys, "stdin", stdin)
        recorded = RecorderWorker(lambda: read_config(self.config.path))
        code = recorded.run()
        # The recording ends with the first line that stops it; what came behind that is obeyed all the same.
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


def test_an_order_is_recorded_until_it_is_stopped(world: World) -> None:
    code, messages = world.run(
        encode_command(Command("mark", "quiz")),
        encode_command(Command("pause")),
        encode_command(Command("resume")),
        encode_command(Command("stop")),
    )
    assert code == 0
    assert world.classes == [("Math 7B", "B 12")]
    # Whether the listener was quicker than the lecture is chance: then nothing has begun.
    assert world.session.marks in ([], ["quiz"])
    *told, last = messages
    assert all(isinstance(one, StatusUpdate) for one in told)
    # The session is told at its begin and at its end, whatever a clock has told before, between and after.
    assert [one.status.session_id for one in told].count(7) >= 2
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
def test_pictures_show_steady_readings_and_in_aggregate_none(
    monkeypatch: pytest.MonkeyPatch, configured, mode: str, student: int | None, readings: list[object]
) -> None:
    shown: dict[str, list[FrameResult]] = {"Preview": [], "Showing": []}
    options: dict[str, object] = {}

    for name, seen in shown.items():

        class Watcher:
            def __init__(self, *_: object, name=name, seen=seen, **more: object) -> None:
                options[name] = more["language"]
                self.sample = seen.append

            def __enter__(self):
                return self

            def __exit__(self, *_: object) -> None: ...

            def refresh(self, **_: object) -> None: ...

        monkeypatch.setattr(module, name, Watcher)
    world = World(monkeypatch, configured(mode, more="class: {name: 7b}\noutput: {language: de}\n"))
    world.samples = [
        FrameResult(at_s, (), 1, (640, 480), (TrackedFace(1, 0, (0, 0, 9, 9), one),))
        for at_s, one in ((1.0, HAPPY), (1.5, NEUTRAL))
    ]
    world.run(encode_command(Command("stop")))
    world.close()
    assert options == {"Preview": "de", "Showing": "de"}
    for seen in shown.values():
        faces = [sample.tracked_faces[0] for sample in seen]
        assert [one.expression for one in faces] == readings
        assert {one.student for one in faces} == {student}


def test_commands_are_obeyed_in_their_order(world: World) -> None:
    recorded = RecorderWorker(lambda: world.config)
    teller = SimpleNamespace(done=[])
    for verb in ("pause", "resume"):
        setattr(teller, verb, lambda verb=verb: teller.done.append(verb))
    teller.mark = lambda text: teller.done.append(text)
    lines = [Command("pause"), Command("mark", "quiz"), Command("resume"), Command("stop")]
    raw = b"".join(map(encode_command, lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
        recorded._done.set()
        recorded._read_commands(teller)
    assert teller.done == ["pause", "quiz", "resume"]
    assert (recorded._stop.is_set(), recorded._stop.immediate, recorded._stop.reason) == (True, False, "")


def test_an_input_that_ends_ends_the_session_in_a_hurry(world: World) -> None:
    code, messages = world.run()
    assert (code, world.stop.immediate) == (0, True)
    assert world.stop.reason == "the program that watched over the recording was cut off"
    assert isinstance(messages[-1], SessionEnded)


def test_the_first_reason_stays_and_a_hurry_is_added(world: World) -> None:
    world.run(
        encode_command(Command("stop", reason="Classpulse was ended")),
        encode_command(Command("stop", immediate=True, reason="another")),
    )
    assert (world.stop.reason, world.stop.immediate) == ("Classpulse was ended", True)


def test_what_is_no_command_is_passed_over_and_not_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.run(
        b"{\n", b'{"verb": "note", "text": "Mia is late"}\n', b"\xff\n", encode_command(Command("stop"))
    )
    assert [one.getMessage() for one in caplog.records if "not understood" in one.getMessage()] == [
        "a command was not understood (ValidationError)"
    ] * 3
    assert "Mia" not in caplog.text


@pytest.mark.parametrize(
    ("error", "begins", "told"),
    [
        (SourceError("camera 0\ngives no picture"), False, StartFailed("camera 0 gives no picture", is_retryable=True)),
        (UserError("nobody can be masked"), False, StartFailed("nobody can be masked", is_retryable=False)),
        (
            UserError("the record is gone"), True,
            SessionEnded(7, SessionStatus.INTERRUPTED, "the record is gone", is_retryable=True),
        ),
        (
            ZeroDivisionError("Mia"), True,
            SessionEnded(
                7, SessionStatus.INTERRUPTED, "a fault of Classpulse (ZeroDivisionError); see its log",
                is_retryable=True,
            ),
        ),
    ],
)  # fmt: skip
def test_how_it_fails_is_its_last_word(world: World, error: Exception, begins: bool, told: object) -> None:
    world.fails, world.begins = error, begins
    code, messages = world.run(encode_command(Command("stop")))
    assert (code, messages[-1]) == (1, told)


def test_a_camera_that_was_lost_is_worth_another_session_unless_it_was_stopped(world: World) -> None:
    recorded = RecorderWorker(lambda: world.config)
    lost = replace(world.outcome, status=SessionStatus.INTERRUPTED, reason="the camera went away")
    assert recorded._ended_message(lost) == SessionEnded(
        7, SessionStatus.INTERRUPTED, "the camera went away", is_retryable=True
    )
    recorded._stop.set()
    assert not recorded._ended_message(lost).is_retryable


def test_settings_that_became_invalid_are_told_and_may_be_mended(world: World) -> None:
    world.config.path.write_text("capture: {sample_fps: 0}\n", encoding="utf-8")
    code, (told,) = world.run()
    assert code == 1
    assert isinstance(told, StartFailed)
    assert "config.yaml, line 1: capture.sample_fps" in told.reason
    assert told.is_retryable


def test_settings_that_name_another_record_are_refused(world: World, tmp_path: Path) -> None:
    with world.config.path.open("a", encoding="utf-8") as file:
        file.write("database: {url: 'sqlite:///elsewhere/other.db'}\n")
    code, (told,) = world.run()
    assert (code, told.again) == (1, True)
    assert "names another database" in told.line
    assert not (tmp_path / "elsewhere").exists()


def test_nobody_starts_it_by_hand(world: World) -> None:
    with pytest.raises(UserError, match="use 'classpulse start'"):
        world.run(first=b"hello\n")


def test_nobody_who_listens_is_no_fault(world: World) -> None:
    world.pipe.close()
    recorded = RecorderWorker(lambda: world.config)
    recorded._send(StartFailed("x", is_retryable=False))
    recorded._send(StartFailed("x", is_retryable=False))


def test_being_terminated_is_an_interruption_in_a_hurry(world: World) -> None:
    recorded = RecorderWorker(lambda: world.config)
    # The thread that it interrupts may be about to wait for the very same event.
    with recorded._stop._cond:
        recorded._terminate(signal.SIGTERM, None)
    assert recorded._stop.wait(60)
    assert (recorded._stop.immediate, recorded._stop.reason) == (True, "Classpulse was ended")


def test_a_task_comes_back(world: World) -> None:
    assert JOB_ADAPTER.validate_json(JOB_ADAPTER.dump_json(world.task)) == world.task
    assert isinstance(world.task, WorkerJob)
