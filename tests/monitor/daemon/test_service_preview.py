"""A picture's way through the service: from the recording to everybody who asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from classpulse.config.settings import read_config
from monitor.daemon import service as service_module
from monitor.daemon.control import Reply, Request
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


class Recording:
    """In place of a process: ``asked`` is set with each command ``picture``."""

    made: Recording

    def __init__(self, _config: Any, _order: Any, *, verbose: bool, on_message: Any, on_exit: Any) -> None:
        self.say, self.exit = on_message, on_exit
        self.asked = threading.Semaphore(0)
        Recording.made = self
        self.tell(StatusUpdate(recording(session_id=7, room="B 12")))

    def tell(self, message: Message) -> None:
        self.say(message)

    def send(self, command: Command) -> None:
        if command.verb == "picture":
            self.asked.release()
        if command.verb == "stop":
            self.exit(0)

    def kill(self) -> None:
        self.exit(-9)


class Nothing:
    pending_count, problems = 0, ()

    def handle_result(self, result: Any) -> None: ...

    def cancel_pending(self) -> None: ...


@pytest.fixture
def service(configured, monkeypatch):
    monkeypatch.setattr(service_module, "WorkerProcess", Recording)
    config = read_config(configured(more="class: {name: 7b, room: B 12}\n"))
    config.data_folder.mkdir(parents=True)
    made, stop = Service(config, Nothing(), is_daemon=True, answer_timeout_s=30.0), ShutdownRequest()
    thread = threading.Thread(target=made.run, args=(stop,))
    thread.start()
    assert made.handle_request(Request("start")).error == ""
    yield made
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_picture_goes_to_everybody_who_waits_for_it(service: Service) -> None:
    with ThreadPoolExecutor() as pool:
        viewers = [pool.submit(service.handle_request, Request("picture", session_id=7)) for _ in range(3)]
        for _ in viewers:
            assert Recording.made.asked.acquire(timeout=30)
        Recording.made.tell(PreviewFrame("abc"))
        assert [viewer.result(30) for viewer in viewers] == [Reply({"jpeg": "abc"})] * 3


def test_who_waits_while_the_recording_ends_gets_nothing(service: Service) -> None:
    with ThreadPoolExecutor() as pool:
        viewer = pool.submit(service.handle_request, Request("picture", session_id=7))
        assert Recording.made.asked.acquire(timeout=30)
        Recording.made.kill()
        assert viewer.result(30) == Reply({"jpeg": ""})


def test_a_picture_of_another_session_is_refused(service: Service) -> None:
    assert "session 8 is not being recorded" in service.handle_request(Request("picture", session_id=8)).error


def test_messages_of_pictures_and_people_arrive_as_they_were_sent() -> None:
    people = (
        LiveStudent("Student 1", True, None, False, "happy"),
        LiveStudent("", False, unreadable_reason="absent"),
    )
    for message in (PreviewFrame("abc"), StatusUpdate(recording(live_students=people))):
        assert decode_message(encode_message(message)) == message
