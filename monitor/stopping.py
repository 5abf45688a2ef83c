"""Asking a session to end."""

from __future__ import annotations

import threading
from collections.abc import Callable

HURRY_S = 3.0
"""How long the last writes may take when a signal ends the program, so that with the sample at hand and the
source's closing it is gone within five seconds. A service manager kills what does not end in time."""


class StopRequest(threading.Event):
    """Set it to end a session. ``hurried`` says that a signal asked: what cannot be written within
    ``HURRY_S`` is given up then, and the next start closes the session. ``terminated``: it was not Ctrl-C, so
    nobody waits for a report. ``interruption``: why a live session is over before its time; empty where its
    end is what somebody wanted. ``on_set`` is called when it is set, where somebody waits for something else;
    a signal may interrupt anything, so it must not take a lock."""

    def __init__(self) -> None:
        super().__init__()
        self.hurried = False
        self.terminated = False
        self.interruption = ""
        self.on_set: Callable[[], None] = _nothing

    def set(self) -> None:
        """Ask."""
        super().set()
        self.on_set()


def _nothing() -> None:
    pass
