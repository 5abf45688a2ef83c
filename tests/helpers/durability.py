"""The promise that after a signal everything is written and the process gone within five seconds."""

from __future__ import annotations

import time

WITHIN_S = 5.0
_MEASUREMENT_S = 0.2


def in_time(took_s: float) -> bool:
    """Whether a shutdown of that duration is in time. The promise assumes a free CPU core; on a loaded
    machine the limit grows with its slowness."""
    return took_s < WITHIN_S or took_s < WITHIN_S * _slowness()


def _slowness() -> float:
    """Elapsed time divided by CPU time of a busy loop now."""
    started_s, cpu_started_s = time.monotonic(), time.thread_time()
    while time.thread_time() - cpu_started_s < _MEASUREMENT_S:
        pass
    return (time.monotonic() - started_s) / _MEASUREMENT_S
