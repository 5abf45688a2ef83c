"""Orders to the program that records, from another terminal, over a local socket.

One program at a time holds a data folder: :class:`Claim` is its lock, which the system releases however the
program ends. It answers on a Unix socket, on Windows on a named pipe; ``control.json`` beside the database
says where, with a key that whoever asks must know. Folder, socket and file are their owner's alone. Messages
are JSON.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from monitor.process import current_process, is_running

log = logging.getLogger(__name__)

LONGEST_PATH = 100
"""Bytes of a Unix socket's path: the kernels hold 104 to 108 with the closing zero."""

ANSWER_S = 10.0
"""How long whoever asks waits for an answer. The program that records answers between two events of
its own, which take milliseconds."""

_NOTICE, _LOCK, _SOCKET = "control.json", "control.lock", "control.sock"

Verb = Literal["status", "start", "stop", "mark", "pause", "resume", "picture"]


class ControlError(Exception):
    """An order cannot be given or was refused; one line says why."""


class FolderTaken(ControlError):
    """Another program holds the data folder."""


class NobodyThere(ControlError):
    """No program holds the data folder."""


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


_REQUEST, _REPLY, _NOTICES = TypeAdapter(Request), TypeAdapter(Reply), TypeAdapter(Notice)


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
                f"the data folder {self._folder} cannot be written ({_line(error)}); give it write "
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


class ControlServer:
    """Answers orders with ``answer`` while the block lasts; needs the folder's :class:`Claim`.

    ``answer`` is called in a thread of each caller's own, so it must be thread-safe.
    """

    def __init__(self, folder: Path, answer: Callable[[Request], Reply]) -> None:
        self._folder = folder
        self._answer = answer
        self._key = secrets.token_bytes(32)
        self._private: tempfile.TemporaryDirectory[str] | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def __enter__(self) -> Self:
        self._listener = self._listen()
        pid, started = current_process()
        try:
            _write_private(
                self._folder / _NOTICE,
                json.dumps(asdict(Notice(pid, started, self._address, self._key.hex()))),
            )
        except OSError as error:
            self._close()
            raise ControlError(f"{self._folder / _NOTICE} cannot be written ({_line(error)})") from None
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        with suppress(OSError):  # the folder may be gone, or be read-only by now
            (self._folder / _NOTICE).unlink(missing_ok=True)
        try:
            Client(self._address).close()  # wakes the thread from its accept
        except OSError:
            log.warning("the control socket is gone; nobody can be answered any more")
        else:
            self._thread.join()
        self._close()

    def _listen(self) -> Listener:
        """Where to listen: beside the database; in a private folder where that path is too long for a socket
        or its disk has none (a memory stick, a share in the network)."""
        if sys.platform == "win32":
            self._address = rf"\\.\pipe\classpulse-{secrets.token_hex(8)}"
            return Listener(self._address, backlog=16)
        path = self._folder.resolve() / _SOCKET
        if len(os.fsencode(path)) <= LONGEST_PATH:
            try:
                path.unlink(missing_ok=True)  # of a program that was killed; the claim is ours
                self._address = str(path)
                return _private_listener(self._address)
            except OSError as error:
                log.info("no socket can be made in %s (%s)", self._folder, _line(error))
        self._private = tempfile.TemporaryDirectory(prefix="classpulse-")
        self._address = str(Path(self._private.name) / _SOCKET)
        return _private_listener(self._address)

    def _close(self) -> None:
        with suppress(OSError):
            self._listener.close()
        if self._private is not None:
            self._private.cleanup()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection = self._listener.accept()
            except OSError:  # a caller that hung up at once; or no descriptor is left, which may pass
                self._closing.wait(0.05)
                continue
            # A thread for each, so that a caller who says nothing keeps nobody else waiting.
            threading.Thread(target=self._converse, args=(connection,), name="caller", daemon=True).start()

    def _converse(self, connection: Connection) -> None:
        with suppress(OSError, EOFError, AuthenticationError), connection:
            _prove_to(connection, self._key)
            while not self._closing.is_set():
                connection.send_bytes(_REPLY.dump_json(self._reply(connection.recv_bytes(_LONGEST))))

    def _reply(self, message: bytes) -> Reply:
        try:
            request = _REQUEST.validate_json(message)
        except ValidationError:
            return Reply({}, "this order is not understood; is the running Classpulse of another version?")
        try:
            return self._answer(request)
        except Exception as error:
            log.exception("an order could not be answered")
            return Reply({}, f"a fault of Classpulse ({type(error).__name__}); see its log")


_LONGEST = 1 << 20
_HELLO = b"classpulse 1"


def _prove_to(connection: Connection, key: bytes) -> None:
    """The caller shows that it could read the notice. Raises AuthenticationError."""
    if not connection.poll(ANSWER_S) or not secrets.compare_digest(connection.recv_bytes(1024), _HELLO + key):
        raise AuthenticationError("a caller did not know the key")


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
        order = _REQUEST.dump_json(request)
    except ValueError:
        raise ControlError("the order holds characters that are no text; expected UTF-8") from None
    try:
        with Client(notice.address) as connection:
            connection.send_bytes(_HELLO + bytes.fromhex(notice.key))
            connection.send_bytes(order)
            if not connection.poll(ANSWER_S):
                raise ControlError(
                    f"Classpulse (process {notice.pid}) has not answered for {ANSWER_S:g} s; see its log"
                )
            reply = _REPLY.validate_json(connection.recv_bytes(_LONGEST))
    except (OSError, EOFError) as error:
        if not notice.running or read_notice(folder) != notice:
            raise NobodyThere("Classpulse ended at this moment") from None
        raise ControlError(
            f"Classpulse (process {notice.pid}) cannot be reached ({_line(error)}); is it another user's?"
        ) from None
    if reply.error:
        raise ControlError(reply.error)
    return reply.body


def read_notice(folder: Path) -> Notice | None:
    """Who holds the folder, or None. The program may be gone: see ``Notice.running``."""
    try:
        return _NOTICES.validate_json((folder / _NOTICE).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    except PermissionError:
        raise ControlError(
            f"{folder / _NOTICE} belongs to another user; orders are taken from its owner alone"
        ) from None


def _private_listener(address: str) -> Listener:
    # The socket must not be open to others even for the moment between bind and chmod.
    before = os.umask(0o177)
    try:
        return Listener(address, backlog=16)
    finally:
        os.umask(before)


def _line(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__


def _write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
