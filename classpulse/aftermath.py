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


MakeReport = Callable[[int], Reported]


class Aftermath:
    """Works off ended recordings. ``on_reported`` is told of each report, in the thread that made it."""

    def __init__(
        self, make_report: MakeReport, on_reported: Callable[[Ended | None, Reported], None] | None = None
    ) -> None:
        self._make_report = make_report
        self._on_reported = on_reported
        self._lock = threading.Lock()
        self._waiting = 0
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

    def close(self, *, wait: bool) -> None:
        """No more. With ``wait`` what was taken is worked off first; else the next start catches up on it."""
        self._pool.shutdown(wait=wait, cancel_futures=not wait)

    def _submit(self, session_id: int, ended: Ended | None) -> None:
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


def report_by_process(config: Config) -> MakeReport:
    """Makes reports by ``classpulse report`` in a process of its own, which also closes what a crash left
    open."""
    assert config.path is not None
    command = [sys.executable, "-m", "classpulse", "--config", str(config.path), "report"]

    def make(session_id: int) -> Reported:
        with subprocess.Popen(
            [*command, str(session_id), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            _step_back(process.pid)
            out, error = process.communicate()
        if process.returncode:
            lines = error.strip().splitlines()
            return Reported(session_id, {}, lines[-1] if lines else f"exit code {process.returncode}")
        files = json.loads(out)["report"]
        return Reported(session_id, {kind: Path(path) for kind, path in files.items()})

    return make


def _step_back(pid: int) -> None:
    with suppress(psutil.Error):
        psutil.Process(pid).nice(NICENESS if psutil.POSIX else psutil.BELOW_NORMAL_PRIORITY_CLASS)
