"""Jobs that follow a recording, above all its report: one at a time, each in a process of its own.

A report takes seconds of a core and a few hundred megabytes; a process of its own returns both and cannot
affect the recordings of other rooms.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from db import sessions as queries
from db.records import SessionStatus
from monitor.daemon.protocol import RecordingRequest, RecordingResult
from monitor.daemon.status import Problem, ProblemKind
from monitor.runtime.process import lower_priority
from monitor.runtime.shutdown import ignore_signals_in_children

log = logging.getLogger(__name__)

MAX_PROBLEMS = 20
"""Number of problems that are kept; the log has all."""

PROBLEM_MAX_AGE_S = 24 * 3600.0
"""A problem of Monday is no reason to report a degraded health for the rest of the term."""

COMMAND_TIMEOUT_S = 1800.0
"""A command that takes longer hangs. A report takes seconds, a minute or two beside a recording."""

ERROR_PREFIX = "classpulse: "
"""The start of the line in which the command line reports an error."""


@dataclass(frozen=True)
class ReportResult:
    """The files of a session's report by kind, or the ``error`` why there is none."""

    session_id: int
    files: Mapping[str, Path]
    error: str = ""


class JobRunner:
    """Runs the jobs that follow a recording. ``on_reported`` is called with each report, in the thread that
    made it. ``clock`` returns monotonic seconds."""

    def __init__(
        self,
        commands: CommandRunner,
        on_reported: Callable[[RecordingResult | None, ReportResult], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._commands = commands
        self._on_reported = on_reported
        self._clock = clock
        self._done = threading.Condition()
        self._pending = 0
        self._is_cancelled = False
        self._problems: deque[tuple[float, Problem]] = deque(maxlen=MAX_PROBLEMS)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jobs")

    @property
    def pending_count(self) -> int:
        """Number of reports not made yet."""
        return self._pending

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Recent problems, the oldest first."""
        oldest_s = self._clock() - PROBLEM_MAX_AGE_S
        return tuple(problem for at_s, problem in tuple(self._problems) if at_s >= oldest_s)

    def handle_result(self, result: RecordingResult) -> None:
        """Make the report of a recording that has ended, if it created a session."""
        if result.session_id is not None:
            self._enqueue_report(result.session_id, result)
        elif result.is_final and result.reason and not result.cancelled:
            self.note_failure(result.request, result.reason)

    def enqueue_reports(self, session_ids: Sequence[int]) -> None:
        """Make the reports of sessions that ended without one."""
        for session_id in session_ids:
            self._enqueue_report(session_id, None)

    def purge(self) -> None:
        """Delete data whose retention has expired."""
        self._submit(self._purge)

    def note_failure(self, request: RecordingRequest, reason: str) -> None:
        """Note that a request was not recorded."""
        text = f"{request.place_label} was not recorded: {reason}"
        self._add_problem(Problem(request.class_name, request.room, ProblemKind.NOT_RECORDED, text))

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait up to ``timeout_s`` until all reports are made and passed on; returns whether they are."""
        with self._done:
            return self._done.wait_for(lambda: self._pending == 0, timeout_s)

    def cancel_pending(self) -> None:
        """Cancel all jobs; the next start makes the missing reports."""
        self._is_cancelled = True
        self._commands.cancel()

    def close(self) -> None:
        """Wait for the jobs, unless they were cancelled, and end the thread."""
        self._pool.shutdown(cancel_futures=self._is_cancelled)

    def _add_problem(self, problem: Problem) -> None:
        self._problems.append((self._clock(), problem))

    def _enqueue_report(self, session_id: int, result: RecordingResult | None) -> None:
        if not self._is_cancelled:
            with self._done:
                self._pending += 1
            self._submit(self._report, session_id, result)

    def _submit(self, job: Callable[..., None], *arguments: object) -> None:
        if not self._is_cancelled:
            self._pool.submit(self._guarded, job, *arguments)

    def _guarded(self, job: Callable[..., None], *arguments: object) -> None:
        """Run a job; a bug in it must not stop the next."""
        try:
            job(*arguments)
        except Exception:
            log.exception("a job after a recording failed")
            text = "a job after a recording failed; see the log"
            self._add_problem(Problem(None, None, ProblemKind.JOB, text))

    def _report(self, session_id: int, result: RecordingResult | None) -> None:
        try:
            self._handle_report(self._commands.make_report(session_id), result)
        finally:
            with self._done:
                self._pending -= 1
                self._done.notify_all()

    def _handle_report(self, report: ReportResult, result: RecordingResult | None) -> None:
        if self._is_cancelled and report.error:
            return  # cancelled; the next start makes it
        if report.error:
            log.error("session %d has no report: %s", report.session_id, report.error)
            request = None if result is None else result.request
            self._add_problem(
                Problem(
                    None if request is None else request.class_name,
                    None if request is None else request.room,
                    ProblemKind.REPORT,
                    f"session {report.session_id} has no report: {report.error}",
                )
            )
        if self._on_reported is not None:
            self._on_reported(result, report)

    def _purge(self) -> None:
        answer, error = self._commands.run("data", "purge")
        if error and not self._is_cancelled:
            log.error("expired data could not be deleted: %s", error)
            text = f"expired data could not be deleted: {error}"
            self._add_problem(Problem(None, None, ProblemKind.RETENTION, text))
        elif answer is not None:
            log.info("retention: %s", answer)


class CommandRunner:
    """Runs ``classpulse`` commands, one at a time, each in a process of its own at low priority. ``program``:
    arguments of the interpreter, as in ``DaemonSettings``."""

    def __init__(self, program: Sequence[str], *, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        # UTF-8: the output contains paths, which the code page of a Windows console may lack.
        self._command = [sys.executable, "-X", "utf8", *program]
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._cancelled = False

    def run(self, *arguments: str) -> tuple[Any, str]:
        """The JSON answer of a command and "", or None and the error on one line."""
        try:
            code, out, error = self._communicate(arguments)
        except _Cancelled:
            return None, "it was cancelled at shutdown"
        except OSError as failure:
            return None, f"its process could not be started ({failure.strerror or failure})"
        except subprocess.TimeoutExpired:
            return None, f"it did not finish within {self._timeout_s / 60:.0f} minutes and was cancelled"
        if code:
            return None, f"killed by signal {-code}" if code < 0 else _error_of(error) or f"exit code {code}"
        try:
            return json.loads(out), ""
        except ValueError:
            return None, "its output is invalid"

    def make_report(self, session_id: int) -> ReportResult:
        """Make a session's report; closes an abandoned session first."""
        answer, error = self.run("report", str(session_id))
        if answer is None:
            return ReportResult(session_id, {}, error)
        try:
            return ReportResult(session_id, {kind: Path(path) for kind, path in answer["report"].items()})
        except (AttributeError, KeyError, TypeError):
            return ReportResult(session_id, {}, "its output is invalid")

    def cancel(self) -> None:
        """Kill the running command and run no more."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def _communicate(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        with self._lock:
            if self._cancelled:
                raise _Cancelled
            # Ctrl-C ends the lesson, not the report of the previous one.
            with ignore_signals_in_children():
                process = self._process = subprocess.Popen(
                    [*self._command, *arguments, "--json"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    errors="replace",
                )
        with process:
            lower_priority(process.pid)
            try:
                out, error = process.communicate(timeout=self._timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return process.returncode, out, error


class _Cancelled(Exception):
    """The runner was cancelled."""


def _error_of(stderr: str) -> str:
    """The problem that a command reported, without its hint; else its last line."""
    lines = stderr.strip().splitlines()
    problems = [line for line in lines if line.startswith(ERROR_PREFIX)]
    return problems[-1].removeprefix(ERROR_PREFIX) if problems else lines[-1] if lines else ""


MAX_AGE = timedelta(days=7)
"""Older sessions have no report on purpose, or ended before reports were noted."""


def sessions_without_report(engine: Engine, now: datetime | None = None) -> list[int]:
    """Ids of live sessions that ended without a report (a crash, a power cut), the oldest first. An analysed
    recording has an expected length and is not among them."""
    since = (now or datetime.now(UTC)) - MAX_AGE
    reported = {entry.subject for entry in queries.list_audit_entries(engine, action="report")}
    return sorted(
        session.id
        for session in queries.list_sessions(engine, since=since)
        if session.status is not SessionStatus.RUNNING
        and session.expected_s is None
        and f"session {session.id}" not in reported
    )
