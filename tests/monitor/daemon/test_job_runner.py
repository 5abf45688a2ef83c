"""Jobs after a recording, with a fake command runner; and the command runner with scripts as commands."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from classpulse import errors
from db.records import SessionStatus
from monitor.daemon.job_runner import ERROR_PREFIX, PROBLEM_MAX_AGE_S, CommandRunner, JobRunner, ReportResult
from monitor.daemon.protocol import RecordingRequest, RecordingResult
from monitor.daemon.status import Problem, ProblemKind

MATH = RecordingRequest("Math 7B", "0", "B 12")


def ended(session_id: int | None, reason: str = "", **fields: object) -> RecordingResult:
    return RecordingResult(MATH, session_id, SessionStatus.FINISHED, reason, is_final=True, **fields)


class FakeCommandRunner:
    def __init__(self, *errors: str) -> None:
        self.errors = iter(errors)
        self.done: list[object] = []
        self.may_continue = threading.Event()
        self.may_continue.set()
        self.busy = threading.Event()
        self.cancelled = False

    def make_report(self, session_id: int) -> ReportResult:
        if self.cancelled:  # the next job may start before the pool is closed
            return ReportResult(session_id, {}, "cancelled")
        self.busy.set()
        assert self.may_continue.wait(60)
        self.done.append(session_id)
        return ReportResult(session_id, {}, next(self.errors, ""))

    def run(self, *arguments: str) -> tuple[object, str]:
        self.done.append(arguments)
        error = next(self.errors, "")
        return (None if error else {"erased": 3}), error

    def cancel(self) -> None:
        self.cancelled = True
        self.may_continue.set()


def job_runner_of(commands: FakeCommandRunner, *arguments: object, **more: object) -> JobRunner:
    return JobRunner(commands, *arguments, **more)  # type: ignore[arg-type]


def test_jobs_run_in_order_and_reports_are_passed_on() -> None:
    commands, reported_ = FakeCommandRunner(), []
    job_runner = job_runner_of(commands, lambda end, reported: reported_.append((end, reported.session_id)))
    job_runner.enqueue_reports([1, 2])
    job_runner.handle_result(ended(3))
    job_runner.purge()
    assert job_runner.wait_idle(60)
    job_runner.close()
    assert commands.done == [1, 2, 3, ("data", "purge")]
    assert reported_ == [(None, 1), (None, 2), (ended(3), 3)]
    assert (job_runner.pending_count, job_runner.problems) == (0, ())


def test_report_is_pending_until_it_is_passed_on() -> None:
    seen: list[int] = []
    job_runner = job_runner_of(FakeCommandRunner(), lambda *_: seen.append(job_runner.pending_count))
    job_runner.handle_result(ended(1))
    job_runner.close()
    assert seen == [1]
    assert job_runner.wait_idle(0)


def test_cancel_drops_pending_jobs() -> None:
    commands, reported_ = FakeCommandRunner("killed by signal 9"), []
    job_runner = job_runner_of(commands, lambda *arguments: reported_.append(arguments))
    commands.may_continue.clear()
    job_runner.enqueue_reports([1, 2, 3])
    assert commands.busy.wait(60)
    assert (job_runner.pending_count, job_runner.wait_idle(0)) == (3, False)
    job_runner.cancel_pending()
    job_runner.handle_result(ended(4))
    job_runner.purge()
    job_runner.close()
    assert commands.done == [1]
    assert (reported_, job_runner.problems) == ([], ())


def test_failed_report_is_a_problem_and_the_next_is_made() -> None:
    commands, reported_ = FakeCommandRunner("the disk is full"), []
    job_runner = job_runner_of(commands, lambda _, reported: reported_.append(reported.error))
    job_runner.enqueue_reports([1, 2])
    job_runner.close()
    (problem,) = job_runner.problems
    assert problem.kind == ProblemKind.REPORT
    assert problem.text.endswith("session 1 has no report: the disk is full")
    assert reported_ == ["the disk is full", ""]


def test_exception_in_on_reported_is_a_problem_and_the_next_report_is_made() -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    commands = FakeCommandRunner()
    job_runner = job_runner_of(commands, fail)
    job_runner.enqueue_reports([1, 2])
    job_runner.close()
    assert commands.done == [1, 2]
    assert [problem.kind for problem in job_runner.problems] == [ProblemKind.JOB] * 2
    assert job_runner.wait_idle(0)


def test_failed_purge_is_a_problem() -> None:
    job_runner = job_runner_of(FakeCommandRunner("the database is locked"))
    job_runner.purge()
    job_runner.close()
    (problem,) = job_runner.problems
    assert problem.kind == ProblemKind.RETENTION
    assert problem.text.endswith("the database is locked")


def test_problems_expire_after_a_day() -> None:
    now_s = [0.0]
    job_runner = job_runner_of(FakeCommandRunner(), clock=lambda: now_s[0])
    job_runner.note_failure(MATH, "camera 0 delivers no frames")
    now_s[0] = PROBLEM_MAX_AGE_S
    text = "Math 7B in B 12 was not recorded: camera 0 delivers no frames"
    assert job_runner.problems == (Problem("Math 7B", "B 12", ProblemKind.NOT_RECORDED, text),)
    now_s[0] = PROBLEM_MAX_AGE_S + 1
    assert job_runner.problems == ()
    job_runner.close()


def test_recording_without_a_session_is_a_problem_unless_cancelled() -> None:
    job_runner = job_runner_of(FakeCommandRunner())
    job_runner.handle_result(ended(None, "stopped", cancelled=True))
    job_runner.handle_result(RecordingResult(MATH, None, None, "a crash", is_final=False))
    assert job_runner.problems == ()
    job_runner.handle_result(ended(None, "no camera"))
    assert [problem.kind for problem in job_runner.problems] == [ProblemKind.NOT_RECORDED]
    job_runner.close()


def runner_of(script: str, **options: float) -> CommandRunner:
    """A runner whose every command is a Python script."""
    return CommandRunner(["-c", script], **options)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("print('{\"report\": 3}')", "its output is invalid"),
        ("print('{}')", "its output is invalid"),
        ("print('[]')", "its output is invalid"),
        ("print('rubbish')", "its output is invalid"),
        ("", "its output is invalid"),
        (
            "import sys; sys.exit('a line\\nclasspulse: The database is locked.\\n  hint: Try again.')",
            "The database is locked.",
        ),
        ("import sys; sys.exit('a line\\nanother')", "another"),
        ("import os; os._exit(3)", "exit code 3"),
        pytest.param(
            "import os, sys; sys.stderr.write('half of a'); sys.stderr.flush(); os.kill(os.getpid(), 9)",
            "killed by signal 9",
            marks=pytest.mark.skipif(os.name != "posix", reason="signals"),
        ),
    ],
)
def test_failed_command_yields_one_line(script: str, error: str) -> None:
    assert runner_of(script).make_report(7) == ReportResult(7, {}, error)


def test_report_result_lists_the_files() -> None:
    script = "import sys; print('{\"report\": {\"pdf\": \"/é/' + ' '.join(sys.argv[1:]) + '.pdf\"}}')"
    reported = runner_of("import sys; sys.stdout.reconfigure(encoding='utf-8')\n" + script).make_report(7)
    assert reported == ReportResult(7, {"pdf": Path("/é/report 7 --json.pdf")})


def test_command_that_cannot_be_started_yields_an_error() -> None:
    commands = CommandRunner([])
    commands._command = ["/nowhere/python"]
    assert "No such file" in commands.make_report(7).error


def test_command_is_killed_after_the_timeout() -> None:
    commands = runner_of("import time; time.sleep(600)", timeout_s=0.05)
    assert "did not finish" in commands.make_report(7).error


def test_cancel_kills_the_running_command_and_prevents_others() -> None:
    commands = runner_of("import time; time.sleep(600)")
    results: list[ReportResult] = []
    thread = threading.Thread(target=lambda: results.append(commands.make_report(7)))
    thread.start()
    while commands._process is None:
        threading.Event().wait(0.01)
    commands.cancel()
    thread.join(60)
    assert results[0].error != ""
    assert "cancelled" in commands.make_report(8).error


def test_error_prefix_equals_that_of_the_command_line() -> None:
    assert ERROR_PREFIX == errors.ERROR_PREFIX
