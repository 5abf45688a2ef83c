"""What the recording of an online lesson asks: a private socket, on which the newest pictures are handed out.

Its owner alone can connect, and must know the key. ``monitor.sources.online`` is the other end.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection, Listener
from pathlib import Path

from pydantic import ValidationError

from monitor.runtime.ipc import MAX_SOCKET_PATH_BYTES, ConnectionServer
from monitor.sources.online import IMAGE_REQUEST_ADAPTER, PARTICIPANT_LIST_ADAPTER, ImageRequest, online_spec
from monitor.sources.participant_grid import ParticipantList

log = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 20_000

HANDSHAKE_TIMEOUT_S = 5.0
"""So long somebody who has connected may take to show the key."""

_SOCKET = "lesson.sock"

PollHandler = Callable[[ImageRequest], tuple[ParticipantList, list[bytes]]]
"""Must be thread-safe."""


class FrameServer:
    """Answers from its making until ``close``, in threads of its own. ``source_spec`` is what is to be recorded."""

    def __init__(self, folder: Path, handle_poll: PollHandler) -> None:
        self._handle_poll = handle_poll
        self._key = secrets.token_bytes(32)
        self._address, self._private_folder = _private_endpoint(folder)
        listener = Listener(self._address, backlog=8)
        if self._private_folder is not None:
            Path(self._address).chmod(0o600)
        self._connections = ConnectionServer(listener, self._serve_connection, "online")
        self._connections.start()

    @property
    def source_spec(self) -> str:
        """The source that gives this lesson's pictures; it holds the key."""
        return online_spec(self._address, self._key)

    def close(self) -> None:
        """Answer nothing more."""
        if self._connections.is_closing:
            return
        self._connections.close()
        if self._private_folder is not None:
            self._private_folder.cleanup()

    def _serve_connection(self, connection: Connection) -> None:
        with connection:
            try:
                if not self._authenticate(connection):
                    log.warning("somebody asked for an online lesson without its key")
                    return
                while not self._connections.is_closing:
                    if not connection.poll(1.0):
                        continue
                    request = IMAGE_REQUEST_ADAPTER.validate_json(connection.recv_bytes(MAX_REQUEST_BYTES))
                    attendance, frames = self._handle_poll(request)
                    connection.send_bytes(PARTICIPANT_LIST_ADAPTER.dump_json(attendance))
                    for jpeg in frames:
                        connection.send_bytes(jpeg)
            except (OSError, EOFError):
                pass  # it has ended, or a pause has closed it
            except ValidationError:
                log.warning("a question was not understood")

    def _authenticate(self, connection: Connection) -> bool:
        return connection.poll(HANDSHAKE_TIMEOUT_S) and secrets.compare_digest(
            connection.recv_bytes(1024), self._key
        )


def _private_endpoint(folder: Path) -> tuple[str, tempfile.TemporaryDirectory[str] | None]:
    """Where to listen, and the folder that was made for it, its owner's alone: in the data folder, elsewhere
    where that folder's path is too long for a socket. On Windows a named pipe."""
    if sys.platform == "win32":
        return rf"\\.\pipe\classpulse-online-{secrets.token_hex(8)}", None
    parent = folder.resolve()
    fits = len(os.fsencode(parent / "online-12345678" / _SOCKET)) <= MAX_SOCKET_PATH_BYTES
    private = tempfile.TemporaryDirectory(prefix="online-", dir=parent if fits else None)
    return str(Path(private.name) / _SOCKET), private
