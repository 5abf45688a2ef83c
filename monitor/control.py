"""The live session's notice board: two small files beside the database.

``start`` holds ``live.json`` while it runs; ``stop`` asks for the end by writing ``live.stop``, which
works alike on Linux, macOS and Windows, where signals between consoles do not.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from monitor.process import current_process, is_running

_POLL_S = 0.25


class ControlError(Exception):
    """A live session cannot be started or stopped; one line says why."""


@dataclass(frozen=True)
class LiveSession:
    """What ``status`` and ``stop`` know of the live session."""

    session_id: int
    pid: int
    process_started: float

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
        return is_running(self.pid, self.process_started)


class Control:
    """Announces this process as the one live session and watches for the request to stop.

    A context manager: on entry it raises ControlError if another live session runs, on exit it
    takes its notice down. ``stop`` is set when somebody asks.
    """

    def __init__(self, folder: Path, stop: threading.Event) -> None:
        self._live, self._request = _paths(folder)
        self._stop = stop
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="classpulse-control", daemon=True)

    def __enter__(self) -> Control:
        other = read_live(self._live.parent)
        if other is not None and other.running:
            raise ControlError(
                f"session {other.session_id} is already being recorded; end it with 'classpulse stop' first"
            )
        self._live.unlink(missing_ok=True)
        self._request.unlink(missing_ok=True)
        try:
            self._live.touch(exist_ok=False)
        except FileExistsError:
            raise ControlError("another session is starting at this moment; try again") from None
        self._watcher.start()
        return self

    def announce(self, session_id: int) -> None:
        """Say which session is live."""
        pid, started = current_process()
        self._live.write_text(json.dumps(asdict(LiveSession(session_id, pid, started))), encoding="utf-8")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._watcher.join()
        self._live.unlink(missing_ok=True)
        self._request.unlink(missing_ok=True)

    def _watch(self) -> None:
        while not self._done.wait(_POLL_S):
            if self._request.exists():
                self._stop.set()


def read_live(folder: Path) -> LiveSession | None:
    """The announced live session, or None. Its process may be gone: see ``LiveSession.running``."""
    live, _ = _paths(folder)
    try:
        return LiveSession(**json.loads(live.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def request_stop(folder: Path) -> LiveSession:
    """Ask the live session to end; returns which. Raises ControlError when none is running."""
    live = read_live(folder)
    if live is None or not live.running:
        raise ControlError("no live session is running; 'classpulse start' begins one")
    _, request = _paths(folder)
    request.touch()
    return live


def _paths(folder: Path) -> tuple[Path, Path]:
    return folder / "live.json", folder / "live.stop"
