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

from monitor.runtime.ipc import LONGEST_PATH, Callers
from monitor.sources.online import ASKED, ATTENDANCE, Asked, spec_of
from monitor.sources.participant_grid import Attendance

log = logging.getLogger(__name__)

MOST_QUESTION_BYTES = 20_000

HELLO_S = 5.0
"""So long somebody who has connected may take to show the key."""

_SOCKET = "lesson.sock"

Answer = Callable[[Asked], tuple[Attendance, list[bytes]]]
"""Must be thread-safe."""


class Feed:
    """Answers from its making until ``close``, in threads of its own. ``spec`` is what is to be recorded."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self._answer = answer
        self._key = secrets.token_bytes(32)
        self._address, self._private = _private_place(folder)
        listener = Listener(self._address, backlog=8)
        if self._private is not None:
            Path(self._address).chmod(0o600)
        self._callers = Callers(listener, self._talk, "online")
        self._callers.start()

    @property
    def spec(self) -> str:
        """The source that gives this lesson's pictures; it holds the key."""
        return spec_of(self._address, self._key)

    def close(self) -> None:
        """Answer nothing more."""
        if self._callers.closing:
            return
        self._callers.close()
        if self._private is not None:
            self._private.cleanup()

    def _talk(self, connection: Connection) -> None:
        with connection:
            try:
                if not self._knows_key(connection):
                    log.warning("somebody asked for an online lesson without its key")
                    return
                while not self._callers.closing:
                    if not connection.poll(1.0):
                        continue
                    asked = ASKED.validate_json(connection.recv_bytes(MOST_QUESTION_BYTES))
                    attendance, pictures = self._answer(asked)
                    connection.send_bytes(ATTENDANCE.dump_json(attendance))
                    for jpeg in pictures:
                        connection.send_bytes(jpeg)
            except (OSError, EOFError):
                pass  # it has ended, or a pause has closed it
            except ValidationError:
                log.warning("a question was not understood")

    def _knows_key(self, connection: Connection) -> bool:
        return connection.poll(HELLO_S) and secrets.compare_digest(connection.recv_bytes(1024), self._key)


def _private_place(folder: Path) -> tuple[str, tempfile.TemporaryDirectory[str] | None]:
    """Where to listen, and the folder that was made for it, its owner's alone: in the data folder, elsewhere
    where that folder's path is too long for a socket. On Windows a named pipe."""
    if sys.platform == "win32":
        return rf"\\.\pipe\classpulse-online-{secrets.token_hex(8)}", None
    parent = folder.resolve()
    fits = len(os.fsencode(parent / "online-12345678" / _SOCKET)) <= LONGEST_PATH
    private = tempfile.TemporaryDirectory(prefix="online-", dir=parent if fits else None)
    return str(Path(private.name) / _SOCKET), private
