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
from typing import Any

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


class Aftermath:
    """Works off what follows. ``on_reported`` is told of each report, in the thread that made it."""

    def __init__(
        self, errands: Errands, on_reported: Callable[[Ended | None, Reported], None] | None = None
    ) -> None:
        self._errands = errands
        self._on_reported = on_reported
        self._lock = threading.Lock()
        self._waiting = 0
        self._held = False
        self._problems: deque[str] = deque(maxlen=KEPT_PROBLEMS)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aftermath")

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
            self._take_session(ended.session_id, ended)
        elif ended.last and ended.reason:
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
        self._problems.append(f"{order.where} was not recorded: {reason}")

    def hold(self) -> None:
        """Do no more: there is no time. The next start catches up."""
        self._held = True
        self._errands.cancel()

    def close(self) -> None:
        """Work off what was taken, unless it is held."""
        self._pool.shutdown(cancel_futures=self._held)

    def _take_session(self, session_id: int, ended: Ended | None) -> None:
        if not self._held:
            with self._lock:
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
            self._problems.append("what follows a recording failed; the log says why")

    def _report(self, session_id: int, ended: Ended | None) -> None:
        try:
            reported = self._errands.report(session_id)
        finally:
            with self._lock:
                self._waiting -= 1
        if self._held:
            return
        if reported.error:
            log.error("no report of session %d: %s", session_id, reported.error)
            self._problems.append(f"no report of session {session_id}: {reported.error}")
        if self._on_reported is not None:
            self._on_reported(ended, reported)

    def _purge(self) -> None:
        answer, error = self._errands.run("data", "purge")
        if error and not self._held:
            log.error("what has been kept long enough could not be erased: %s", error)
            self._problems.append(f"what has been kept long enough could not be erased: {error}")
        elif answer is not None:
            log.info("retention: %s", answer)


class Errands:
    """Runs other ``classpulse`` commands, each in a process of its own at low priority, one at a time."""

    def __init__(self, config: Config) -> None:
        assert config.path is not None  # whoever records has read it from a file
        self._command = [sys.executable, "-m", "classpulse", "--config", str(config.path)]
        self._process: subprocess.Popen[str] | None = None
        self._cancelled = False

    def run(self, *arguments: str) -> tuple[Any, str]:
        """The JSON answer of a command, or the line that says why there is none."""
        if self._cancelled:
            return None, "there was no time for it"
        with subprocess.Popen(
            [*self._command, *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as self._process:
            step_back(self._process.pid)
            out, error = self._process.communicate()
        if self._process.returncode:
            lines = error.strip().splitlines()
            return None, lines[-1] if lines else f"exit code {self._process.returncode}"
        return json.loads(out), ""

    def report(self, session_id: int) -> Reported:
        """Make a session's report; closes what a crash had left open, too."""
        answer, error = self.run("report", str(session_id))
        files = {} if answer is None else {kind: Path(path) for kind, path in answer["report"].items()}
        return Reported(session_id, files, error)

    def cancel(self) -> None:
        """No more; what is being done is given up, and done again another time."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()


def step_back(pid: int) -> None:
    """Give a process of ours a lower priority than recordings have."""
    with suppress(psutil.Error):
        psutil.Process(pid).nice(NICENESS if psutil.POSIX else psutil.BELOW_NORMAL_PRIORITY_CLASS)
