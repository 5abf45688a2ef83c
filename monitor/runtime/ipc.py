"""A server for local sockets with one thread per client."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener

MAX_SOCKET_PATH_BYTES = 100
"""Bytes of the path of a Unix socket: kernels allow 104 to 108 including the terminating zero."""

_ACCEPT_RETRY_S = 0.05
"""Pause after a failed accept: without free file descriptors, an immediate retry would only use CPU."""


class ConnectionServer:
    """Accepts connections on ``listener`` from :meth:`start` to :meth:`close`.

    ``handle`` is called with each connection in a thread of its own, so that a silent client does not block
    others; it should check ``is_closing`` between messages.
    """

    def __init__(self, listener: Listener, handle: Callable[[Connection], None], name: str) -> None:
        self._listener, self._address = listener, listener.address
        self._handle = handle
        self._name = name
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept_loop, name=name, daemon=True)

    @property
    def is_closing(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closing.is_set()

    def start(self) -> None:
        """Start to accept connections."""
        self._thread.start()

    def close(self) -> bool:
        """Stop accepting. Returns False if the socket no longer exists: no client can connect, and the
        accepting thread remains blocked."""
        self._closing.set()
        was_woken = True
        if self._thread.is_alive():
            try:
                Client(self._address).close()  # unblocks accept()
            except OSError:
                was_woken = False
            else:
                self._thread.join()
        with suppress(OSError):
            self._listener.close()
        return was_woken

    def _accept_loop(self) -> None:
        while not self.is_closing:
            try:
                connection = self._listener.accept()
            except OSError:  # the client disconnected at once, or no file descriptor is free
                self._closing.wait(_ACCEPT_RETRY_S)
                continue
            threading.Thread(
                target=self._handle, args=(connection,), name=f"{self._name} client", daemon=True
            ).start()


def error_line(error: Exception) -> str:
    """The message of an error on one line; the system's text for an OSError."""
    return " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__
