"""The daemon's status and previews, cached so that viewers never slow down the recording."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.daemon.control import Request, daemon_status, send_request
from monitor.daemon.errors import ControlError
from monitor.daemon.status import DaemonStatus
from monitor.session.status import RecordingStatus

CACHE_LIFETIME_S = 0.3
"""A part of the two seconds from frame to page (``benchmarks/live.py``)."""


@dataclass(frozen=True)
class DaemonSnapshot:
    """The status of the daemon: None if none is running or, with ``error``, if it does not answer."""

    daemon: DaemonStatus | None
    error: ControlError | None = None

    @property
    def recordings(self) -> tuple[RecordingStatus, ...]:
        """The recordings, empty if they are unknown."""
        return () if self.daemon is None else self.daemon.recordings

    def recording_of(self, session_id: int) -> RecordingStatus | None:
        """The recording of a session, None if it is not being recorded."""
        return next((recording for recording in self.recordings if recording.session_id == session_id), None)


class DaemonStatusCache:
    """Queries the daemon of the data folder at most once per ``CACHE_LIFETIME_S``. Thread-safe."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._query_lock = threading.Lock()
        self._last: DaemonSnapshot | None = None
        self._queried_s = float("-inf")

    def snapshot(self) -> DaemonSnapshot:
        """A status at most ``CACHE_LIFETIME_S`` old, or the previous one while a query is running."""
        last = self._last
        if last is not None and self._clock() - self._queried_s < CACHE_LIFETIME_S:
            return last
        if not self._query_lock.acquire(blocking=last is None):
            assert last is not None
            return last
        try:
            if self._last is not None and self._clock() - self._queried_s < CACHE_LIFETIME_S:
                return self._last
            self._last = self._query()
            self._queried_s = self._clock()
            return self._last
        finally:
            self._query_lock.release()

    def send(self, request: Request) -> Mapping[str, Any]:
        """Send a command to the daemon and invalidate the cached status. Raises ControlError."""
        try:
            return send_request(self._folder, request)
        finally:
            if request.verb != "picture":
                self._queried_s = float("-inf")

    def _query(self) -> DaemonSnapshot:
        try:
            return DaemonSnapshot(daemon_status(self._folder))
        except ControlError as error:
            return DaemonSnapshot(None, error)


class PreviewFetcher:
    """Fetches preview frames: concurrent requests for a session share one. The recorder makes at most two per
    second; nothing is stored here. Thread-safe."""

    def __init__(self, daemon: DaemonStatusCache) -> None:
        self._daemon = daemon
        self._lock = threading.Lock()
        self._pending: dict[int, Future[str]] = {}

    def fetch(self, session_id: int) -> str:
        """The next frame as a base64 JPEG, empty if there is none. Raises ControlError."""
        with self._lock:
            is_fetcher = session_id not in self._pending
            future = self._pending.setdefault(session_id, Future())
        if is_fetcher:
            try:
                future.set_result(str(self._daemon.send(Request("picture", session_id=session_id))["jpeg"]))
            except Exception as error:  # noqa: BLE001 - raised in every waiting thread
                future.set_exception(error)
            finally:
                with self._lock:
                    del self._pending[session_id]
        return future.result()
