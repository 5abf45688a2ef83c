"""Control of the daemon: its typed status, the adapters of messages, and the lock of the data folder.

One process at a time holds a data folder (:class:`DataDirLock`) and answers there
(``monitor.daemon.control_server``); ``monitor.daemon.client`` sends the requests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from monitor.daemon.client import (
    ANSWER_TIMEOUT_S,
    ENDPOINT_FILE,
    GREETING,
    MAX_MESSAGE_BYTES,
    Endpoint,
    Request,
    Verb,
    query_status,
    read_endpoint,
    send_request,
)
from monitor.daemon.errors import (
    ControlError,
    DaemonUnreachable,
    DataDirLocked,
    DataDirNotWritable,
    ErrorReply,
)
from monitor.daemon.status import DaemonStatus
from monitor.runtime.ipc import error_line

__all__ = [
    "ANSWER_TIMEOUT_S",
    "ENDPOINT_FILE",
    "GREETING",
    "MAX_MESSAGE_BYTES",
    "DataDirLock",
    "Endpoint",
    "Reply",
    "Request",
    "Verb",
    "daemon_status",
    "lock_or_detect_daemon",
    "read_endpoint",
    "send_request",
]


@dataclass(frozen=True)
class Reply:
    """The answer to a request: a JSON-ready ``body``, or the ``error``."""

    body: Mapping[str, Any]
    error: ErrorReply | None = None


REQUEST_ADAPTER = TypeAdapter(Request)
REPLY_ADAPTER = TypeAdapter(Reply)


def daemon_status(data_folder: Path) -> DaemonStatus | None:
    """The status of the daemon, None if it does not run. Raises ControlError."""
    values = query_status(data_folder)
    return None if values is None else DaemonStatus.from_json(values)


_LOCK = "control.lock"

TRANSITION_TIMEOUT_S = 20.0
"""How long a process may hold the data folder without an endpoint: it is starting, or generates its
last report."""

_POLL_S = 0.2


class DataDirLock:
    """Holds a data folder for this process within the block. Raises DataDirLocked, DataDirNotWritable."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / _LOCK, timeout=0, mode=0o600)

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise self._locked_error() from None
        except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
            raise DataDirNotWritable(
                f"The data folder {self._folder} cannot be written ({error_line(error)}).",
                "Give it write permission, or set another 'database.url'.",
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def _locked_error(self) -> DataDirLocked:
        try:
            endpoint = read_endpoint(self._folder)
        except DaemonUnreachable as error:
            return DataDirLocked(error.problem, error.hint)
        if endpoint is None or not endpoint.is_alive:
            return DataDirLocked(
                f"Classpulse is starting or shutting down on {self._folder}.", "Try again in a moment."
            )
        return DataDirLocked(
            f"Classpulse is already running on {self._folder} (process {endpoint.pid}).",
            "Use 'classpulse start' and 'classpulse stop', or end it first.",
        )


def lock_or_detect_daemon(
    data_folder: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> DataDirLock | None:
    """The acquired lock of the data folder, to be released by ``__exit__``; None if another process holds it
    and accepts requests. Raises ControlError, DataDirLocked if the other process neither ends nor accepts
    requests within ``TRANSITION_TIMEOUT_S``."""
    deadline = clock() + TRANSITION_TIMEOUT_S
    while True:
        try:
            return DataDirLock(data_folder).__enter__()
        except DataDirLocked:
            if _accepts_requests(data_folder):
                return None
            if clock() >= deadline:
                raise
        pause(_POLL_S)


def _accepts_requests(data_folder: Path) -> bool:
    try:
        endpoint = read_endpoint(data_folder)
    except ControlError:  # another user's: the request itself fails with the reason
        return True
    return endpoint is not None and endpoint.is_alive
