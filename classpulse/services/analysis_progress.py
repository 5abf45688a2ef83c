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

from classpulse.cli.console import say
from monitor.runtime.shutdown import StopRequest

EACH_S = 1.0


@dataclass(frozen=True)
class Heard:
    """How far an analysis is: ``end_s`` of ``expected_s`` seconds of the recording (None: not announced), and
    how many are followed."""

    session_id: int
    end_s: float
    expected_s: float | None
    students: int


_LINE = TypeAdapter(dict[str, Heard])


class Attended:
    """Tells how far the analysis is, and sets ``stop`` when standard input ends."""

    def __init__(self, stop: StopRequest) -> None:
        self.cancelled = False
        self._stop = stop
        self._session_id = 0
        self._expected_s: float | None = None
        self._told_at_s = float("-inf")
        threading.Thread(target=self._listen, name="attended", daemon=True).start()

    def began(self, session_id: int, expected_s: float | None) -> None:
        """There is a session."""
        self._session_id, self._expected_s = session_id, expected_s
        self.at(0.0, 0)

    def at(self, end_s: float, students: int) -> None:
        """Where it has come to; what comes sooner than ``EACH_S`` is not told."""
        now_s = time.monotonic()
        if now_s - self._told_at_s < EACH_S:
            return
        self._told_at_s = now_s
        say(line(Heard(self._session_id, end_s, self._expected_s, students)))

    def _listen(self) -> None:
        # Not sys.stdin: a thread that waits in it while the interpreter ends brings it down.
        while os.read(0, 64):
            pass
        self.cancelled = True
        self._stop.hurried = True
        self._stop.set()


def line(heard: Heard) -> str:
    """What is told, as it stands on standard error."""
    return json.dumps({"analysis": asdict(heard)})


def heard(text: str) -> Heard | None:
    """What such a line tells; None where it is for people."""
    try:
        return _LINE.validate_json(text).get("analysis")
    except ValidationError:
        return None
