"""The service with made-up recordings: what is ordered, answered and ended, without a process."""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from classpulse.config.settings import Config, read_config
from classpulse.errors import UserError
from db.records import SessionStatus
from monitor.daemon.control import Request
from monitor.daemon.errors import ControlError
from monitor.daemon.job_runner import JobRunner, ReportResult
from monitor.daemon.protocol import (
    MAX_MARKER_CHARS,
    Command,
    RecordingRequest,
    RecordingResult,
    SessionEnded,
    StartFailed,
    StatusUpdate,
)
from monitor.daemon.service import ENDED, ENDING, IMMEDIATE_EXIT_S, Service, resolve_request
from monitor.runtime.shutdown import ShutdownRequest
from tests.helpers.status_messages import recording
from tests.helpers.waiting import PATIENCE_S, wait_for

MATH = RecordingRequest("Math 7B", "0", "B 12")
TOMORROW = datetime.now(UTC) + timedelta(days=1)


class FakeErrands:
    def __init__(self) -> None:
        self.sessions: list[int] = []
        self.cancelled = False

    def make_report(self, session_id: int) -> ReportResult:
        self.sessions.append(session_id)
        return ReportResult(session_id, {})

    def cancel(self) -> None:
        self.cancelled = True


class FakeRecording:
    """Begins a session at once, and ends it when it is told to, unless it is ``stubborn``."""

    stubborn = False
    started: list[FakeRecording]

    def __init__(self, config: Config, order: RecordingRequest, *, verbose, on_message, on_exit) -> None:
        self.order, self.on_message, self.on_exit = order, on_message, on_exit
        self.commands: list[Command] = []
        self.killed = False
        self.number = len(self.started) + 1
        self.started.append(self)
        self.tell()

    def tell(self, **changes: object) -> None:
        changes = {"session_id": self.number, "room": self.order.room, **changes}
        self.on_message(StatusUpdate(recording(class_name=self.order.class_name, **changes)))

    def send(self, command: Command) -> None:
        self.commands.append(command)
        if command.verb == "stop" and not self.stubborn:
            status = SessionStatus.INTERRUPTED if command.reason else SessionStatus.FINISHED
            self.on_message(SessionEnded(self.number, status, command.reason, is_retryable=False))
            self.on_exit(0)

    def kill(self) -> None:
        self.killed = True
        self.on_exit(-9)


class World:
    def __init__(self, config: Config, *, service: bool, **more: object) -> None:
        self.errands = FakeErrands()
        self.aftermath = JobRunner(self.errands)  # type: ignore[arg-type]
        self.ended: list[RecordingResult] = []
        self.service = Service(config, self.aftermath, is_daemon=service, on_result=self.ended.append, **more)  # type: ignore[arg-type]
        self.stop = ShutdownRequest()

    def interrupt(self, *, terminated: bool) -> None:
        self.stop.immediate, self.stop.by_sigterm = True, terminated
        self.stop.set()

    def run(self) -> None:
        self.service.run(self.stop)
        self.aftermath.close()


@pytest.fixture
def config(configured, tmp_path: Path) -> Config:
    (tmp_path / "classpulse-data").mkdir()
    return read_config(configured(more="class: {name: 7b}\n"))


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[FakeRecording]:
    FakeRecording.started, FakeRecording.stubborn = [], False
    monkeypatch.setattr("monitor.daemon.service.WorkerProcess", FakeRecording)
    return FakeRecording.started


@pytest.fixture
def serving(config: Config, recordings: list[FakeRecording]):
    """A service that runs in a thread; a test asks it as callers over the socket do."""
    world = World(config, is_daemon=True, answer_timeout_s=PATIENCE_S)
    thread = threading.Thread(target=world.run)
    thread.start()
    yield world
    world.interrupt(terminated=True)
    thread.join()


def asked(world: World, verb: str, **more: object) -> dict:
    reply = world.service.handle_request(Request(verb, **more))
    assert reply.error == ""
    return dict(reply.body)


def refused(world: World, verb: str, **more: object) -> str:
    return world.service.handle_request(Request(verb, **more)).error


def test_orders_are_carried_out_one_after_another(serving: World, recordings: list[FakeRecording]) -> None:
    asked(serving, "start", class_name="Math 7B", room="B 12")
    assert [one.order.class_name for one in recordings] == ["Math 7B"]
    assert asked(serving, "status")["recordings"][0]["session_id"] == 1
    assert "is already being recorded" in refused(serving, "start", room="B 12")
    asked(serving, "mark", text="quiz\nhanded \x1b[2Jout")
    asked(serving, "pause")
    asked(serving, "resume")
    assert recordings[0].commands == [
        Command("mark", "quiz handed [2Jout"), Command("pause"), Command("resume")
    ]  # fmt: skip
    assert asked(serving, "stop")["session_id"] == 1
    wait_for(lambda: asked(serving, "status")["recordings"] == [])
    assert "nothing is being recorded" in refused(serving, "stop")
    assert [(one.session_id, one.status) for one in serving.ended] == [(1, SessionStatus.FINISHED)]
    wait_for(lambda: serving.errands.sessions == [1])


@pytest.mark.parametrize("text", [None, "", "  ", "\n\t\x00"])
def test_a_marker_that_nobody_could_read_is_refused(
    serving: World, recordings: list[FakeRecording], text: str | None
) -> None:
    asked(serving, "start")
    assert "the marker has no text" in refused(serving, "mark", text=text)
    assert recordings[0].commands == []


def test_a_marker_is_no_novel(serving: World, recordings: list[FakeRecording]) -> None:
    asked(serving, "start")
    assert "10000 characters; expected at most 500" in refused(serving, "mark", text="a" * 10_000)
    asked(serving, "mark", text="a" * MAX_MARKER_CHARS)
    assert recordings[0].commands == [Command("mark", "a" * MAX_MARKER_CHARS)]


def test_a_fault_in_an_order_ends_neither_the_service_nor_the_answers(
    serving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("monitor.daemon.service.resolve_request", fail)
        with pytest.raises(ZeroDivisionError):
            serving.service.handle_request(Request("start"))
    assert asked(serving, "status")["recordings"] == []


def test_a_recording_that_cannot_be_spawned_is_told_and_the_service_goes_on(
    serving: World, monkeypatch: pytest.MonkeyPatch, recordings: list[FakeRecording]
) -> None:
    def no_process(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr("monitor.daemon.service.WorkerProcess", no_process)
        asked(serving, "start", room="B 12")
        (problem,) = asked(serving, "status")["problems"]
    assert "7b in B 12 was not recorded: its process could not be started (Resource temp" in problem
    asked(serving, "start", room="B 12")
    assert len(recordings) == 1


def test_a_data_folder_that_vanished_is_a_problem_not_a_silence(serving: World, config: Config) -> None:
    shutil.rmtree(config.data_folder)
    status = asked(serving, "status")
    assert status["disk_free_bytes"] == 0
    assert "cannot be reached" in status["problems"][0]


def test_who_was_told_to_try_again_is_not_obeyed_later(config: Config, recordings) -> None:
    world = World(config, is_daemon=True, answer_timeout_s=0.0)
    assert "busy; try again" in world.service.handle_request(Request("start")).error
    world.interrupt(terminated=True)
    world.service.run(world.stop)
    assert recordings == []


def test_what_runs_is_stopped_and_what_comes_then_is_refused(config: Config, recordings) -> None:
    world = World(config, is_daemon=True)
    world.service.start(MATH)
    world.interrupt(terminated=True)
    # The timetable is quicker than the signal, and slower than the end.
    world.service.start_scheduled(RecordingRequest("Physics", "1", "B 3", until=TOMORROW, scheduled=True))
    FakeRecording.stubborn = True
    end = threading.Timer(0.1, lambda: recordings[0].on_exit(0))
    end.start()
    world.run()
    assert [one.order.class_name for one in recordings] == ["Math 7B"]
    assert recordings[0].commands == [Command("stop", immediate=True, reason=ENDED)]
    assert world.service.handle_request(Request("status")).error == ENDING
    with pytest.raises(ControlError, match=ENDING):
        world.service.query_status()
    with pytest.raises(ControlError, match=ENDING):
        world.service.start(MATH)


def test_who_asks_while_it_ends_is_not_kept_waiting(config: Config, recordings) -> None:
    world = World(config, is_daemon=True)
    errors: list[str] = []
    # Put into the queue behind the last thing that is done.
    original = world.service._drain

    def drain() -> None:
        world.service._stopped.clear()
        caller = threading.Thread(
            target=lambda: errors.append(world.service.handle_request(Request("status")).error)
        )
        caller.start()
        wait_for(lambda: not world.service._queue.empty())
        world.service._stopped.set()
        original()
        caller.join()

    world.service._drain = drain  # type: ignore[method-assign]
    world.interrupt(terminated=True)
    world.run()
    assert errors == [ENDING]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_child_that_never_ends_is_killed_within_five_seconds(
    config: Config, recordings, number: signal.Signals
) -> None:
    now = itertools.count(step=0.5)
    world = World(config, is_daemon=False, clock=lambda: next(now))
    FakeRecording.stubborn = True
    world.service.start(MATH)
    world.interrupt(terminated=number == signal.SIGTERM)
    before = next(now)
    world.run()
    assert recordings[0].killed
    assert recordings[0].commands == [Command("stop", immediate=True)]
    assert next(now) - before >= IMMEDIATE_EXIT_S
    # Whoever waits hears which session it was.
    assert [(one.session_id, one.is_final) for one in world.ended] == [(1, True)]
    assert world.errands.sessions == ([1] if number == signal.SIGINT else [])


def test_in_the_foreground_it_ends_with_the_lesson(config: Config, recordings) -> None:
    world = World(config, is_daemon=False)
    world.service.start(MATH)
    recordings[0].send(Command("stop"))
    world.run()
    assert [one.reason for one in world.ended] == [""]
    assert world.errands.sessions == [1]


def test_an_order_that_never_began_is_a_problem_unless_it_was_called_off(config: Config, recordings) -> None:
    world = World(config, is_daemon=False)
    world.service.start(MATH)
    recordings[0].on_message(StartFailed("camera 0 gives no picture", is_retryable=True))
    recordings[0].on_exit(1)
    world.service.run(world.stop)
    assert world.aftermath.problems == ("Math 7B in B 12 was not recorded: camera 0 gives no picture",)
    world = World(config, is_daemon=False)
    FakeRecording.stubborn = True
    world.service.start(MATH)
    recordings[1].tell(session_id=None)
    world.interrupt(terminated=False)
    recordings[1].on_exit(1)
    world.service.run(world.stop)
    assert world.aftermath.problems == ()
    assert [one.reason for one in world.ended] == [
        "stopped before the first picture came: nothing was recorded"
    ]


def test_a_lesson_that_cannot_begin_does_not_end_the_service(configured, recordings, tmp_path: Path) -> None:
    (tmp_path / "classpulse-data").mkdir()
    path = configured()
    path.write_text("class: {name: 7b}\n", encoding="utf-8")
    world = World(read_config(path), is_daemon=True)
    with pytest.raises(UserError, match="policy"):
        world.service.start(MATH)
    world.service.start_scheduled(MATH)
    thread = threading.Thread(target=world.run)
    thread.start()
    wait_for(lambda: world.aftermath.problems != ())
    assert "Math 7B in B 12 was not recorded: " in world.aftermath.problems[0]
    world.interrupt(terminated=True)
    thread.join()


def test_a_stop_is_heard_at_once(config: Config, recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.daemon.service.TICK_INTERVAL_S", 3600.0)
    world = World(config, is_daemon=True)
    thread = threading.Thread(target=world.run, daemon=True)
    thread.start()
    asked(world, "status")  # from here on it waits for an hour
    world.interrupt(terminated=True)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_each_round_is_drawn(config: Config, recordings) -> None:
    rounds: list[tuple] = []
    world = World(
        config,
        is_daemon=False,
        on_status=lambda one: (rounds.append(one), one and recordings[0].send(Command("stop"))),
    )
    world.service.start(MATH)
    world.run()
    assert [one.session_id for one in rounds[0]] == [1]


def test_what_an_order_means(config: Config) -> None:
    assert resolve_request(config, Request("start")) == RecordingRequest("7b", "0")
    until_ = "2026-11-25T10:00:00+01:00"
    order = resolve_request(config, Request("start", "B 12", "Math", "rtsp://cam/1", until_, preview=True))
    assert order == RecordingRequest(
        "Math", "rtsp://cam/1", "B 12", until=datetime(2026, 11, 25, 9, tzinfo=UTC), preview=True
    )


@pytest.mark.parametrize("until_", ["soon", "", "2026-11-25T10:00:00"])
def test_a_time_without_its_offset_is_none(config: Config, until_: str) -> None:
    with pytest.raises(ControlError, match="expected ISO 8601 with its offset"):
        resolve_request(config, Request("start", until=until_))


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "7b\nX", "7b\x1b[2J", "\udcff"])
def test_a_name_that_cannot_be_printed_is_refused(config: Config, name: str) -> None:
    with pytest.raises(ControlError, match="the class is called"):
        resolve_request(config, Request("start", class_name=name))
    with pytest.raises(ControlError, match="the room is called"):
        resolve_request(config, Request("start", room=name or " "))


@pytest.mark.parametrize("name", ["7b", "کلاس\u200cها", "数学", "a" * 100])
def test_names_are_of_every_script(config: Config, name: str) -> None:
    assert resolve_request(config, Request("start", class_name=name)).class_name == name


def test_a_room_that_is_not_in_the_settings_is_refused(configured) -> None:
    config = read_config(configured(more="rooms:\n- {name: A 1, source: '3'}\n"))
    assert resolve_request(config, Request("start", "A 1")).source == "3"
    with pytest.raises(ControlError, match=r"no room 'B 2' in 'rooms:'; expected one of 'A 1'"):
        resolve_request(config, Request("start", "B 2"))
    assert resolve_request(config, Request("start", "B 2", source="0")).room == "B 2"


def test_a_fault_that_keeps_a_lesson_from_beginning_is_in_the_log_in_full(
    serving: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> FakeRecording:
        raise RuntimeError("a fault")

    monkeypatch.setattr("monitor.daemon.service.WorkerProcess", broken)
    serving.service.start_scheduled(replace(MATH, scheduled=True))
    wait_for(lambda: asked(serving, "status")["problems"] != [])
    (problem,) = asked(serving, "status")["problems"]
    assert "Math 7B in B 12 was not recorded: a fault of Classpulse (RuntimeError)" in problem
    (logged,) = [one for one in caplog.records if "cannot be recorded" in one.getMessage()]
    assert logged.exc_info is not None
