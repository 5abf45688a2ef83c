"""The processes that record, with scripts in the place of recordings."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import pytest

from classpulse.config.settings import Config, read_config
from monitor.daemon import worker_process as recordings
from monitor.daemon.protocol import (
    Command,
    Message,
    RecordingRequest,
    StartFailed,
    StatusUpdate,
    encode_message,
)
from monitor.daemon.worker_process import JOB_ADAPTER, WorkerProcess
from tests.helpers.status_messages import recording

MATH = RecordingRequest("Math 7B", "rtsp://school:secret@cam/1", "B 12")


class World:
    def __init__(self, config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = config
        self.messages: list[Message] = []
        self.code: int | None = None
        self.gone = threading.Event()
        self._monkeypatch = monkeypatch

    def start(self, script: str, order: RecordingRequest = MATH) -> WorkerProcess:
        command = [sys.executable, "-c", script]
        self._monkeypatch.setattr(recordings, "_command", lambda config, verbose: command)
        return WorkerProcess(
            self.config, order, verbose=False, on_message=self.messages.append, on_exit=self.exited
        )

    def exited(self, code: int) -> None:
        self.code = code
        self.gone.set()


@pytest.fixture
def world(configured, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(read_config(configured()), monkeypatch)


def says(*messages: Message) -> str:
    return f"import sys; sys.stdout.buffer.write({b''.join(map(encode_message, messages))!r}); "


def test_all_that_is_said_is_heard_before_the_exit(world: World) -> None:
    said = [StatusUpdate(recording(session_id=n)) for n in range(200)]
    world.start(says(*said, StartFailed("that was all", is_retryable=False)) + "sys.exit(3)")
    assert world.gone.wait(60)
    assert (world.messages, world.code) == ([*said, StartFailed("that was all", is_retryable=False)], 3)


def test_its_order_is_the_first_that_it_reads_and_no_argument(world: World, tmp_path: Path) -> None:
    one = world.start("import sys; open('read', 'wb').write(sys.stdin.buffer.readline())")
    assert world.gone.wait(60)
    assert JOB_ADAPTER.validate_json((tmp_path / "read").read_bytes()).request == MATH
    assert "secret" not in str(one._process.args)
    one.send(Command("stop"))
    one.kill()


def test_one_that_does_not_read_holds_nobody_up(world: World) -> None:
    one = world.start("import time; time.sleep(600)")
    for _ in range(20):
        one.send(Command("mark", "a" * 100_000))
    assert not world.gone.is_set()
    one.kill()
    assert world.gone.wait(60)
    assert world.code == -9


def test_what_is_no_message_is_passed_over(world: World) -> None:
    world.start("print('hello'); " + says(StartFailed("x", is_retryable=False)))
    assert world.gone.wait(60)
    assert world.messages == [StartFailed("x", is_retryable=False)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_does_not_reach_one_that_still_loads(world: World) -> None:
    one = world.start(
        says(StartFailed("loads", is_retryable=False)) + "sys.stdout.flush(); sys.stdin.read(); print()"
    )
    for number in (signal.SIGINT, signal.SIGHUP):
        one._process.send_signal(number)
    one._lines.put(None)  # its input ends
    assert world.gone.wait(60)
    assert world.code == 0


def test_a_log_that_cannot_be_made_is_no_reason_to_record_nothing(world: World) -> None:
    world.config.data_folder.mkdir()
    (world.config.data_folder / "logs").write_text("in the way")
    world.start(says(StartFailed("x", is_retryable=False)))
    assert world.gone.wait(60)
    assert world.messages == [StartFailed("x", is_retryable=False)]


def test_its_standard_error_is_kept_until_the_next_start(world: World) -> None:
    path = world.config.data_folder / "logs" / "room-b-12.stderr"
    for line in ("first", "second"):
        world.gone.clear()
        world.start(f"import sys; sys.exit({line!r})")
        assert world.gone.wait(60)
        assert path.read_text().strip() == line
    assert path.stat().st_mode & 0o077 == 0


def test_an_order_that_is_no_text_starts_no_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings.subprocess, "Popen", None)
    with pytest.raises(ValueError, match=r"utf-8|surrogate"):
        world.start("", RecordingRequest("\udcff", "0"))
