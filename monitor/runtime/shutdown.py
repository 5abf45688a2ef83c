"""Requests to end a session: Ctrl-C, SIGTERM and a closed terminal request a shutdown instead of killing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

IMMEDIATE_TIMEOUT_S = 3.0
"""Time for the last writes after a signal: with the current frame and the closing of the source the program
ends within five seconds. A service manager kills a program that takes longer."""


class ShutdownRequest(threading.Event):
    """Set to end a session.

    Attributes:
        immediate: a signal requested it. Data that cannot be written within ``IMMEDIATE_TIMEOUT_S`` is
            dropped, and the next start closes the session.
        by_sigterm: the signal was not Ctrl-C, so no user waits for a report.
        reason: why a live session ends early; empty for an intended end.
        on_set: called by :meth:`set`, to wake a thread that waits for something else. A signal may interrupt
            any code, so it must not take a lock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.immediate = False
        self.by_sigterm = False
        self.reason = ""
        self.on_set: Callable[[], None] = _nothing

    def set(self) -> None:
        """Request the shutdown."""
        super().set()
        self.on_set()


def _nothing() -> None:
    pass


_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""SIGHUP: the terminal was closed. Under nohup it is ignored and stays ignored."""

_TERMINAL_SIGNALS = {number for number in _SIGNALS if number != signal.SIGTERM}


@contextmanager
def stop_on_signals() -> Iterator[ShutdownRequest]:
    """Within the block, the first signal sets the yielded request as immediate; a second one has its default
    effect, in case the first could not be handled."""
    stop = ShutdownRequest()
    previous = {number: signal.getsignal(number) for number in _SIGNALS}

    def request(number: int, _frame: FrameType | None) -> None:
        stop.immediate, stop.by_sigterm = True, number != signal.SIGINT
        stop.set()
        signal.signal(number, previous[signal.Signals(number)])

    for number in _SIGNALS:
        if number == signal.SIGINT or previous[number] != signal.SIG_IGN:
            signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def ignore_signals_in_children() -> Iterator[None]:
    """Processes started within the block ignore Ctrl-C and a closed terminal from their start.

    A terminal sends both to all its processes; the parent alone decides what they mean.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, _TERMINAL_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
