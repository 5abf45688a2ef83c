"""Those who call at a local socket, each talked with in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener

_BREATH_S = 0.05
"""Where no descriptor is left, which may pass, trying again at once would only take the core as well."""


class Callers:
    """Takes the calls at ``listener`` from :meth:`start` to :meth:`close`. ``talk`` is called with each, in a
    thread that is the caller's own, so that one who says nothing keeps nobody else waiting; it should look
    now and then whether this is ``closing``."""

    def __init__(self, listener: Listener, talk: Callable[[Connection], None], name: str) -> None:
        self._listener, self._address = listener, listener.address
        self._talk = talk
        self._name = name
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._take, name=name, daemon=True)

    @property
    def closing(self) -> bool:
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

    def _take(self) -> None:
        while not self.closing:
            try:
                connection = self._listener.accept()
            except OSError:  # a caller that hung up at once; or no descriptor is left
                self._closing.wait(_BREATH_S)
                continue
            threading.Thread(
                target=self._talk, args=(connection,), name=f"{self._name} caller", daemon=True
            ).start()


def line_of(error: Exception) -> str:
    """What went wrong, in one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__


LONGEST_PATH = 100
"""Bytes of a Unix socket's path: the kernels hold 104 to 108 with the closing zero."""
