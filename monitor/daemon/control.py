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

from monitor.daemon.errors import ControlError, NobodyThere
from monitor.daemon.status import DaemonStatus
from monitor.runtime.ipc import line_of
from monitor.runtime.process import is_running
from monitor.session.status import RecordingStatus

log = logging.getLogger(__name__)

ANSWER_S = 10.0
"""How long whoever asks waits for an answer. The program that records answers between two events of
its own, which take milliseconds."""

NOTICE = "control.json"
"""The file's name, in the data folder."""

Verb = Literal["status", "start", "stop", "mark", "pause", "resume", "picture"]


@dataclass(frozen=True)
class Request:
    """One order. ``room`` names the recording that is meant, None the only one. ``start`` takes
    ``class_name``, ``source`` and ``until`` (ISO 8601 with offset), where None means what the settings say;
    ``mark`` takes ``text``. Where one is given, ``session`` or (for other orders than ``start``)
    ``class_name`` says whose recording it must be, so that an order never meets another one in the same room.
    ``picture`` is answered with a JPEG in base64, empty where there is nothing to see."""

    verb: Verb
    room: str | None = None
    class_name: str | None = None
    source: str | None = None
    until: str | None = None
    text: str | None = None
    session: int | None = None
    preview: bool = False


@dataclass(frozen=True)
class Reply:
    """The answer. ``error`` is one line and empty where the order was taken; ``body`` is JSON-ready."""

    body: Mapping[str, Any]
    error: str = ""


@dataclass(frozen=True)
class Notice:
    """What ``control.json`` holds: who answers, where, and the key (hexadecimal)."""

    pid: int
    process_started: float
    address: str
    key: str

    @property
    def running(self) -> bool:
        """Whether the program that wrote it is still there."""
        return is_running(self.pid, self.process_started)


REQUESTS, REPLIES, _NOTICES = TypeAdapter(Request), TypeAdapter(Reply), TypeAdapter(Notice)

LONGEST_BYTES = 1 << 20
"""Of a message."""

HELLO = b"classpulse 1"
"""What a caller says first, with the key behind it."""


def ask(folder: Path, request: Request) -> Mapping[str, Any]:
    """Give an order to the program that holds ``folder``; returns the body of its answer.

    Raises ControlError where nobody answers or the order is refused.
    """
    notice = read_notice(folder)
    if notice is None or not notice.running:
        raise NobodyThere(
            "nothing is being recorded; 'classpulse start' begins a session, 'classpulse daemon' the service"
        )
    try:
        order = REQUESTS.dump_json(request)
    except ValueError:
        raise ControlError("the order holds characters that are no text; expected UTF-8") from None
    try:
        with Client(notice.address) as connection:
            connection.send_bytes(HELLO + bytes.fromhex(notice.key))
            connection.send_bytes(order)
            if not connection.poll(ANSWER_S):
                raise ControlError(
                    f"Classpulse (process {notice.pid}) has not answered for {ANSWER_S:g} s; see its log"
                )
            reply = REPLIES.validate_json(connection.recv_bytes(LONGEST_BYTES))
    except (OSError, EOFError) as error:
        if not notice.running or read_notice(folder) != notice:
            raise NobodyThere("Classpulse ended at this moment") from None
        raise ControlError(
            f"Classpulse (process {notice.pid}) cannot be reached ({line_of(error)}); is it another user's?"
        ) from None
    if reply.error:
        raise ControlError(reply.error)
    return reply.body


def read_notice(folder: Path) -> Notice | None:
    """Who holds the folder, or None. The program may be gone: see ``Notice.running``."""
    try:
        return _NOTICES.validate_json((folder / NOTICE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    except PermissionError:
        raise ControlError(
            f"{folder / NOTICE} belongs to another user; orders are taken from its owner alone"
        ) from None


_LOCK = "control.lock"


class FolderTaken(ControlError):
    """Another program holds the data folder."""


class Claim:
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
            raise FolderTaken(self._taken()) from None
        except (OSError, NotImplementedError) as error:  # the latter: a disk without locks
            raise ControlError(
                f"the data folder {self._folder} cannot be written ({line_of(error)}); give it write "
                "permission, or set another 'database.url'"
            ) from None
        return self

    def _taken(self) -> str:
        notice = read_notice(self._folder)
        if notice is None or not notice.running:
            return f"Classpulse is starting or ending on {self._folder}; try again in a moment"
        return (
            f"Classpulse already runs on {self._folder} (process {notice.pid}); give it orders with "
            "'classpulse start' and 'classpulse stop', or end it first"
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


CHANGING_S = 20.0
"""For so long a program may hold the data folder and not answer: it starts, or makes its last report."""

_POLL_S = 0.2


def ask_daemon(data_folder: Path) -> DaemonStatus | None:
    """How it stands, or None where nothing runs on this data folder. Raises ControlError."""
    try:
        return DaemonStatus.from_json(ask(data_folder, Request("status")))
    except NobodyThere:
        return None


def give_order(data_folder: Path, verb: Verb, room: str | None, text: str | None = None) -> RecordingStatus:
    """Have a recording do something; how it stands then. Without ``room`` the only one is meant. Raises
    ControlError."""
    return RecordingStatus.from_json(ask(data_folder, Request(verb, room, text=text)))


def claim_or_answer(
    data_folder: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Claim | None:
    """The data folder for this process, to be released by ``__exit__``; or None where the program that has it
    takes orders. Raises ControlError, after a while where it neither ends nor answers."""
    deadline = clock() + CHANGING_S
    while True:
        try:
            return Claim(data_folder).__enter__()
        except FolderTaken:
            if _takes_orders(data_folder):
                return None
            if clock() >= deadline:
                raise
        pause(_POLL_S)


def _takes_orders(data_folder: Path) -> bool:
    try:
        notice = read_notice(data_folder)
    except ControlError:  # another user's: whoever gives the order is told
        return True
    return notice is not None and notice.running
