"""Progress of an analysis for its parent process (the upload queue), which can also cancel it.

The analysis writes a JSON line with the key ``analysis`` to standard error about once a second, between lines
for people. It is cancelled when its standard input closes, which also happens when the parent exits.
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter, ValidationError

from classpulse.console import print_message
from monitor.runtime.shutdown import ShutdownRequest

REPORT_INTERVAL_S = 1.0


@dataclass(frozen=True)
class AnalysisProgress:
    """Progress: ``end_s`` of ``expected_s`` seconds of the recording (None: unknown) and the number of
    tracked students."""

    session_id: int
    end_s: float
    expected_s: float | None
    students: int


_PROGRESS_LINE = TypeAdapter(dict[str, AnalysisProgress])


class ProgressReporter:
    """Reports the progress, and sets ``stop`` when standard input closes."""

    def __init__(self, stop: ShutdownRequest) -> None:
        self.cancelled = False
        self._stop = stop
        self._session_id = 0
        self._expected_s: float | None = None
        self._last_report_s = float("-inf")
        threading.Thread(target=self._wait_for_cancel, name="analysis-cancel", daemon=True).start()

    def report_start(self, session_id: int, expected_s: float | None) -> None:
        """Report the start of the session."""
        self._session_id, self._expected_s = session_id, expected_s
        self.report(0.0, 0)

    def report(self, end_s: float, students: int) -> None:
        """Report the progress, at most every ``REPORT_INTERVAL_S``."""
        now_s = time.monotonic()
        if now_s - self._last_report_s < REPORT_INTERVAL_S:
            return
        self._last_report_s = now_s
        print_message(format_progress(AnalysisProgress(self._session_id, end_s, self._expected_s, students)))

    def _wait_for_cancel(self) -> None:
        # Not sys.stdin: a thread that blocks in it crashes the interpreter at exit.
        while os.read(0, 64):
            pass
        self.cancelled = True
        self._stop.immediate = True
        self._stop.set()


def format_progress(progress: AnalysisProgress) -> str:
    """The line for standard error."""
    return json.dumps({"analysis": asdict(progress)})


def parse_progress(text: str) -> AnalysisProgress | None:
    """The progress in a line of standard error; None for any other line."""
    try:
        return _PROGRESS_LINE.validate_json(text).get("analysis")
    except ValidationError:
        return None
