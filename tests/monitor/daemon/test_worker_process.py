"""Worker processes, with scripts as workers."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from classpulse.config.daemon import daemon_settings
from classpulse.config.settings import read_config
from monitor.daemon import worker_process as module
from monitor.daemon.protocol import (
    Command,
    Message,
    RecordingRequest,
    StartFailed,
    StatusUpdate,
    encode_message,
)
from monitor.daemon.worker_process import JOB_ADAPTER, WorkerProcess
from monitor.settings import DaemonSettings
from tests.helpers.status_messages import recording

MATH = RecordingRequest("Math 7B", "rtsp://school:secret@cam/1", "B 12")


class World:
    def __init__(self, settings: DaemonSettings) -> None:
        self.settings = settings
        self.messages: list[Message] = []
        self.code: int | None = None
        self.gone = threading.Event()

    def start(self, script: str, request: RecordingRequest = MATH) -> WorkerProcess:
        settings = replace(self.settings, program=("-c", script))
        return WorkerProcess(
            settings, request, verbose=False, on_message=self.messages.append, on_exit=self.exited
        )

    def exited(self, code: int) -> None:
        self.code = code
        self.gone.set()


@pytest.fixture
def world(configured) -> World:
    return World(daemon_settings(read_config(configured())))


def says(*messages: Message) -> str:
    return f"import sys; sys.stdout.buffer.write({b''.join(map(encode_message, messages))!r}); "


def test_all_messages_arrive_before_the_exit(world: World) -> None:
    sent = [StatusUpdate(recording(session_id=n)) for n in range(200)]
    world.start(says(*sent, StartFailed("that was all", is_retryable=False)) + "sys.exit(3)")
    assert world.gone.wait(60)
    assert (world.messages, world.code) == ([*sent, StartFailed("that was all", is_retryable=False)], 3)


def test_job_is_the_first_line_and_no_argument(world: World, tmp_path: Path) -> None:
    process = world.start("import sys; open('read', 'wb').write(sys.stdin.buffer.readline())")
    assert world.gone.wait(60)
    assert JOB_ADAPTER.validate_json((tmp_path / "read").read_bytes()).request == MATH
    assert "secret" not in str(process._process.args)
    process.send(Command("stop"))
    process.kill()


def test_send_does_not_block_if_the_worker_does_not_read(world: World) -> None:
    process = world.start("import time; time.sleep(600)")
    for _ in range(20):
        process.send(Command("mark", "a" * 100_000))
    assert not world.gone.is_set()
    process.kill()
    assert world.gone.wait(60)
    assert world.code == -9


def test_invalid_message_is_ignored(world: World) -> None:
    world.start("print('hello'); " + says(StartFailed("x", is_retryable=False)))
    assert world.gone.wait(60)
    assert world.messages == [StartFailed("x", is_retryable=False)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_starting_worker_ignores_terminal_signals(world: World) -> None:
    process = world.start(
        says(StartFailed("loads", is_retryable=False)) + "sys.stdout.flush(); sys.stdin.read(); print()"
    )
    for number in (signal.SIGINT, signal.SIGHUP):
        process._process.send_signal(number)
    process._lines.put(None)  # closes its input
    assert world.gone.wait(60)
    assert world.code == 0


def test_unwritable_log_folder_does_not_prevent_a_recording(world: World) -> None:
    world.settings.data_folder.mkdir()
    (world.settings.data_folder / "logs").write_text("in the way")
    world.start(says(StartFailed("x", is_retryable=False)))
    assert world.gone.wait(60)
    assert world.messages == [StartFailed("x", is_retryable=False)]


def test_standard_error_is_kept_until_the_next_start(world: World) -> None:
    path = world.settings.data_folder / "logs" / "room-b-12.stderr"
    for line in ("first", "second"):
        world.gone.clear()
        world.start(f"import sys; sys.exit({line!r})")
        assert world.gone.wait(60)
        assert path.read_text().strip() == line
    assert path.stat().st_mode & 0o077 == 0


def test_request_with_invalid_unicode_starts_no_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.subprocess, "Popen", None)
    with pytest.raises(ValueError, match=r"utf-8|surrogate"):
        world.start("", RecordingRequest("\udcff", "0"))
