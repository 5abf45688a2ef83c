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
from monitor.daemon.protocol import Ended, Order
from monitor.runtime.process import step_back
from monitor.runtime.shutdown import deaf_children

log = logging.getLogger(__name__)

KEPT_PROBLEMS = 20
"""So many of the newest are shown by ``classpulse status``; the log has them all."""

KEPT_S = 24 * 3600.0
"""And for so long: what went wrong on Monday is no reason to be degraded for the rest of the term."""

LONGEST_S = 1800.0
"""An errand that takes longer hangs. A report takes seconds, and a minute or two beside a recording."""


@dataclass(frozen=True)
class Reported:
    """A session's report: its files by kind, or why there is none."""

    session_id: int
    files: Mapping[str, Path]
    error: str = ""


class Aftermath:
    """Works off what follows. ``on_reported`` is told of each report, in the thread that made it. ``clock``
    is steady seconds."""

    def __init__(
        self,
        errands: Errands,
        on_reported: Callable[[Ended | None, Reported], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._errands = errands
        self._on_reported = on_reported
        self._clock = clock
        self._done = threading.Condition()
        self._waiting = 0
        self._held = False
        self._problems: deque[tuple[float, str]] = deque(maxlen=KEPT_PROBLEMS)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aftermath")

    @property
    def waiting(self) -> int:
        """How many reports are not made yet."""
        return self._waiting

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong lately, one line each, the oldest first."""
        newest_s = self._clock() - KEPT_S
        return tuple(line for at_s, line in tuple(self._problems) if at_s >= newest_s)

    def take(self, ended: Ended) -> None:
        """A recording is over: make its report, if it left a session."""
        if ended.session_id is not None:
            self._take_session(ended.session_id, ended)
        elif ended.last and ended.reason and not ended.called_off:
            self.failed(ended.order, ended.reason)

    def catch_up(self, session_ids: Sequence[int]) -> None:
        """Make the reports of sessions that ended without one."""
        for session_id in session_ids:
            self._take_session(session_id, None)

    def purge(self) -> None:
        """Erase what has been kept long enough."""
        self._submit(self._purge)

    def failed(self, order: Order, reason: str) -> None:
        """Something was to be recorded and was not."""
        self._note(f"{order.where} was not recorded: {reason}")

    def settled(self, within_s: float) -> bool:
        """Wait up to so long until every report is made and told of; returns whether that is so."""
        with self._done:
            return self._done.wait_for(lambda: self._waiting == 0, within_s)

    def hold(self) -> None:
        """Do no more: there is no time. The next start catches up."""
        self._held = True
        self._errands.cancel()

    def close(self) -> None:
        """Work off what was taken, unless it is held."""
        self._pool.shutdown(cancel_futures=self._held)

    def _note(self, line: str) -> None:
        self._problems.append((self._clock(), line))

    def _take_session(self, session_id: int, ended: Ended | None) -> None:
        if not self._held:
            with self._done:
                self._waiting += 1
            self._submit(self._report, session_id, ended)

    def _submit(self, work: Callable[..., None], *arguments: object) -> None:
        if not self._held:
            self._pool.submit(self._guarded, work, *arguments)

    def _guarded(self, work: Callable[..., None], *arguments: object) -> None:
        """A fault in what follows must not stop what follows next."""
        try:
            work(*arguments)
        except Exception:
            log.exception("what follows a recording failed")
            self._note("what follows a recording failed; the log says why")

    def _report(self, session_id: int, ended: Ended | None) -> None:
        try:
            self._told(self._errands.report(session_id), ended)
        finally:
            with self._done:
                self._waiting -= 1
                self._done.notify_all()

    def _told(self, reported: Reported, ended: Ended | None) -> None:
        if self._held and reported.error:
            return  # it was given up, and is done again another time
        if reported.error:
            log.error("no report of session %d: %s", reported.session_id, reported.error)
            self._note(f"no report of session {reported.session_id}: {reported.error}")
        if self._on_reported is not None:
            self._on_reported(ended, reported)

    def _purge(self) -> None:
        answer, error = self._errands.run("data", "purge")
        if error and not self._held:
            log.error("what has been kept long enough could not be erased: %s", error)
            self._note(f"what has been kept long enough could not be erased: {error}")
        elif answer is not None:
            log.info("retention: %s", answer)


class Errands:
    """Runs other ``classpulse`` commands, each in a process of its own at low priority, one at a time."""

    def __init__(self, config: Config, *, longest_s: float = LONGEST_S) -> None:
        assert config.path is not None  # whoever records has read it from a file
        # What it prints are paths, and a Windows console's own code cannot say all of them.
        self._command = [sys.executable, "-X", "utf8", "-m", "classpulse", "--config", str(config.path)]
        self._longest_s = longest_s
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
            return None, f"it was not done after {self._longest_s / 60:.0f} minutes, and was given up"
        if code:
            lines = error.strip().splitlines()
            how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
            return None, lines[-1].removeprefix("classpulse: ") if lines and code > 0 else how
        try:
            return json.loads(out), ""
        except ValueError:
            return None, "its answer is not understood"

    def report(self, session_id: int) -> Reported:
        """Make a session's report; closes what a crash had left open, too."""
        answer, error = self.run("report", str(session_id))
        if answer is None:
            return Reported(session_id, {}, error)
        try:
            return Reported(session_id, {kind: Path(path) for kind, path in answer["report"].items()})
        except (AttributeError, KeyError, TypeError):
            return Reported(session_id, {}, "its answer is not understood")

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
            with deaf_children():
                process = self._process = subprocess.Popen(
                    [*self._command, *arguments, "--json"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    encoding="utf-8",
                    errors="replace",
                )
        with process:
            step_back(process.pid)
            try:
                out, error = process.communicate(timeout=self._longest_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return process.returncode, out, error


class _Cancelled(Exception):
    """There is no time for errands."""


LOOK_BACK = timedelta(days=7)
"""Older ones were left without a report on purpose, or before reports were noted."""


def unreported(engine: Engine, now: datetime | None = None) -> list[int]:
    """Their numbers, the oldest first. A recording that was analysed announced its length; it is not among
    them."""
    since = (now or datetime.now(UTC)) - LOOK_BACK
    reported = {entry.subject for entry in queries.audit_trail(engine, action="report")}
    return sorted(
        session.id
        for session in queries.sessions(engine, since=since)
        if session.status is not SessionStatus.RUNNING
        and session.expected_s is None
        and f"session {session.id}" not in reported
    )
