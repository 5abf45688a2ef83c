"""The promise of a signal: within five seconds everything is written and the program gone."""

from __future__ import annotations

import time

WITHIN_S = 5.0
LOOKED_S = 0.2


def in_time(took_s: float) -> bool:
    """Whether an end that took so long is in time. The promise is of a computer that has a core to spare: on
    one that has not, everything takes several times as long."""
    return took_s < WITHIN_S or took_s < WITHIN_S * _slowness()


def _slowness() -> float:
    """How many times longer than by itself something takes on this computer now."""
    began_s, worked_s = time.monotonic(), time.thread_time()
    while time.thread_time() - worked_s < LOOKED_S:
        pass
    return (time.monotonic() - began_s) / LOOKED_S
