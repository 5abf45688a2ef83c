"""What follows a recording, with made-up errands; and errands with made-up commands."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from classpulse.config.settings import Config, read_config
from db.records import SessionStatus
from monitor.daemon.job_runner import PROBLEM_MAX_AGE_S, CommandRunner, JobRunner, ReportResult
from monitor.daemon.protocol import RecordingRequest, RecordingResult

MATH = RecordingRequest("Math 7B", "0", "B 12")


def ended(session_id: int | None, reason: str = "", **more: object) -> RecordingResult:
    return RecordingResult(MATH, session_id, SessionStatus.FINISHED, reason, is_final=True, **more)


class FakeErrands:
    def __init__(self, *errors: str) -> None:
        self.errors = iter(errors)
        self.done: list[object] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.busy = threading.Event()
        self.cancelled = False

    def make_report(self, session_id: int) -> ReportResult:
        if self.cancelled:  # the next may be begun before nobody wants it any more
            return ReportResult(session_id, {}, "there was no time for it")
        self.busy.set()
        assert self.go_on.wait(60)
        self.done.append(session_id)
        return ReportResult(session_id, {}, next(self.errors, ""))

    def run(self, *arguments: str) -> tuple[object, str]:
        self.done.append(arguments)
        error = next(self.errors, "")
        return (None if error else {"erased": 3}), error

    def cancel(self) -> None:
        self.cancelled = True
        self.go_on.set()


def aftermath_of(errands: FakeErrands, *arguments: object, **more: object) -> JobRunner:
    return JobRunner(errands, *arguments, **more)  # type: ignore[arg-type]


def test_reports_are_made_one_after_another_and_told() -> None:
    errands, told = FakeErrands(), []
    aftermath = aftermath_of(errands, lambda end, reported: told.append((end, reported.session_id)))
    aftermath.enqueue_reports([1, 2])
    aftermath.handle_result(ended(3))
    aftermath.purge()
    assert aftermath.wait_idle(60)
    aftermath.close()
    assert errands.done == [1, 2, 3, ("data", "purge")]
    assert told == [(None, 1), (None, 2), (ended(3), 3)]
    assert (aftermath.pending_count, aftermath.problems) == (0, ())


def test_it_has_not_settled_before_it_is_told() -> None:
    seen: list[int] = []
    aftermath = aftermath_of(FakeErrands(), lambda *_: seen.append(aftermath.pending_count))
    aftermath.handle_result(ended(1))
    aftermath.close()
    assert seen == [1]
    assert aftermath.wait_idle(0)


def test_what_waits_is_counted_and_given_up_where_there_is_no_time() -> None:
    errands, told = FakeErrands("killed by signal 9"), []
    aftermath = aftermath_of(errands, lambda *arguments: told.append(arguments))
    errands.go_on.clear()
    aftermath.enqueue_reports([1, 2, 3])
    assert errands.busy.wait(60)
    assert (aftermath.pending_count, aftermath.wait_idle(0)) == (3, False)
    aftermath.cancel_pending()
    aftermath.handle_result(ended(4))
    aftermath.purge()
    aftermath.close()
    assert errands.done == [1]
    assert (told, aftermath.problems) == ([], ())


def test_a_report_that_fails_is_a_problem_and_the_next_is_made() -> None:
    errands, told = FakeErrands("the disk is full"), []
    aftermath = aftermath_of(errands, lambda _, reported: told.append(reported.error))
    aftermath.enqueue_reports([1, 2])
    aftermath.close()
    assert aftermath.problems == ("no report of session 1: the disk is full",)
    assert told == ["the disk is full", ""]


def test_whoever_is_told_may_fail_and_the_next_is_made() -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    errands = FakeErrands()
    aftermath = aftermath_of(errands, fail)
    aftermath.enqueue_reports([1, 2])
    aftermath.close()
    assert errands.done == [1, 2]
    assert aftermath.problems == ("what follows a recording failed; the log says why",) * 2
    assert aftermath.wait_idle(0)


def test_what_could_not_be_erased_is_a_problem() -> None:
    aftermath = aftermath_of(FakeErrands("the database is locked"))
    aftermath.purge()
    aftermath.close()
    assert aftermath.problems == (
        "what has been kept long enough could not be erased: the database is locked",
    )


def test_a_problem_is_a_day_old_at_most() -> None:
    now_s = [0.0]
    aftermath = aftermath_of(FakeErrands(), clock=lambda: now_s[0])
    aftermath.note_failure(MATH, "camera 0 gives no picture")
    now_s[0] = PROBLEM_MAX_AGE_S
    assert aftermath.problems == ("Math 7B in B 12 was not recorded: camera 0 gives no picture",)
    now_s[0] = PROBLEM_MAX_AGE_S + 1
    assert aftermath.problems == ()
    aftermath.close()


def test_what_left_nothing_is_a_problem_unless_somebody_called_it_off() -> None:
    aftermath = aftermath_of(FakeErrands())
    aftermath.handle_result(ended(None, "stopped", cancelled=True))
    aftermath.handle_result(RecordingResult(MATH, None, None, "a crash", is_final=False))
    assert aftermath.problems == ()
    aftermath.handle_result(ended(None, "no camera"))
    assert aftermath.problems == ("Math 7B in B 12 was not recorded: no camera",)
    aftermath.close()


@pytest.fixture
def config(configured) -> Config:
    return read_config(configured())


def errands_of(config: Config, script: str, **more: float) -> CommandRunner:
    """Errands whose every command is a Python script."""
    errands = CommandRunner(config, **more)
    errands._command = [sys.executable, "-c", script]
    return errands


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("print('{\"report\": 3}')", "its answer is not understood"),
        ("print('{}')", "its answer is not understood"),
        ("print('[]')", "its answer is not understood"),
        ("print('rubbish')", "its answer is not understood"),
        ("", "its answer is not understood"),
        (
            "import sys; sys.exit('a line\\nclasspulse: the database is locked')",
            "the database is locked",
        ),
        ("import os; os._exit(3)", "exit code 3"),
        pytest.param(
            "import os, sys; sys.stderr.write('half of a'); sys.stderr.flush(); os.kill(os.getpid(), 9)",
            "killed by signal 9",
            marks=pytest.mark.skipif(os.name != "posix", reason="signals"),
        ),
    ],
)
def test_a_report_that_is_none_is_an_error_in_one_line(config: Config, script: str, error: str) -> None:
    assert errands_of(config, script).make_report(7) == ReportResult(7, {}, error)


def test_a_report_is_its_files(config: Config) -> None:
    script = "import sys; print('{\"report\": {\"pdf\": \"/é/' + ' '.join(sys.argv[1:]) + '.pdf\"}}')"
    reported = errands_of(
        config, "import sys; sys.stdout.reconfigure(encoding='utf-8')\n" + script
    ).make_report(7)
    assert reported == ReportResult(7, {"pdf": Path("/é/report 7 --json.pdf")})


def test_a_process_that_cannot_be_started_is_an_error_too(config: Config) -> None:
    errands = CommandRunner(config)
    errands._command = ["/nowhere/python"]
    assert "could not be started (No such file" in errands.make_report(7).error


def test_one_that_hangs_is_given_up(config: Config) -> None:
    errands = errands_of(config, "import time; time.sleep(600)", timeout_s=0.05)
    assert "given up" in errands.make_report(7).error


def test_what_is_being_done_is_given_up_and_nothing_more_begun(config: Config) -> None:
    errands = errands_of(config, "import time; time.sleep(600)")
    found: list[ReportResult] = []
    thread = threading.Thread(target=lambda: found.append(errands.make_report(7)))
    thread.start()
    while errands._process is None:
        threading.Event().wait(0.01)
    errands.cancel()
    thread.join(60)
    assert found[0].error != ""
    assert errands.make_report(8) == ReportResult(8, {}, "there was no time for it")
