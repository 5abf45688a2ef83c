"""Identity of processes: which process runs a session, and whether it still runs."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from pathlib import Path

import psutil

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"

_BOOT_S = 1e8
"""More seconds than a computer stays up (three years)."""

NICENESS = 10
"""Niceness of reports: recordings have priority."""


def current_process() -> tuple[int, float]:
    """The id of this process and a number for its start, as arguments of ``is_running``."""
    pid = os.getpid()
    return pid, _start_time(pid)


def is_running(pid: int, started: float) -> bool:
    """Whether the process with ``pid`` and start number ``started`` still runs.

    The start number distinguishes it from a later process with the same id. A zombie does not run.
    """
    try:
        return abs(_start_time(pid) - started) < 1.0 and not _is_zombie(pid)
    except (psutil.Error, OSError):
        return False


def lower_priority(pid: int) -> None:
    """Give a process of ours a lower priority than recordings have."""
    with suppress(psutil.Error):
        psutil.Process(pid).nice(NICENESS if psutil.POSIX else psutil.BELOW_NORMAL_PRIORITY_CLASS)


def _start_time(pid: int) -> float:
    """A number for the start of a process, in seconds.

    On Linux it is the time since boot plus an offset per boot: psutil computes the time since the epoch from
    the current wall clock, so it would change for every process when the clock is set. Other systems store
    the start time.
    """
    boot = _boot_number()
    if boot is None:
        return float(psutil.Process(pid).create_time())
    # The name of the program, in parentheses, may contain spaces and parentheses.
    fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return boot * _BOOT_S + int(fields[19]) / os.sysconf("SC_CLK_TCK")


@functools.cache
def _boot_number() -> int | None:
    """A number for the current boot, None where the system has no boot id. It is below 2**20, so that the sum
    with the seconds is exact to a few hundredths."""
    try:
        return int(_BOOT_ID.read_text("ascii")[:5], 16)
    except (OSError, ValueError):
        return None


def _is_zombie(pid: int) -> bool:
    return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
