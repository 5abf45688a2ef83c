"""Client of the daemon: requests over a local socket, and the lock of the data folder.

One process at a time holds a data folder (:class:`DataDirLock`) and answers there
(``monitor.daemon.control_server``). ``control.json`` in the data folder gives the address and a key that the
client must send. Messages are JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Client
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from monitor.daemon.errors import (
    ControlError,
    DaemonNotRunning,
    DaemonUnreachable,
    DataDirLocked,
    DataDirNotWritable,
    ErrorReply,
    InvalidRequest,
)
from monitor.daemon.status import DaemonStatus
from monitor.runtime.ipc import error_line
from monitor.runtime.process import is_running
from monitor.session.status import RecordingStatus

ANSWER_TIMEOUT_S = 10.0
"""How long a client waits for an answer. The daemon answers between two events, which take milliseconds."""

ENDPOINT_FILE = "control.json"
"""The file with the address and the key, in the data folder."""

MAX_MESSAGE_BYTES = 1 << 20
"""Bytes of a message."""

GREETING = b"classpulse 1"
"""The start of a client's first message; the key follows."""

Verb = Literal["status", "start", "stop", "mark", "pause", "resume", "picture"]


@dataclass(frozen=True)
class Request:
    """A request to the daemon.

    ``room`` selects the recording, None the only one. ``start`` takes ``class_name``, ``source``, ``until``
    (ISO 8601 with offset) and ``preview``, where None is the value of the settings; ``mark`` takes ``text``.
    ``session_id`` or, except for ``start``, ``class_name`` restrict a request to that recording, so that it
    never affects a later one in the same room. ``picture`` is answered with a JPEG in base64, empty if there
    is no frame to show.
    """

    verb: Verb
    room: str | None = None
    class_name: str | None = None
    source: str | None = None
    until: str | None = None
    text: str | None = None
    session_id: int | None = None
    preview: bool = False


@dataclass(frozen=True)
class Reply:
    """The answer to a request: a JSON-ready ``body``, or the ``error``."""

    body: Mapping[str, Any]
    error: ErrorReply | None = None


@dataclass(frozen=True)
class Endpoint:
    """The content of ``control.json``: the process that answers, its address and the key (hexadecimal)."""

    pid: int
    process_started: float
    address: str
    key: str

    @property
    def is_alive(self) -> bool:
        """Whether the process that wrote it still runs."""
        return is_running(self.pid, self.process_started)


REQUEST_ADAPTER = TypeAdapter(Request)
REPLY_ADAPTER = TypeAdapter(Reply)
_ENDPOINT_ADAPTER = TypeAdapter(Endpoint)


def send_request(folder: Path, request: Request) -> Mapping[str, Any]:
    """Send a request to the process that holds ``folder``; returns the body of its answer.

    Raises DaemonNotRunning, DaemonUnreachable, InvalidRequest for text that is not valid Unicode, and the
    ControlError of the answer.
    """
    endpoint = read_endpoint(folder)
    if endpoint is None or not endpoint.is_alive:
        raise DaemonNotRunning(
            "Classpulse is not running.",
            "'classpulse start' starts a session, 'classpulse daemon' the daemon.",
        )
    try:
        message = REQUEST_ADAPTER.dump_json(request)
    except ValueError:
        raise InvalidRequest("The request contains invalid characters.", "Use UTF-8 text.") from None
    try:
        with Client(endpoint.address) as connection:
            connection.send_bytes(GREETING + bytes.fromhex(endpoint.key))
            connection.send_bytes(message)
            if not connection.poll(ANSWER_TIMEOUT_S):
                raise DaemonUnreachable(
                    f"Classpulse (process {endpoint.pid}) has not answered for {ANSWER_TIMEOUT_S:g} s.",
                    "See its log.",
                )
            reply = REPLY_ADAPTER.validate_json(connection.recv_bytes(MAX_MESSAGE_BYTES))
    except (OSError, EOFError) as error:
        if not endpoint.is_alive or read_endpoint(folder) != endpoint:
            raise DaemonNotRunning("Classpulse has just ended.") from None
        raise DaemonUnreachable(
            f"Classpulse (process {endpoint.pid}) cannot be reached ({error_line(error)}).",
            "It may belong to another user.",
        ) from None
    if reply.error is not None:
        raise reply.error.to_error()
    return reply.body


def read_endpoint(folder: Path) -> Endpoint | None:
    """The content of ``control.json``, None without a valid file; its process may have ended
    (``Endpoint.is_alive``). Raises DaemonUnreachable for another user's file."""
    try:
        return _ENDPOINT_ADAPTER.validate_json((folder / ENDPOINT_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    except PermissionError:
        raise DaemonUnreachable(
            f"{folder / ENDPOINT_FILE} belongs to another user.", "Only its owner can control Classpulse."
        ) from None


def daemon_status(data_folder: Path) -> DaemonStatus | None:
    """The status of the daemon, None if it does not run. Raises ControlError."""
    try:
        return DaemonStatus.from_json(send_request(data_folder, Request("status")))
    except DaemonNotRunning:
        return None


def send_command(data_folder: Path, verb: Verb, room: str | None, text: str | None = None) -> RecordingStatus:
    """Send a command to the recording in ``room``, None for the only one; returns its status. Raises
    ControlError."""
    return RecordingStatus.from_json(send_request(data_folder, Request(verb, room, text=text)))


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
