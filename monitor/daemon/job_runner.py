"""What follows a recording: its report, and word of it. One at a time, in a thread, in processes of their
own.

Reports take seconds of a core and a few hundred megabytes; a process of its own gives both back and cannot
take the recordings of other rooms down with it.

Live sessions that ended without a report: a crash, a power cut, a computer that went down.
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

from classpulse.config.settings import Config
from db import sessions as queries
from db.records import SessionStatus
from monitor.daemon.protocol import RecordingRequest, RecordingResult
from monitor.runtime.process import lower_priority
from monitor.runtime.shutdown import ignore_signals_in_children

log = logging.getLogger(__name__)

MAX_PROBLEMS = 20
"""So many of the newest are shown by ``classpulse status``; the log has them all."""

PROBLEM_MAX_AGE_S = 24 * 3600.0
"""And for so long: what went wrong on Monday is no reason to be degraded for the rest of the term."""

COMMAND_TIMEOUT_S = 1800.0
"""An errand that takes longer hangs. A report takes seconds, and a minute or two beside a recording."""


@dataclass(frozen=True)
class ReportResult:
    """A session's report: its files by kind, or why there is none."""

    session_id: int
    files: Mapping[str, Path]
    error: str = ""


class JobRunner:
    """Works off what follows. ``on_reported`` is told of each report, in the thread that made it. ``clock``
    is steady seconds."""

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
        self._problems: deque[tuple[float, str]] = deque(maxlen=MAX_PROBLEMS)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aftermath")

    @property
    def pending_count(self) -> int:
        """How many reports are not made yet."""
        return self._pending

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong lately, one line each, the oldest first."""
        newest_s = self._clock() - PROBLEM_MAX_AGE_S
        return tuple(line for at_s, line in tuple(self._problems) if at_s >= newest_s)

    def handle_result(self, result: RecordingResult) -> None:
        """A recording is over: make its report, if it left a session."""
        if result.session_id is not None:
            self._enqueue_report(result.session_id, result)
        elif result.is_final and result.reason and not result.cancelled:
            self.note_failure(result.request, result.reason)

    def enqueue_reports(self, session_ids: Sequence[int]) -> None:
        """Make the reports of sessions that ended without one."""
        for session_id in session_ids:
            self._enqueue_report(session_id, None)

    def purge(self) -> None:
        """Erase what has been kept long enough."""
        self._submit(self._purge)

    def note_failure(self, request: RecordingRequest, reason: str) -> None:
        """Something was to be recorded and was not."""
        self._add_problem(f"{request.place_label} was not recorded: {reason}")

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait up to so long until every report is made and told of; returns whether that is so."""
        with self._done:
            return self._done.wait_for(lambda: self._pending == 0, timeout_s)

    def cancel_pending(self) -> None:
        """Do no more: there is no time. The next start catches up."""
        self._is_cancelled = True
        self._commands.cancel()

    def close(self) -> None:
        """Work off what was taken, unless it is held."""
        self._pool.shutdown(cancel_futures=self._is_cancelled)

    def _add_problem(self, line: str) -> None:
        self._problems.append((self._clock(), line))

    def _enqueue_report(self, session_id: int, result: RecordingResult | None) -> None:
        if not self._is_cancelled:
            with self._done:
                self._pending += 1
            self._submit(self._report, session_id, result)

    def _submit(self, work: Callable[..., None], *arguments: object) -> None:
        if not self._is_cancelled:
            self._pool.submit(self._guarded, work, *arguments)

    def _guarded(self, work: Callable[..., None], *arguments: object) -> None:
        """A fault in what follows must not stop what follows next."""
        try:
            work(*arguments)
        except Exception:
            log.exception("what follows a recording failed")
            self._add_problem("what follows a recording failed; the log says why")

    def _report(self, session_id: int, result: RecordingResult | None) -> None:
        try:
            self._handle_report(self._commands.make_report(session_id), result)
        finally:
            with self._done:
                self._pending -= 1
                self._done.notify_all()

    def _handle_report(self, report: ReportResult, result: RecordingResult | None) -> None:
        if self._is_cancelled and report.error:
            return  # it was given up, and is done again another time
        if report.error:
            log.error("no report of session %d: %s", report.session_id, report.error)
            self._add_problem(f"no report of session {report.session_id}: {report.error}")
        if self._on_reported is not None:
            self._on_reported(result, report)

    def _purge(self) -> None:
        answer, error = self._commands.run("data", "purge")
        if error and not self._is_cancelled:
            log.error("what has been kept long enough could not be erased: %s", error)
            self._add_problem(f"what has been kept long enough could not be erased: {error}")
        elif answer is not None:
            log.info("retention: %s", answer)


class CommandRunner:
    """Runs other ``classpulse`` commands, each in a process of its own at low priority, one at a time."""

    def __init__(self, config: Config, *, timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        assert config.path is not None  # whoever records has read it from a file
        # What it prints are paths, and a Windows console's own code cannot say all of them.
        self._command = [sys.executable, "-X", "utf8", "-m", "classpulse", "--config", str(config.path)]
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._cancelled = False

    def run(self, *arguments: str) -> tuple[Any, str]:
        """The JSON answer of a command, or the line that says why there is none."""
        try:
            code, out, error = self._communicate(arguments)
        except _Cancelled:
            return None, "there was no time for it"
        except OSError as refused:
            return None, f"its process could not be started ({refused.strerror or refused})"
        except subprocess.TimeoutExpired:
            return None, f"it was not done after {self._timeout_s / 60:.0f} minutes, and was given up"
        if code:
            lines = error.strip().splitlines()
            how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
            return None, lines[-1].removeprefix("classpulse: ") if lines and code > 0 else how
        try:
            return json.loads(out), ""
        except ValueError:
            return None, "its answer is not understood"

    def make_report(self, session_id: int) -> ReportResult:
        """Make a session's report; closes what a crash had left open, too."""
        answer, error = self.run("report", str(session_id))
        if answer is None:
            return ReportResult(session_id, {}, error)
        try:
            return ReportResult(session_id, {kind: Path(path) for kind, path in answer["report"].items()})
        except (AttributeError, KeyError, TypeError):
            return ReportResult(session_id, {}, "its answer is not understood")

    def cancel(self) -> None:
        """No more; what is being done is given up, and done again another time."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def _communicate(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        with self._lock:
            if self._cancelled:
                raise _Cancelled
            # Ctrl-C ends the lecture, not the report of the one before.
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
    """There is no time for errands."""


MAX_AGE = timedelta(days=7)
"""Older ones were left without a report on purpose, or before reports were noted."""


def sessions_without_report(engine: Engine, now: datetime | None = None) -> list[int]:
    """Their numbers, the oldest first. A recording that was analysed announced its length; it is not among
    them."""
    since = (now or datetime.now(UTC)) - MAX_AGE
    reported = {entry.subject for entry in queries.list_audit_entries(engine, action="report")}
    return sorted(
        session.id
        for session in queries.list_sessions(engine, since=since)
        if session.status is not SessionStatus.RUNNING
        and session.expected_s is None
        and f"session {session.id}" not in reported
    )
