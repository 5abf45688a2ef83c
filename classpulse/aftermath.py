"""What follows a recording: its report, and word of it. One at a time, in a thread, in processes of their
own.

Reports take seconds of a core and a few hundred megabytes; a process of its own gives both back and cannot
take the recordings of other rooms down with it.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from classpulse.settings import Config
from monitor.supervisor import Ended, Order

log = logging.getLogger(__name__)

KEPT_PROBLEMS = 20
"""So many of the newest are shown by ``classpulse status``; the log has them all."""

NICENESS = 10
"""A report waits for the recordings, not they for it."""


@dataclass(frozen=True)
class Reported:
    """A session's report: its files by kind, or why there is none."""

    session_id: int
    files: Mapping[str, Path]
    error: str = ""


class MakesReports(Protocol):
    """Makes a session's report; takes its time."""

    def __call__(self, session_id: int) -> Reported: ...

    def cancel(self) -> None:
        """Give up the one that is being made, from another thread."""
        ...


class Aftermath:
    """Works off ended recordings. ``on_reported`` is told of each report, in the thread that made it."""

    def __init__(
        self, make_report: MakesReports, on_reported: Callable[[Ended | None, Reported], None] | None = None
    ) -> None:
        self._make_report = make_report
        self._on_reported = on_reported
        self._lock = threading.Lock()
        self._waiting = 0
        self._held = False
        self._problems: deque[str] = deque(maxlen=KEPT_PROBLEMS)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="report")

    @property
    def waiting(self) -> int:
        """How many reports are not made yet."""
        return self._waiting

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong lately, one line each, the oldest first."""
        return tuple(self._problems)

    def take(self, ended: Ended) -> None:
        """A recording is over: make its report, if it left a session."""
        if ended.session_id is not None:
            self._submit(ended.session_id, ended)
        elif ended.last and ended.reason:
            self.failed(ended.order, ended.reason)

    def catch_up(self, session_ids: Sequence[int]) -> None:
        """Make the reports of sessions that ended without one."""
        for session_id in session_ids:
            self._submit(session_id, None)

    def failed(self, order: Order, reason: str) -> None:
        """Something was to be recorded and was not."""
        self._problems.append(f"{order.where} was not recorded: {reason}")

    def hold(self) -> None:
        """Make no more reports: there is no time. The next start catches up on them."""
        self._held = True
        self._make_report.cancel()

    def close(self) -> None:
        """Work off what was taken, unless it is held."""
        self._pool.shutdown(cancel_futures=self._held)

    def _submit(self, session_id: int, ended: Ended | None) -> None:
        if self._held:
            return
        with self._lock:
            self._waiting += 1
        self._pool.submit(self._work, session_id, ended)

    def _work(self, session_id: int, ended: Ended | None) -> None:
        try:
            reported = self._make_report(session_id)
            if reported.error:
                log.error("no report of session %d: %s", session_id, reported.error)
                self._problems.append(f"no report of session {session_id}: {reported.error}")
            if self._on_reported is not None:
                self._on_reported(ended, reported)
        except Exception:
            log.exception("what follows session %d failed", session_id)
            self._problems.append(f"what follows session {session_id} failed; the log says why")
        finally:
            with self._lock:
                self._waiting -= 1


class ReportProcess:
    """Makes reports by ``classpulse report`` in a process of its own, which also closes what a crash left
    open."""

    def __init__(self, config: Config) -> None:
        assert config.path is not None  # whoever records has read it from a file
        self._command = [sys.executable, "-m", "classpulse", "--config", str(config.path), "report"]
        self._process: subprocess.Popen[str] | None = None
        self._cancelled = False

    def __call__(self, session_id: int) -> Reported:
        """The report's files; an error of one line where it could not be made."""
        if self._cancelled:
            return Reported(session_id, {}, "there was no time for it")
        with subprocess.Popen(
            [*self._command, str(session_id), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as self._process:
            _step_back(self._process.pid)
            out, error = self._process.communicate()
        if self._process.returncode:
            lines = error.strip().splitlines()
            return Reported(session_id, {}, lines[-1] if lines else f"exit code {self._process.returncode}")
        files = json.loads(out)["report"]
        return Reported(session_id, {kind: Path(path) for kind, path in files.items()})

    def cancel(self) -> None:
        """No more; the one that is being made is given up, and made again later."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()


def _step_back(pid: int) -> None:
    with suppress(psutil.Error):
        psutil.Process(pid).nice(NICENESS if psutil.POSIX else psutil.BELOW_NORMAL_PRIORITY_CLASS)
