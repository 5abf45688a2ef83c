"""Previews through the service: from the worker to all clients that requested one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from classpulse.config.daemon import daemon_settings
from classpulse.config.settings import read_config
from monitor.daemon import service as service_module
from monitor.daemon.control import Reply, Request
from monitor.daemon.errors import RecordingNotFound
from monitor.daemon.protocol import (
    Command,
    Message,
    PreviewFrame,
    StatusUpdate,
    decode_message,
    encode_message,
)
from monitor.daemon.service import Service
from monitor.runtime.shutdown import ShutdownRequest
from monitor.session.status import LiveStudent
from tests.helpers.status_messages import recording


class FakeWorker:
    """A fake worker; ``requested`` counts the commands ``picture``."""

    made: FakeWorker

    def __init__(
        self, _settings: Any, _request: Any, *, verbose: bool, on_message: Any, on_exit: Any
    ) -> None:
        self.on_message, self.exit = on_message, on_exit
        self.requested = threading.Semaphore(0)
        FakeWorker.made = self
        self.emit(StatusUpdate(recording(session_id=7, room="B 12")))

    def emit(self, message: Message) -> None:
        self.on_message(message)

    def send(self, command: Command) -> None:
        if command.verb == "picture":
            self.requested.release()
        if command.verb == "stop":
            self.exit(0)

    def kill(self) -> None:
        self.exit(-9)


class NoJobs:
    pending_count, problems = 0, ()

    def handle_result(self, result: Any) -> None: ...

    def cancel_pending(self) -> None: ...


@pytest.fixture
def service(configured, monkeypatch):
    monkeypatch.setattr(service_module, "WorkerProcess", FakeWorker)
    config = read_config(configured(more="class: {name: 7b, room: B 12}\n"))
    config.data_folder.mkdir(parents=True)
    made = Service(
        daemon_settings(config), NoJobs(), check_policy=bool, is_daemon=True, answer_timeout_s=30.0
    )
    stop = ShutdownRequest()
    thread = threading.Thread(target=made.run, args=(stop,))
    thread.start()
    assert made.handle_request(Request("start")).error is None
    yield made
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_preview_is_delivered_to_all_waiting_clients(service: Service) -> None:
    with ThreadPoolExecutor() as pool:
        viewers = [pool.submit(service.handle_request, Request("picture", session_id=7)) for _ in range(3)]
        for _ in viewers:
            assert FakeWorker.made.requested.acquire(timeout=30)
        FakeWorker.made.emit(PreviewFrame("abc"))
        assert [viewer.result(30) for viewer in viewers] == [Reply({"jpeg": "abc"})] * 3


def test_preview_is_empty_when_the_recording_ends(service: Service) -> None:
    with ThreadPoolExecutor() as pool:
        viewer = pool.submit(service.handle_request, Request("picture", session_id=7))
        assert FakeWorker.made.requested.acquire(timeout=30)
        FakeWorker.made.kill()
        assert viewer.result(30) == Reply({"jpeg": ""})


def test_preview_of_another_session_is_rejected(service: Service) -> None:
    error = service.handle_request(Request("picture", session_id=8)).error
    assert error is not None
    assert error.kind == RecordingNotFound.kind


def test_preview_and_live_students_round_trip() -> None:
    students = (
        LiveStudent("Student 1", True, None, False, "happy"),
        LiveStudent("", False, unreadable_reason="absent"),
    )
    for message in (PreviewFrame("abc"), StatusUpdate(recording(live_students=students))):
        assert decode_message(encode_message(message)) == message
