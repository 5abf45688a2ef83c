"""Which process runs a session, and whether it still does."""

from __future__ import annotations

import os

import psutil


def current_process() -> tuple[int, float]:
    """This process's id and the time it started, seconds since the epoch."""
    return os.getpid(), psutil.Process().create_time()


def is_running(pid: int, started: float) -> bool:
    """Whether the process that had ``pid`` and started at ``started`` is still there.

    The start time tells it from a later process with the same id.
    """
    try:
        return bool(abs(psutil.Process(pid).create_time() - started) < 1.0)
    except psutil.Error:
        return False
