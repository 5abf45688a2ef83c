"""Identity of processes: which process runs a session, and whether it still runs."""

from __future__ import annotations

import functools
import os
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"

_BOOT_S = 1e8
"""More seconds than a computer stays up (three years)."""

_ENDED_STATES = frozenset("ZXx")
"""States of a process that has ended, in ``/proc/PID/stat`` (proc(5)): zombie, dead."""

_MAX_START_AGE_S = 120.0
"""An older start is not that of a command that is just beginning: a clock that was set, another time base."""

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
    if _boot_number() is not None:
        try:
            return abs(_start_time(pid) - started) < 1.0 and _linux_stat(pid)[0] not in _ENDED_STATES
        except OSError:
            return False
    import psutil

    try:
        return abs(_start_time(pid) - started) < 1.0 and not _is_zombie(pid)
    except (psutil.Error, OSError):
        return False


def lower_priority(pid: int) -> None:
    """Give a process of ours a lower priority than recordings have."""
    import psutil

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
        import psutil

        return float(psutil.Process(pid).create_time())
    return boot * _BOOT_S + _linux_start_s(pid)


def process_start() -> datetime:
    """When this process was started, aware UTC; the present time where that cannot be determined.

    On a busy computer seconds pass between the start of a command and its first line.
    """
    now, age_s = datetime.now(UTC), 0.0
    try:
        if _boot_number() is not None:
            age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - _linux_start_s(os.getpid())
        else:
            import psutil

            age_s = time.time() - psutil.Process().create_time()
    except (OSError, ValueError, IndexError, AttributeError, ImportError):
        return now
    return now - timedelta(seconds=age_s) if 0 < age_s < _MAX_START_AGE_S else now


def _linux_start_s(pid: int) -> float:
    """The start of a process, seconds since boot."""
    return int(_linux_stat(pid)[19]) / os.sysconf("SC_CLK_TCK")


def _linux_stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` from the state on (proc(5))."""
    # The name of the program, in parentheses, may contain spaces and parentheses.
    return (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()


@functools.cache
def _boot_number() -> int | None:
    """A number for the current boot, None where the system has no boot id. It is below 2**20, so that the sum
    with the seconds is exact to a few hundredths."""
    try:
        return int(_BOOT_ID.read_text("ascii")[:5], 16)
    except (OSError, ValueError):
        return None


def _is_zombie(pid: int) -> bool:
    import psutil

    return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
