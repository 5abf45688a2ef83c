"""An analysis that another program of ours watches over: it hears how far it is, and can end it.

On standard error there is a JSON line with the key ``analysis`` about once a second, between lines for
people. When standard input ends, whoever started the analysis wants no more of it, or is gone.
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import asdict, dataclass

from pydantic import TypeAdapter, ValidationError

from classpulse.cli.console import print_message
from monitor.runtime.shutdown import ShutdownRequest

REPORT_INTERVAL_S = 1.0


@dataclass(frozen=True)
class AnalysisProgress:
    """How far an analysis is: ``end_s`` of ``expected_s`` seconds of the recording (None: not announced), and
    how many are followed."""

    session_id: int
    end_s: float
    expected_s: float | None
    students: int


_PROGRESS_LINE = TypeAdapter(dict[str, AnalysisProgress])


class ProgressReporter:
    """Tells how far the analysis is, and sets ``stop`` when standard input ends."""

    def __init__(self, stop: ShutdownRequest) -> None:
        self.cancelled = False
        self._stop = stop
        self._session_id = 0
        self._expected_s: float | None = None
        self._last_report_s = float("-inf")
        threading.Thread(target=self._wait_for_cancel, name="attended", daemon=True).start()

    def report_start(self, session_id: int, expected_s: float | None) -> None:
        """There is a session."""
        self._session_id, self._expected_s = session_id, expected_s
        self.report(0.0, 0)

    def report(self, end_s: float, students: int) -> None:
        """Where it has come to; what comes sooner than ``REPORT_INTERVAL_S`` is not told."""
        now_s = time.monotonic()
        if now_s - self._last_report_s < REPORT_INTERVAL_S:
            return
        self._last_report_s = now_s
        print_message(format_progress(AnalysisProgress(self._session_id, end_s, self._expected_s, students)))

    def _wait_for_cancel(self) -> None:
        # Not sys.stdin: a thread that waits in it while the interpreter ends brings it down.
        while os.read(0, 64):
            pass
        self.cancelled = True
        self._stop.immediate = True
        self._stop.set()


def format_progress(progress: AnalysisProgress) -> str:
    """What is told, as it stands on standard error."""
    return json.dumps({"analysis": asdict(progress)})


def parse_progress(text: str) -> AnalysisProgress | None:
    """What such a line tells; None where it is for people."""
    try:
        return _PROGRESS_LINE.validate_json(text).get("analysis")
    except ValidationError:
        return None
