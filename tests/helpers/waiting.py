"""Waiting for what another thread or program does. Patiently: only a test that fails waits to the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from monitor.daemon.control import daemon_status
from monitor.daemon.errors import ControlError

T = TypeVar("T")

PATIENCE_S = 180.0
"""Reports are made at low priority, so a busy machine takes a while."""


def wait_for(condition: Callable[[], T]) -> T:
    """What the condition gives, as soon as that counts as true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


def answers(folder: Path) -> bool:
    """Whether a program that records answers there; one that is busy with its start may not yet."""
    try:
        return daemon_status(folder) is not None
    except ControlError:
        return False
