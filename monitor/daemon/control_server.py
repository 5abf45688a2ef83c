"""Server of the daemon: answers requests over a local socket.

It is a Unix socket, on Windows a named pipe. Only their owner can access folder, socket and ``control.json``.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from monitor.daemon.control import (
    ANSWER_TIMEOUT_S,
    ENDPOINT_FILE,
    GREETING,
    MAX_MESSAGE_BYTES,
    REPLY_ADAPTER,
    REQUEST_ADAPTER,
    Endpoint,
    Reply,
    Request,
)
from monitor.daemon.errors import DataDirNotWritable, ErrorReply, InvalidRequest, internal_error
from monitor.runtime.files import write_private
from monitor.runtime.ipc import MAX_SOCKET_PATH_BYTES, ConnectionServer, error_line
from monitor.runtime.process import current_process

log = logging.getLogger(__name__)

_SOCKET = "control.sock"


class ControlServer:
    """Answers requests with ``answer`` within the block. The process must hold the ``DataDirLock`` of
    ``folder``.

    ``answer`` must be thread-safe: each client has its own thread. Raises DataDirNotWritable.
    """

    def __init__(self, folder: Path, answer: Callable[[Request], Reply]) -> None:
        self._folder = folder
        self._answer = answer
        self._key = secrets.token_bytes(32)
        self._private: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._server = ConnectionServer(self._listen(), self._serve_connection, "control")
        pid, started = current_process()
        try:
            write_private(
                self._folder / ENDPOINT_FILE,
                json.dumps(asdict(Endpoint(pid, started, self._address, self._key.hex()))),
            )
        except OSError as error:
            self._close()
            raise DataDirNotWritable(
                f"{self._folder / ENDPOINT_FILE} cannot be written ({error_line(error)}).",
                "Give its folder write permission and space.",
            ) from None
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the folder may have been removed or made read-only
            (self._folder / ENDPOINT_FILE).unlink(missing_ok=True)
        if not self._close():
            log.warning("the control socket was removed; no request can be answered")

    def _listen(self) -> Listener:
        """Listen in the data folder; in a private temporary folder if that path is too long for a socket or
        its file system has no sockets (a memory stick, a network share)."""
        if sys.platform == "win32":
            self._address = rf"\\.\pipe\classpulse-{secrets.token_hex(8)}"
            return Listener(self._address, backlog=16)
        path = self._folder.resolve() / _SOCKET
        if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
            try:
                path.unlink(missing_ok=True)  # left by a killed process; this one holds the lock
                self._address = str(path)
                return _private_listener(self._address)
            except OSError as error:
                log.info("no socket can be created in %s (%s)", self._folder, error_line(error))
        self._private = tempfile.TemporaryDirectory(prefix="classpulse-")
        self._address = str(Path(self._private.name) / _SOCKET)
        return _private_listener(self._address)

    def _close(self) -> bool:
        was_woken = self._server.close()
        if self._private is not None:
            self._private.cleanup()
        return was_woken

    def _serve_connection(self, connection: Connection) -> None:
        with suppress(OSError, EOFError, AuthenticationError), connection:
            _authenticate(connection, self._key)
            while not self._server.is_closing:
                connection.send_bytes(
                    REPLY_ADAPTER.dump_json(self._reply(connection.recv_bytes(MAX_MESSAGE_BYTES)))
                )

    def _reply(self, message: bytes) -> Reply:
        try:
            request = REQUEST_ADAPTER.validate_json(message)
        except ValidationError:
            error = InvalidRequest("Unknown request.", "The running Classpulse may be a different version.")
            return Reply({}, ErrorReply.of(error))
        try:
            return self._answer(request)
        except Exception as error:
            log.exception("a request failed")
            return Reply({}, ErrorReply.of(internal_error(error)))


def _authenticate(connection: Connection, key: bytes) -> None:
    """Check that the client could read ``control.json``. Raises AuthenticationError."""
    if not connection.poll(ANSWER_TIMEOUT_S) or not secrets.compare_digest(
        connection.recv_bytes(1024), GREETING + key
    ):
        raise AuthenticationError("a client sent a wrong key")


def _private_listener(address: str) -> Listener:
    # The socket must not be open to others, not even between bind and chmod.
    previous = os.umask(0o177)
    try:
        return Listener(address, backlog=16)
    finally:
        os.umask(previous)
