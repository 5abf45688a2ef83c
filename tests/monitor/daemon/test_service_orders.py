"""The commands that give orders, against a program that answers as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from classpulse.cli.commands import status as status_module
from classpulse.cli.commands import stop as stop_module
from classpulse.cli.foreground import _FIRST_FRAME_TIMEOUT_S, ForegroundSession, submit_to_daemon
from classpulse.config.settings import Config, read_config
from classpulse.errors import RunError
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
from monitor.daemon.errors import ControlError
from monitor.daemon.protocol import RecordingRequest, RecordingResult
from monitor.daemon.status import DaemonStatus
from tests.helpers.status_messages import daemon, recording


class Program:
    """Answers ``status`` with one after the other of what it is given, the last again and again."""

    def __init__(self) -> None:
        self.statuses: list[DaemonStatus | str] = [daemon()]
        self.requests: list[Request] = []
        self.reply = Reply(recording().as_json())

    def answer(self, request: Request) -> Reply:
        if request.verb != "status":
            self.requests.append(request)
            return self.reply
        now = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Reply({}, now) if isinstance(now, str) else Reply(now.as_json())


@pytest.fixture
def config(configured) -> Config:
    return read_config(configured(more="class: {name: 7b, room: B 12}\n"))


@pytest.fixture
def program(config: Config) -> Iterator[Program]:
    made = Program()
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
    # Of the commands alone: whatever else of this process sleeps does so at its own clock.
    for module in (stop_module, status_module):
        monkeypatch.setattr(module, "time", SimpleNamespace(sleep=made.sleep, monotonic=made.clock))
    return made


STARTING = daemon(recordings=(recording(session_id=None),))
RECORDING = daemon(recordings=(recording(),))


def handed_over(config: Config, time: Time, **more: object) -> int:
    return submit_to_daemon(
        config, Request("start"), clock=time.clock, pause=time.sleep, **({"as_json": True} | more)
    )  # type: ignore[arg-type]


def test_a_start_is_handed_over_and_waits_for_the_first_picture(
    config: Config, program: Program, time: Time, capsys
) -> None:
    program.statuses = [STARTING, "Classpulse is busy; try again", STARTING, RECORDING]
    assert handed_over(config, time) == 0
    assert json.loads(capsys.readouterr().out) == {"session": 7, "recording": True}
    assert program.requests == [Request("start")]


def test_a_refusal_is_the_commands_own(config: Config, program: Program, time: Time) -> None:
    program.reply = Reply({}, "session 7, 7b in B 12, is already being recorded")
    with pytest.raises(ControlError, match="already being recorded"):
        handed_over(config, time)


def test_a_start_that_comes_to_nothing_says_why(config: Config, program: Program, time: Time) -> None:
    program.statuses = [
        STARTING, daemon(problems=("7b in B 12 was not recorded: no picture", "9a was not recorded: x"))
    ]  # fmt: skip
    with pytest.raises(RunError, match=r"^7b in B 12 was not recorded: no picture$"):
        handed_over(config, time)


def test_a_start_that_hangs_is_not_waited_for_for_ever(config: Config, program: Program, time: Time) -> None:
    program.statuses = [STARTING]
    with pytest.raises(RunError, match=f"no picture came for {_FIRST_FRAME_TIMEOUT_S:g} s"):
        handed_over(config, time)


def test_who_stops_waiting_is_told_that_it_goes_on(config: Config, program: Program, time: Time) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    program.statuses, time.meanwhile = [STARTING], interrupt
    with pytest.raises(RunError, match="goes on with 7b in B 12; end it with 'classpulse stop'"):
        handed_over(config, time)


def test_a_folder_that_is_free_is_claimed_once(tmp_path: Path) -> None:
    claim = lock_or_detect_daemon(tmp_path)
    assert claim is not None
    with pytest.raises(DataDirLocked):
        DataDirLock(tmp_path).__enter__()
    claim.__exit__(None, None, None)
    with DataDirLock(tmp_path):
        pass


def test_of_two_starts_the_second_waits_until_the_first_takes_orders(tmp_path: Path, time: Time) -> None:
    with DataDirLock(tmp_path):
        server = ControlServer(tmp_path, Program().answer)
        begun: list[object] = []
        time.meanwhile = lambda: begun or begun.append(server.__enter__())
        assert lock_or_detect_daemon(tmp_path, clock=time.clock, pause=time.sleep) is None
        assert 0 < time.now_s < TRANSITION_TIMEOUT_S
        server.__exit__(None, None, None)


def test_a_start_waits_for_one_that_makes_its_last_report(tmp_path: Path, time: Time) -> None:
    other = DataDirLock(tmp_path).__enter__()
    time.meanwhile = lambda: time.now_s > 10 and other.__exit__(None, None, None)
    claim = lock_or_detect_daemon(tmp_path, clock=time.clock, pause=time.sleep)
    assert claim is not None
    claim.__exit__(None, None, None)


def test_one_that_neither_ends_nor_answers_is_told(tmp_path: Path, time: Time) -> None:
    with DataDirLock(tmp_path), pytest.raises(DataDirLocked, match="is starting or ending"):
        lock_or_detect_daemon(tmp_path, clock=time.clock, pause=time.sleep)
    assert time.now_s >= TRANSITION_TIMEOUT_S


def test_a_stop_waits_until_it_is_written(program: Program, time: Time, shell) -> None:
    program.statuses = [RECORDING, "Classpulse is ending", RECORDING, daemon()]
    assert shell.json("stop") == {"session": 7, "stopped": True}
    assert program.statuses == [daemon()]


def test_a_stop_that_meets_the_end_of_the_program_has_done_its_work(
    program: Program, time: Time, shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([ControlError("cannot be reached"), None])

    def asked(_: Path) -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    monkeypatch.setattr(stop_module, "daemon_status", asked)
    assert shell.json("stop") == {"session": 7, "stopped": True}


def test_a_stop_that_takes_too_long_says_so(program: Program, time: Time, shell) -> None:
    program.statuses = [RECORDING]
    assert "still being written after 30 s" in shell.fails(1, "stop", "--wait", "30")


def test_a_stop_before_the_first_picture_says_that_nothing_was_recorded(program: Program, shell) -> None:
    program.reply = Reply(recording(session_id=None).as_json())
    code, out, error = shell("stop", "--room", "B 12")
    assert (code, out) == (0, "")
    assert "7b was stopped before its first picture: nothing was recorded" in error
    assert program.requests == [Request("stop", "B 12")]


@pytest.mark.parametrize("text", ["", "\n", "a" * 10_000])
def test_a_marker_is_looked_at_before_it_is_sent(program: Program, shell, text: str) -> None:
    assert "the marker has" in shell.fails(2, "mark", text)
    assert program.requests == []


def test_a_marker_is_sent_as_it_is_kept(program: Program, shell) -> None:
    assert shell.json("mark", "quiz\nhanded out") == {"session": 7, "text": "quiz handed out"}
    assert program.requests == [Request("mark", text="quiz handed out")]


def test_pausing_and_going_on_are_told(program: Program, shell) -> None:
    assert shell.json("pause", "--room", "B 12") == {"session": 7, "paused": True}
    assert shell.json("resume") == {"session": 7, "paused": False}
    assert program.requests == [Request("pause", "B 12"), Request("resume")]


def test_the_status_as_json_is_all_there_is(program: Program, shell) -> None:
    program.statuses = [RECORDING]
    told = shell.json("status")
    assert told.pop("recording") is True
    assert DaemonStatus.from_json(told) == RECORDING


def test_without_a_program_the_status_is_that_nothing_is_recorded(config: Config, shell) -> None:
    assert shell.json("status") == {"recording": False}


def test_who_watches_sees_it_come_and_go(
    config: Config, shell, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([None, RECORDING, ControlError("Classpulse is ending"), None, KeyboardInterrupt()])

    def asked(_: Path) -> DaemonStatus | None:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(status_module, "daemon_status", asked)
    code, out, _ = shell("status", "--watch", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["recording"] for line in lines] == [False, True, None, False]
    assert (code, lines[2]["error"]) == (1, "Classpulse is ending")


def test_who_does_not_watch_is_told_what_is_wrong(
    config: Config, shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: Path) -> None:
        raise ControlError("Classpulse is busy; try again")

    monkeypatch.setattr(status_module, "daemon_status", busy)
    assert "busy; try again" in shell.fails(2, "status")
    assert "busy; try again" in shell.fails(2, "status", "--json")


def test_a_file_is_named_so_that_it_is_found_from_anywhere(
    program: Program, shell, tmp_path: Path, time: Time
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"")
    (tmp_path / "0").write_bytes(b"")
    program.statuses = [RECORDING]
    assert shell.json("start", "--source", "film.mp4") == {"session": 7, "recording": True}
    assert shell.json("start", "--source", "0") == {"session": 7, "recording": True}
    assert [one.source for one in program.requests] == [str(tmp_path / "film.mp4"), "0"]


def test_asking_where_another_user_has_the_folder_is_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def private(_: Path) -> None:
        raise ControlError("belongs to another user")

    with DataDirLock(tmp_path):
        monkeypatch.setattr(client, "read_endpoint", private)
        assert lock_or_detect_daemon(tmp_path) is None


def test_missed_faces_are_told_at_once_and_again_only_if_more_are_missed(config: Config, capsys) -> None:
    few, more = (SmallFaces.from_sizes([13.0] * count, 4, 24) for count in (3, 12))
    foreground = ForegroundSession(config, as_json=False, verbose=False)
    for found in (None, SmallFaces.from_sizes([], 4, 24), few, few):
        foreground._show_status((recording(small_faces=found),))
    assert capsys.readouterr().err.count("warning: About 3 more faces are smaller than 24") == 1
    over = RecordingResult(RecordingRequest("7b", "0"), 7, SessionStatus.FINISHED, "", is_final=True)
    foreground._print_result(over)
    assert "warning" not in capsys.readouterr().err
    foreground._show_status((recording(small_faces=more),))
    foreground._print_result(over)
    assert "warning: About 12 more faces" in capsys.readouterr().err
    assert foreground._result_as_json(over)["small_faces"] == more.to_json() | {"warning": True}
