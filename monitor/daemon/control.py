"""Orders to the program that records, from another terminal, over a local socket.

One program at a time holds a data folder (``monitor.daemon.control``) and answers there (``monitor.daemon.control_server``);
``control.json`` beside the database says where, with a key that whoever asks must know. Messages are JSON.

What the program that records says, for the commands that ask it.

A data folder is held by one program at a time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Client
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from monitor.daemon.errors import ControlError, DaemonNotRunning
from monitor.daemon.status import DaemonStatus
from monitor.runtime.ipc import error_line
from monitor.runtime.process import is_running
from monitor.session.status import RecordingStatus

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 10.0
"""How long whoever asks waits for an answer. The program that records answers between two events of
its own, which take milliseconds."""

ENDPOINT_FILE = "control.json"
"""The file's name, in the data folder."""

Verb = Literal["status", "start", "stop", "mark", "pause", "resume", "picture"]


@dataclass(frozen=True)
class Request:
    """One order. ``room`` names the recording that is meant, None the only one. ``start`` takes
    ``class_name``, ``source`` and ``until`` (ISO 8601 with offset), where None means what the settings say;
    ``mark`` takes ``text``. Where one is given, ``session_id`` or (for other orders than ``start``)
    ``class_name`` says whose recording it must be, so that an order never meets another one in the same room.
    ``picture`` is answered with a JPEG in base64, empty where there is nothing to see."""

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
    """The answer. ``error`` is one line and empty where the order was taken; ``body`` is JSON-ready."""

    body: Mapping[str, Any]
    error: str = ""


@dataclass(frozen=True)
class Endpoint:
    """What ``control.json`` holds: who answers, where, and the key (hexadecimal)."""

    pid: int
    process_started: float
    address: str
    key: str

    @property
    def is_alive(self) -> bool:
        """Whether the program that wrote it is still there."""
        return is_running(self.pid, self.process_started)


REQUEST_ADAPTER, REPLY_ADAPTER, _ENDPOINT_ADAPTER = (
    TypeAdapter(Request),
    TypeAdapter(Reply),
    TypeAdapter(Endpoint),
)

MAX_MESSAGE_BYTES = 1 << 20
"""Of a message."""

GREETING = b"classpulse 1"
"""What a caller says first, with the key behind it."""


def send_request(folder: Path, request: Request) -> Mapping[str, Any]:
    """Give an order to the program that holds ``folder``; returns the body of its answer.

    Raises ControlError where nobody answers or the order is refused.
    """
    notice = read_endpoint(folder)
    if notice is None or not notice.is_alive:
        raise DaemonNotRunning(
            "nothing is being recorded; 'classpulse start' begins a session, 'classpulse daemon' the service"
        )
    try:
        order = REQUEST_ADAPTER.dump_json(request)
    except ValueError:
        raise ControlError("the order holds characters that are no text; expected UTF-8") from None
    try:
        with Client(notice.address) as connection:
            connection.send_bytes(GREETING + bytes.fromhex(notice.key))
            connection.send_bytes(order)
            if not connection.poll(ANSWER_TIMEOUT_S):
                raise ControlError(
                    f"Classpulse (process {notice.pid}) has not answered for {ANSWER_TIMEOUT_S:g} s; see its log"
                )
            reply = REPLY_ADAPTER.validate_json(connection.recv_bytes(MAX_MESSAGE_BYTES))
    except (OSError, EOFError) as error:
        if not notice.is_alive or read_endpoint(folder) != notice:
            raise DaemonNotRunning("Classpulse ended at this moment") from None
        raise ControlError(
            f"Classpulse (process {notice.pid}) cannot be reached ({error_line(error)}); is it another user's?"
        ) from None
    if reply.error:
        raise ControlError(reply.error)
    return reply.body


def read_endpoint(folder: Path) -> Endpoint | None:
    """Who holds the folder, or None. The program may be gone: see ``Endpoint.running``."""
    try:
        return _ENDPOINT_ADAPTER.validate_json((folder / ENDPOINT_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    except PermissionError:
        raise ControlError(
            f"{folder / ENDPOINT_FILE} belongs to another user; orders are taken from its owner alone"
        ) from None


_LOCK = "control.lock"


class DataDirLocked(ControlError):
    """Another program holds the data folder."""


class DataDirLock:
    """Holds a data folder for this process while the block lasts. Raises ControlError where another does, or
    where the folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / _LOCK, timeout=0, mode=0o600)

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise DataDirLocked(self._locked_message()) from None
        except (OSError, NotImplementedError) as error:  # the latter: a disk without locks
            raise ControlError(
                f"the data folder {self._folder} cannot be written ({error_line(error)}); give it write "
                "permission, or set another 'database.url'"
            ) from None
        return self

    def _locked_message(self) -> str:
        notice = read_endpoint(self._folder)
        if notice is None or not notice.is_alive:
            return f"Classpulse is starting or ending on {self._folder}; try again in a moment"
        return (
            f"Classpulse already runs on {self._folder} (process {notice.pid}); give it orders with "
            "'classpulse start' and 'classpulse stop', or end it first"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


TRANSITION_TIMEOUT_S = 20.0
"""For so long a program may hold the data folder and not answer: it starts, or makes its last report."""

_POLL_S = 0.2


def daemon_status(data_folder: Path) -> DaemonStatus | None:
    """How it stands, or None where nothing runs on this data folder. Raises ControlError."""
    try:
        return DaemonStatus.from_json(send_request(data_folder, Request("status")))
    except DaemonNotRunning:
        return None


def send_command(data_folder: Path, verb: Verb, room: str | None, text: str | None = None) -> RecordingStatus:
    """Have a recording do something; how it stands then. Without ``room`` the only one is meant. Raises
    ControlError."""
    return RecordingStatus.from_json(send_request(data_folder, Request(verb, room, text=text)))


def lock_or_detect_daemon(
    data_folder: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> DataDirLock | None:
    """The data folder for this process, to be released by ``__exit__``; or None where the program that has it
    takes orders. Raises ControlError, after a while where it neither ends nor answers."""
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
        notice = read_endpoint(data_folder)
    except ControlError:  # another user's: whoever gives the order is told
        return True
    return notice is not None and notice.is_alive
