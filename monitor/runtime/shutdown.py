"""Asking a session to end.

Ctrl-C, SIGTERM and a closed terminal ask a session to end; they do not kill it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

IMMEDIATE_TIMEOUT_S = 3.0
"""How long the last writes may take when a signal ends the program, so that with the sample at hand and the
source's closing it is gone within five seconds. A service manager kills what does not end in time."""


class ShutdownRequest(threading.Event):
    """Set it to end a session. ``immediate`` says that a signal asked: what cannot be written within
    ``IMMEDIATE_TIMEOUT_S`` is given up then, and the next start closes the session. ``by_sigterm``: it was not Ctrl-C, so
    nobody waits for a report. ``reason``: why a live session is over before its time; empty where its
    end is what somebody wanted. ``on_set`` is called when it is set, where somebody waits for something else;
    a signal may interrupt anything, so it must not take a lock."""

    def __init__(self) -> None:
        super().__init__()
        self.immediate = False
        self.by_sigterm = False
        self.reason = ""
        self.on_set: Callable[[], None] = _nothing

    def set(self) -> None:
        """Ask."""
        super().set()
        self.on_set()


def _nothing() -> None:
    pass


_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""SIGHUP: the terminal was closed. Under nohup it is ignored, and stays so."""

_TERMINAL_SIGNALS = {one for one in _SIGNALS if one != signal.SIGTERM}


@contextmanager
def stop_on_signals() -> Iterator[ShutdownRequest]:
    """Within the block the first signal sets the event it gives, in a hurry; a second one interrupts as
    usual, in case the first could not be obeyed."""
    stop = ShutdownRequest()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def ask(number: int, _frame: FrameType | None) -> None:
        stop.immediate, stop.by_sigterm = True, number != signal.SIGINT
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in _SIGNALS:
        if number == signal.SIGINT or before[number] != signal.SIG_IGN:
            signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ignore_signals_in_children() -> Iterator[None]:
    """Processes that are started within the block hear neither Ctrl-C nor a closed terminal, from the first.

    Both go to every process of a terminal; whoever started them decides what they mean.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _TERMINAL_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
