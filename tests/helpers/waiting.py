"""Waiting for other threads and processes. Only a failing test waits for the whole time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from monitor.daemon.control import daemon_status
from monitor.daemon.errors import ControlError

T = TypeVar("T")

PATIENCE_S = 600.0
"""Long, because reports are generated at low priority and the machine may be loaded: beside twelve busy
processes a report took more than three minutes."""


def wait_for(condition: Callable[[], T]) -> T:
    """The first true value of the condition."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"no result within {PATIENCE_S:g} s"
        time.sleep(0.02)
    return value


def answers(folder: Path) -> bool:
    """Whether a daemon answers in that folder. One that is starting may not answer yet."""
    try:
        return daemon_status(folder) is not None
    except ControlError:
        return False
