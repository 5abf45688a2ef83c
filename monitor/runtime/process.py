"""Which process runs a session, and whether it still does."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from pathlib import Path

import psutil

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
_BOOT_S = 1e8
"""More seconds than a machine stays up (three years)."""


def current_process() -> tuple[int, float]:
    """This process's id, and a number of when it started, to be held against by ``is_running``."""
    pid = os.getpid()
    return pid, _start_time(pid)


def is_running(pid: int, started: float) -> bool:
    """Whether the process that had ``pid`` and started at ``started`` is still there.

    The start tells it from a later process with the same id. One that has ended and whom its parent has not
    asked about yet is not there.
    """
    try:
        return abs(_start_time(pid) - started) < 1.0 and not _is_zombie(pid)
    except (psutil.Error, OSError):
        return False


def _start_time(pid: int) -> float:
    """When a process started: on Linux the time since the machine did, with a number of that start of the
    machine. The time since the epoch that psutil gives there is reckoned from the wall clock of the moment it
    is asked: after the clock was set, every process would be another. Elsewhere the system keeps it."""
    boot = _boot_number()
    if boot is None:
        return float(psutil.Process(pid).create_time())
    # The name of the program, in brackets, may hold spaces and brackets itself.
    fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return boot * _BOOT_S + int(fields[19]) / os.sysconf("SC_CLK_TCK")


@functools.cache
def _boot_number() -> int | None:
    """A number of this start of the machine, below 2**20, so that with the seconds the sum is exact to a few
    hundredths; None where there is none."""
    try:
        return int(_BOOT_ID.read_text("ascii")[:5], 16)
    except (OSError, ValueError):
        return None


def _is_zombie(pid: int) -> bool:
    return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def lower_priority(pid: int) -> None:
    """Give a process of ours a lower priority than recordings have."""
    with suppress(psutil.Error):
        psutil.Process(pid).nice(NICENESS if psutil.POSIX else psutil.BELOW_NORMAL_PRIORITY_CLASS)


NICENESS = 10
"""A report waits for the recordings, not they for it."""
