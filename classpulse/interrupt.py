"""Ctrl-C, SIGTERM and a closed terminal ask a session to end; they do not kill it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from monitor.stopping import StopRequest

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
"""SIGHUP: the terminal was closed. Under nohup it is ignored, and stays so."""


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Within the block the first signal sets the event it gives, in a hurry; a second one interrupts as
    usual, in case the first could not be obeyed."""
    stop = StopRequest()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def ask(number: int, _frame: FrameType | None) -> None:
        stop.hurried, stop.terminated = True, number != signal.SIGINT
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
