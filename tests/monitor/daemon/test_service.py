"""The service with fake workers: requests, answers and shutdown, without a process."""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from classpulse.config.daemon import daemon_settings
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
from classpulse.errors import UserError
from db.records import SessionStatus
from monitor.daemon.control import Request
from monitor.daemon.errors import (
    DaemonBusy,
    DaemonStopping,
    ErrorReply,
    InvalidRequest,
    RecordingConflict,
    RecordingNotFound,
)
from monitor.daemon.job_runner import JobRunner, ReportResult
from monitor.daemon.protocol import (
    Command,
    RecordingRequest,
    RecordingResult,
    SessionEnded,
    StartFailed,
    StatusUpdate,
)
from monitor.daemon.service import IMMEDIATE_EXIT_S, SHUTDOWN_REASON, Service
from monitor.daemon.status import ProblemKind
from monitor.runtime.shutdown import ShutdownRequest
from monitor.settings import DaemonSettings
from monitor.text import MAX_MARKER_CHARS
from tests.helpers.status_messages import recording
from tests.helpers.waiting import PATIENCE_S, wait_for

MATH = RecordingRequest("Math 7B", "0", "B 12")
TOMORROW = datetime.now(UTC) + timedelta(days=1)


class FakeCommandRunner:
    def __init__(self) -> None:
        self.sessions: list[int] = []
        self.cancelled = False

    def make_report(self, session_id: int) -> ReportResult:
        self.sessions.append(session_id)
        return ReportResult(session_id, {})

    def cancel(self) -> None:
        self.cancelled = True


class FakeWorker:
    """Starts a session at once and ends it on request, unless it is ``stubborn``."""

    stubborn = False
    started: list[FakeWorker]

    def __init__(
        self, settings: DaemonSettings, request: RecordingRequest, *, verbose, on_message, on_exit
    ) -> None:
        self.request, self.on_message, self.on_exit = request, on_message, on_exit
        self.commands: list[Command] = []
        self.killed = False
        self.number = len(self.started) + 1
        self.started.append(self)
        self.send_status()

    def send_status(self, **changes: object) -> None:
        changes = {"session_id": self.number, "room": self.request.room, **changes}
        self.on_message(StatusUpdate(recording(class_name=self.request.class_name, **changes)))

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
    def __init__(self, config: Config, *, is_daemon: bool, **options: object) -> None:
        self.commands_run = FakeCommandRunner()
        self.job_runner = JobRunner(self.commands_run)  # type: ignore[arg-type]
        self.ended: list[RecordingResult] = []
        self.service = Service(
            daemon_settings(config),
            self.job_runner,
            check_policy=lambda: require_policy(config.settings.policy, config.file_name),
            is_daemon=is_daemon,
            on_result=self.ended.append,
            **options,  # type: ignore[arg-type]
        )
        self.stop = ShutdownRequest()

    def interrupt(self, *, by_sigterm: bool) -> None:
        self.stop.immediate, self.stop.by_sigterm = True, by_sigterm
        self.stop.set()

    def run(self) -> None:
        self.service.run(self.stop)
        self.job_runner.close()


@pytest.fixture
def config(configured, tmp_path: Path) -> Config:
    (tmp_path / "classpulse-data").mkdir()
    return read_config(configured(more="class: {name: 7b}\n"))


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[FakeWorker]:
    FakeWorker.started, FakeWorker.stubborn = [], False
    monkeypatch.setattr("monitor.daemon.service.WorkerProcess", FakeWorker)
    return FakeWorker.started


@pytest.fixture
def serving(config: Config, recordings: list[FakeWorker]):
    """A service that runs in a thread; a test sends requests as clients of the socket do."""
    world = World(config, is_daemon=True, answer_timeout_s=PATIENCE_S)
    thread = threading.Thread(target=world.run)
    thread.start()
    yield world
    world.interrupt(by_sigterm=True)
    thread.join()


def asked(world: World, verb: str, **fields: object) -> dict:
    reply = world.service.handle_request(Request(verb, **fields))
    assert reply.error is None
    return dict(reply.body)


def refused(world: World, verb: str, **fields: object) -> ErrorReply:
    error = world.service.handle_request(Request(verb, **fields)).error
    assert error is not None
    return error


def test_requests_run_a_session_from_start_to_stop(serving: World, recordings: list[FakeWorker]) -> None:
    asked(serving, "start", class_name="Math 7B", room="B 12")
    assert [recording.request.class_name for recording in recordings] == ["Math 7B"]
    assert asked(serving, "status")["recordings"][0]["session_id"] == 1
    assert refused(serving, "start", room="B 12").kind == RecordingConflict.kind
    asked(serving, "mark", text="quiz\nhanded \x1b[2Jout")
    asked(serving, "pause")
    asked(serving, "resume")
    assert recordings[0].commands == [
        Command("mark", "quiz handed [2Jout"), Command("pause"), Command("resume")
    ]  # fmt: skip
    assert asked(serving, "stop")["session_id"] == 1
    wait_for(lambda: asked(serving, "status")["recordings"] == [])
    assert refused(serving, "stop").kind == RecordingNotFound.kind
    assert [(result.session_id, result.status) for result in serving.ended] == [(1, SessionStatus.FINISHED)]
    wait_for(lambda: serving.commands_run.sessions == [1])


@pytest.mark.parametrize("text", [None, "", "  ", "\n\t\x00"])
def test_mark_without_printable_text_is_rejected(
    serving: World, recordings: list[FakeWorker], text: str | None
) -> None:
    asked(serving, "start")
    assert refused(serving, "mark", text=text).kind == InvalidRequest.kind
    assert recordings[0].commands == []


def test_mark_longer_than_the_maximum_is_rejected(serving: World, recordings: list[FakeWorker]) -> None:
    asked(serving, "start")
    assert refused(serving, "mark", text="a" * (MAX_MARKER_CHARS + 1)).kind == InvalidRequest.kind
    asked(serving, "mark", text="a" * MAX_MARKER_CHARS)
    assert recordings[0].commands == [Command("mark", "a" * MAX_MARKER_CHARS)]


def test_exception_in_a_request_reaches_the_client_and_the_service_continues(
    serving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("monitor.daemon.request_handler.resolve_request", fail)
        with pytest.raises(ZeroDivisionError):
            serving.service.handle_request(Request("start"))
    assert asked(serving, "status")["recordings"] == []


def test_start_without_a_process_is_a_problem_and_the_service_continues(
    serving: World, monkeypatch: pytest.MonkeyPatch, recordings: list[FakeWorker]
) -> None:
    def no_process(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr("monitor.daemon.service.WorkerProcess", no_process)
        asked(serving, "start", room="B 12")
        (problem,) = asked(serving, "status")["problems"]
    assert (problem["class_name"], problem["room"], problem["kind"]) == (
        "7b",
        "B 12",
        ProblemKind.NOT_RECORDED,
    )
    assert "Resource temporarily unavailable" in problem["text"]
    asked(serving, "start", room="B 12")
    assert len(recordings) == 1


def test_status_without_the_data_folder_reports_a_problem(serving: World, config: Config) -> None:
    shutil.rmtree(config.data_folder)
    status = asked(serving, "status")
    assert status["disk_free_bytes"] == 0
    assert [problem["kind"] for problem in status["problems"]] == [ProblemKind.DATA_FOLDER]


def test_timed_out_request_is_not_executed_later(config: Config, recordings) -> None:
    world = World(config, is_daemon=True, answer_timeout_s=0.0)
    assert refused(world, "start").kind == DaemonBusy.kind
    world.interrupt(by_sigterm=True)
    world.service.run(world.stop)
    assert recordings == []


def test_shutdown_stops_recordings_and_rejects_later_requests(config: Config, recordings) -> None:
    world = World(config, is_daemon=True)
    world.service.start(MATH)
    world.interrupt(by_sigterm=True)
    # The timetable fires after the signal and before the end.
    world.service.start_scheduled(RecordingRequest("Physics", "1", "B 3", until=TOMORROW, scheduled=True))
    FakeWorker.stubborn = True
    end = threading.Timer(0.1, lambda: recordings[0].on_exit(0))
    end.start()
    world.run()
    assert [recording.request.class_name for recording in recordings] == ["Math 7B"]
    assert recordings[0].commands == [Command("stop", immediate=True, reason=SHUTDOWN_REASON)]
    assert refused(world, "status").kind == DaemonStopping.kind
    with pytest.raises(DaemonStopping):
        world.service.query_status()
    with pytest.raises(DaemonStopping):
        world.service.start(MATH)


def test_request_during_shutdown_is_answered(config: Config, recordings) -> None:
    world = World(config, is_daemon=True)
    errors: list[ErrorReply] = []
    # A request that enters the queue after the last one was executed.
    original = world.service._drain

    def drain() -> None:
        world.service._stopped.clear()
        client = threading.Thread(target=lambda: errors.append(refused(world, "status")))
        client.start()
        wait_for(lambda: not world.service._queue.empty())
        world.service._stopped.set()
        original()
        client.join()

    world.service._drain = drain  # type: ignore[method-assign]
    world.interrupt(by_sigterm=True)
    world.run()
    assert [error.kind for error in errors] == [DaemonStopping.kind]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stubborn_worker_is_killed_within_five_seconds(
    config: Config, recordings, number: signal.Signals
) -> None:
    now = itertools.count(step=0.5)
    world = World(config, is_daemon=False, clock=lambda: next(now))
    FakeWorker.stubborn = True
    world.service.start(MATH)
    world.interrupt(by_sigterm=number == signal.SIGTERM)
    before = next(now)
    world.run()
    assert recordings[0].killed
    assert recordings[0].commands == [Command("stop", immediate=True)]
    assert next(now) - before >= IMMEDIATE_EXIT_S
    assert [(result.session_id, result.is_final) for result in world.ended] == [(1, True)]
    assert world.commands_run.sessions == ([1] if number == signal.SIGINT else [])


def test_foreground_service_ends_with_its_recording(config: Config, recordings) -> None:
    world = World(config, is_daemon=False)
    world.service.start(MATH)
    recordings[0].send(Command("stop"))
    world.run()
    assert [result.reason for result in world.ended] == [""]
    assert world.commands_run.sessions == [1]


def test_failed_start_is_a_problem_unless_cancelled(config: Config, recordings) -> None:
    world = World(config, is_daemon=False)
    world.service.start(MATH)
    recordings[0].on_message(StartFailed("camera 0 delivers no frames", is_retryable=True))
    recordings[0].on_exit(1)
    world.service.run(world.stop)
    (problem,) = world.job_runner.problems
    assert (problem.class_name, problem.room, problem.kind) == ("Math 7B", "B 12", ProblemKind.NOT_RECORDED)
    assert problem.text.endswith("camera 0 delivers no frames")
    world = World(config, is_daemon=False)
    FakeWorker.stubborn = True
    world.service.start(MATH)
    recordings[1].send_status(session_id=None)
    world.interrupt(by_sigterm=False)
    recordings[1].on_exit(1)
    world.service.run(world.stop)
    assert world.job_runner.problems == ()
    assert [(result.session_id, result.cancelled) for result in world.ended] == [(None, True)]


def test_scheduled_lesson_without_a_policy_is_a_problem_and_the_service_continues(
    configured, recordings, tmp_path: Path
) -> None:
    (tmp_path / "classpulse-data").mkdir()
    path = configured()
    path.write_text("class: {name: 7b}\n", encoding="utf-8")
    world = World(read_config(path), is_daemon=True)
    with pytest.raises(UserError):
        world.service.start(MATH)
    world.service.start_scheduled(MATH)
    thread = threading.Thread(target=world.run)
    thread.start()
    wait_for(lambda: world.job_runner.problems != ())
    assert [problem.kind for problem in world.job_runner.problems] == [ProblemKind.NOT_RECORDED]
    world.interrupt(by_sigterm=True)
    thread.join()


def test_stop_wakes_the_event_loop(config: Config, recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.daemon.service.TICK_INTERVAL_S", 3600.0)
    world = World(config, is_daemon=True)
    thread = threading.Thread(target=world.run, daemon=True)
    thread.start()
    asked(world, "status")  # it waits for an hour now
    world.interrupt(by_sigterm=True)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_on_status_is_called_each_tick(config: Config, recordings) -> None:
    rounds: list[tuple] = []
    world = World(
        config,
        is_daemon=False,
        on_status=lambda statuses: (
            rounds.append(statuses),
            statuses and recordings[0].send(Command("stop")),
        ),
    )
    world.service.start(MATH)
    world.run()
    assert [status.session_id for status in rounds[0]] == [1]


def test_bug_at_a_scheduled_start_is_logged_with_its_traceback(
    serving: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> FakeWorker:
        raise RuntimeError("a bug")

    monkeypatch.setattr("monitor.daemon.service.WorkerProcess", broken)
    serving.service.start_scheduled(replace(MATH, scheduled=True))
    wait_for(lambda: asked(serving, "status")["problems"] != [])
    (problem,) = asked(serving, "status")["problems"]
    assert (problem["class_name"], problem["kind"]) == ("Math 7B", ProblemKind.NOT_RECORDED)
    assert "RuntimeError" in problem["text"]
    assert [record.exc_info is not None for record in caplog.records if record.levelname == "ERROR"] == [True]
