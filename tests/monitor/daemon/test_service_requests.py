"""The commands that send requests, against a daemon with scripted answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tzlocal import get_localzone

from classpulse.cli.commands import live_control
from classpulse.cli.commands import status as status_module
from classpulse.cli.foreground import _FIRST_FRAME_TIMEOUT_S, ForegroundSession, submit_to_daemon
from classpulse.config.settings import Config, read_config
from classpulse.errors import Interrupted, RunError
from db.records import SessionStatus
from db.small_faces import SmallFaces
from monitor.daemon import control as client
from monitor.daemon.control import (
    TRANSITION_TIMEOUT_S,
    DataDirLock,
    DataDirLocked,
    Reply,
    Request,
    lock_or_detect_daemon,
)
from monitor.daemon.control_server import ControlServer
from monitor.daemon.errors import (
    ControlError,
    DaemonBusy,
    DaemonStopping,
    DaemonUnreachable,
    ErrorReply,
    RecordingConflict,
)
from monitor.daemon.protocol import RecordingRequest, RecordingResult
from monitor.daemon.status import DaemonStatus, Problem, ProblemKind
from monitor.session.state import SessionState
from tests.helpers.status_messages import daemon, recording


class FakeDaemon:
    """Answers ``status`` with one of ``statuses`` after the other, the last one repeatedly."""

    def __init__(self) -> None:
        self.statuses: list[DaemonStatus | ControlError] = [daemon()]
        self.requests: list[Request] = []
        self.reply = Reply(recording().as_json())

    def answer(self, request: Request) -> Reply:
        if request.verb != "status":
            self.requests.append(request)
            return self.reply
        now = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Reply({}, ErrorReply.of(now)) if isinstance(now, ControlError) else Reply(now.as_json())


@pytest.fixture
def config(configured) -> Config:
    return read_config(configured(more="class: {name: 7b, room: B 12}\n"))


@pytest.fixture
def program(config: Config) -> Iterator[FakeDaemon]:
    made = FakeDaemon()
    with DataDirLock(config.data_folder), ControlServer(config.data_folder, made.answer):
        yield made


class Time:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.meanwhile: Callable[[], object] = lambda: None

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.meanwhile()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    # Only the clock of the commands: other threads of this process keep theirs.
    for module in (live_control, status_module):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=made.sleep, monotonic=made.clock))
    return made


STARTING = daemon(recordings=(recording(session_id=None),))
RECORDING = daemon(recordings=(recording(),))


def submit(config: Config, time: Time, **more: object) -> int:
    return submit_to_daemon(
        config, Request("start"), clock=time.clock, pause=time.sleep, **({"as_json": True} | more)
    )  # type: ignore[arg-type]


def test_submit_waits_for_the_first_frame(config: Config, program: FakeDaemon, time: Time, capsys) -> None:
    program.statuses = [STARTING, DaemonBusy("Classpulse is busy."), STARTING, RECORDING]
    assert submit(config, time) == 0
    assert json.loads(capsys.readouterr().out) == {"session": 7, "recording": True}
    assert program.requests == [Request("start")]


def test_submit_raises_the_error_of_the_daemon(config: Config, program: FakeDaemon, time: Time) -> None:
    program.reply = Reply({}, ErrorReply(RecordingConflict.kind, "7b in B 12 is already being recorded."))
    with pytest.raises(RecordingConflict):
        submit(config, time)


def test_submit_of_a_failed_start_raises_its_newest_problem(
    config: Config, program: FakeDaemon, time: Time
) -> None:
    kind = ProblemKind.NOT_RECORDED
    problems = (
        Problem("7b", "B 12", kind, "an older problem"),
        Problem("7b", "B 12", kind, "no frames"),
        Problem("7b", "C 3", kind, "of another room"),
        Problem("9a", "B 12", kind, "of another class"),
    )
    program.statuses = [STARTING, daemon(problems=problems)]
    with pytest.raises(RunError) as raised:
        submit(config, time)
    assert raised.value.problem == "no frames"


def test_submit_times_out_without_a_frame(config: Config, program: FakeDaemon, time: Time) -> None:
    program.statuses = [STARTING]
    with pytest.raises(RunError, match=f"{_FIRST_FRAME_TIMEOUT_S:g} s"):
        submit(config, time)


def test_submit_interrupted_says_that_the_recording_continues(
    config: Config, program: FakeDaemon, time: Time
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    program.statuses, time.meanwhile = [STARTING], interrupt
    with pytest.raises(Interrupted, match=r"7b in B 12.*'classpulse stop'"):
        submit(config, time)


def test_free_data_folder_is_locked_once(tmp_path: Path) -> None:
    lock = lock_or_detect_daemon(tmp_path)
    assert lock is not None
    with pytest.raises(DataDirLocked):
        DataDirLock(tmp_path).__enter__()
    lock.__exit__(None, None, None)
    with DataDirLock(tmp_path):
        pass


def test_second_start_waits_until_the_first_accepts_requests(tmp_path: Path, time: Time) -> None:
    with DataDirLock(tmp_path):
        server = ControlServer(tmp_path, FakeDaemon().answer)
        started: list[object] = []
        time.meanwhile = lambda: started or started.append(server.__enter__())
        assert lock_or_detect_daemon(tmp_path, clock=time.clock, pause=time.sleep) is None
        assert 0 < time.now_s < TRANSITION_TIMEOUT_S
        server.__exit__(None, None, None)


def test_start_waits_for_the_end_of_another_process(tmp_path: Path, time: Time) -> None:
    other = DataDirLock(tmp_path).__enter__()
    time.meanwhile = lambda: time.now_s > 10 and other.__exit__(None, None, None)
    lock = lock_or_detect_daemon(tmp_path, clock=time.clock, pause=time.sleep)
    assert lock is not None
    lock.__exit__(None, None, None)


def test_start_raises_locked_if_the_other_process_neither_ends_nor_answers(
    tmp_path: Path, time: Time
) -> None:
    with DataDirLock(tmp_path), pytest.raises(DataDirLocked, match="starting"):
        lock_or_detect_daemon(tmp_path, clock=time.clock, pause=time.sleep)
    assert time.now_s >= TRANSITION_TIMEOUT_S


def test_stop_waits_until_all_data_are_written(program: FakeDaemon, time: Time, shell) -> None:
    program.statuses = [RECORDING, DaemonStopping("Classpulse is shutting down."), RECORDING, daemon()]
    assert shell.json("stop") == {"session": 7, "stopped": True}
    assert program.statuses == [daemon()]


def test_stop_succeeds_if_the_daemon_ends_meanwhile(
    program: FakeDaemon, time: Time, shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([DaemonUnreachable("It cannot be reached."), None])

    def asked(_: Path) -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    monkeypatch.setattr(live_control, "query_status", asked)
    assert shell.json("stop") == {"session": 7, "stopped": True}


def test_stop_reports_a_timeout(program: FakeDaemon, time: Time, shell) -> None:
    program.statuses = [RECORDING]
    assert "still being written after 30 s" in shell.fails(1, "stop", "--wait", "30")


def test_stop_before_the_first_frame_says_that_nothing_was_recorded(program: FakeDaemon, shell) -> None:
    program.reply = Reply(recording(session_id=None).as_json())
    code, out, error = shell("stop", "--room", "B 12")
    assert (code, out) == (0, "")
    assert "7b was stopped before the first frame: nothing was recorded" in error
    assert program.requests == [Request("stop", "B 12")]


@pytest.mark.parametrize("text", ["", "\n", "a" * 10_000])
def test_mark_rejects_an_invalid_marker_without_a_request(program: FakeDaemon, shell, text: str) -> None:
    shell.fails(2, "mark", text)
    assert program.requests == []


def test_mark_sends_the_cleaned_marker(program: FakeDaemon, shell) -> None:
    assert shell.json("mark", "quiz\nhanded out") == {"session": 7, "text": "quiz handed out"}
    (request,) = program.requests
    assert replace(request, requested_at=None) == Request("mark", text="quiz handed out")
    assert_is_recent(request)


def test_pause_and_resume_print_the_state(program: FakeDaemon, shell) -> None:
    assert shell.json("pause", "--room", "B 12") == {"session": 7, "paused": True}
    assert shell.json("resume") == {"session": 7, "paused": False}
    pause, resume = program.requests
    assert (replace(pause, requested_at=None), resume) == (Request("pause", "B 12"), Request("resume"))
    assert_is_recent(pause)


def assert_is_recent(request: Request) -> None:
    """The time of the request is that of the start of this process, or now if that is long ago."""
    assert request.requested_at is not None
    age = datetime.now(UTC) - datetime.fromisoformat(request.requested_at)
    assert timedelta() <= age < timedelta(minutes=5)


def test_repeated_pause_and_resume_are_no_errors(program: FakeDaemon, shell) -> None:
    paused = recording(state=SessionState.PAUSED)
    program.reply = Reply(paused.as_json() | {"changed": False})
    code, _, error = shell("pause")
    since = paused.state_since.astimezone(get_localzone())
    assert (code, error) == (
        0,
        f"7b in B 12 is already paused since {since:%H:%M}; use 'classpulse resume'\n",
    )
    program.reply = Reply(recording().as_json() | {"changed": False})
    assert shell("resume")[::2] == (0, "7b in B 12 is not paused\n")


def test_status_json_is_complete(program: FakeDaemon, shell) -> None:
    program.statuses = [RECORDING]
    values = shell.json("status")
    assert values.pop("recording") is True
    assert DaemonStatus.from_json(values) == RECORDING


def test_status_without_a_daemon_is_not_recording(config: Config, shell) -> None:
    assert shell.json("status") == {"recording": False}


def test_status_watch_continues_after_an_error(
    config: Config, shell, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(
        [None, RECORDING, DaemonStopping("Classpulse is shutting down."), None, KeyboardInterrupt()]
    )

    def asked(_: Path) -> Mapping[str, Any] | None:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return None if answer is None else answer.as_json()

    monkeypatch.setattr(status_module, "query_status", asked)
    code, out, _ = shell("status", "--watch", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["recording"] for line in lines] == [False, True, None, False]
    assert (code, lines[2]["error"]["kind"]) == (130, DaemonStopping.kind)


def test_status_reports_an_error(config: Config, shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_: Path) -> None:
        raise DaemonBusy("Classpulse is busy.", "Try again.")

    monkeypatch.setattr(status_module, "query_status", busy)
    assert "Classpulse is busy." in shell.fails(2, "status")
    assert "Classpulse is busy." in shell.fails(2, "status", "--json")


def test_start_sends_an_absolute_path(program: FakeDaemon, shell, tmp_path: Path, time: Time) -> None:
    (tmp_path / "video.mp4").write_bytes(b"")
    (tmp_path / "0").write_bytes(b"")
    program.statuses = [RECORDING]
    assert shell.json("start", "--source", "video.mp4") == {"session": 7, "recording": True}
    assert shell.json("start", "--source", "0") == {"session": 7, "recording": True}
    assert [request.source for request in program.requests] == [str(tmp_path / "video.mp4"), "0"]


def test_data_folder_of_another_user_is_not_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def private(_: Path) -> None:
        raise DaemonUnreachable("It belongs to another user.")

    with DataDirLock(tmp_path):
        monkeypatch.setattr(client, "read_endpoint", private)
        assert lock_or_detect_daemon(tmp_path) is None


def test_missed_faces_are_warned_about_at_once_and_again_if_more_are_missed(config: Config, capsys) -> None:
    few, more = (SmallFaces.from_sizes([13.0] * count, 4, 24) for count in (3, 12))
    foreground = ForegroundSession(config, as_json=False, verbose=False)
    for small_faces in (None, SmallFaces.from_sizes([], 4, 24), few, few):
        foreground._show_status((recording(small_faces=small_faces),))
    assert capsys.readouterr().err.count("warning: About 3 more faces are smaller than 24") == 1
    result = RecordingResult(RecordingRequest("7b", "0"), 7, SessionStatus.FINISHED, "", is_final=True)
    foreground._print_result(result)
    assert "warning" not in capsys.readouterr().err
    foreground._show_status((recording(small_faces=more),))
    foreground._print_result(result)
    assert "warning: About 12 more faces" in capsys.readouterr().err
    assert foreground._result_as_json(result)["small_faces"] == more.to_json() | {"warning": True}
