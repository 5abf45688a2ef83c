"""The private socket on which the recorder of an online lesson polls the participants' latest frames.

Only the same user can connect, and needs the key. The client is ``monitor.sources.online``.
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
"""A client must send the key within this time."""

_SOCKET = "lesson.sock"

PollHandler = Callable[[ImageRequest], tuple[ParticipantList, list[bytes]]]
"""Answers a poll with the participants and their new JPEG frames. Must be thread-safe."""


class FrameServer:
    """Answers polls in threads from construction until ``close``. ``source_spec``: the source for the
    recorder."""

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
        """The source with this lesson's frames; it contains the key."""
        return online_spec(self._address, self._key)

    def close(self) -> None:
        """Close all connections."""
        if self._connections.is_closing:
            return
        self._connections.close()
        if self._private_folder is not None:
            self._private_folder.cleanup()

    def _serve_connection(self, connection: Connection) -> None:
        with connection:
            try:
                if not self._authenticate(connection):
                    log.warning("a client polled an online lesson without its key")
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
                pass  # the recorder has ended or closed the connection during a pause
            except ValidationError:
                log.warning("an invalid poll of an online lesson was rejected")

    def _authenticate(self, connection: Connection) -> bool:
        return connection.poll(HANDSHAKE_TIMEOUT_S) and secrets.compare_digest(
            connection.recv_bytes(1024), self._key
        )


def _private_endpoint(folder: Path) -> tuple[str, tempfile.TemporaryDirectory[str] | None]:
    """The address to listen on, and the private folder created for it: in the data folder or, if its path is
    too long for a socket, in the temporary folder. On Windows a named pipe and None."""
    if sys.platform == "win32":
        return rf"\\.\pipe\classpulse-online-{secrets.token_hex(8)}", None
    parent = folder.resolve()
    fits = len(os.fsencode(parent / "online-12345678" / _SOCKET)) <= MAX_SOCKET_PATH_BYTES
    private = tempfile.TemporaryDirectory(prefix="online-", dir=parent if fits else None)
    return str(Path(private.name) / _SOCKET), private
