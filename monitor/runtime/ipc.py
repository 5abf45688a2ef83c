"""Those who call at a local socket, each talked with in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener

_ACCEPT_RETRY_S = 0.05
"""Where no descriptor is left, which may pass, trying again at once would only take the core as well."""


class ConnectionServer:
    """Takes the calls at ``listener`` from :meth:`start` to :meth:`close`. ``handle`` is called with each, in a
    thread that is the caller's own, so that one who says nothing keeps nobody else waiting; it should look
    now and then whether this is ``is_closing``."""

    def __init__(self, listener: Listener, handle: Callable[[Connection], None], name: str) -> None:
        self._listener, self._address = listener, listener.address
        self._handle = handle
        self._name = name
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept_loop, name=name, daemon=True)

    @property
    def is_closing(self) -> bool:
        """Whether no more is to be said."""
        return self._closing.is_set()

    def start(self) -> None:
        """Take calls from now on."""
        self._thread.start()

    def close(self) -> bool:
        """Take no more. False where the socket is gone: then nobody could call any more, and the thread that
        waits for them stays behind."""
        self._closing.set()
        woken = True
        if self._thread.is_alive():
            try:
                Client(self._address).close()  # wakes it from its accept
            except OSError:
                woken = False
            else:
                self._thread.join()
        with suppress(OSError):
            self._listener.close()
        return woken

    def _accept_loop(self) -> None:
        while not self.is_closing:
            try:
                connection = self._listener.accept()
            except OSError:  # a caller that hung up at once; or no descriptor is left
                self._closing.wait(_ACCEPT_RETRY_S)
                continue
            threading.Thread(
                target=self._handle, args=(connection,), name=f"{self._name} caller", daemon=True
            ).start()


def error_line(error: Exception) -> str:
    """What went wrong, in one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__


MAX_SOCKET_PATH_BYTES = 100
"""Bytes of a Unix socket's path: the kernels hold 104 to 108 with the closing zero."""
