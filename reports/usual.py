"""What is usual for one student: the level of earlier sessions that a flag is held against. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Usual:
    """``level`` 0..1 is the median of the shares of ``sessions`` earlier sessions that had enough data."""

    level: float
    sessions: int


UsualLevels = Mapping[int, Mapping[str, Usual]]
"""By student and kind of flag."""


def usual_level(shares: Sequence[float]) -> Usual | None:
    """Of the shares of earlier sessions that had enough data; None without any. The median, so that
    one bad week is not yet usual."""
    return Usual(median(shares), len(shares)) if shares else None


def known(usual: Usual | None, sessions: int) -> Usual | None:
    """``usual`` where it rests on at least ``sessions`` sessions, else None."""
    return usual if usual is not None and usual.sessions >= sessions else None


def as_numbers(usual: Usual | None) -> dict[str, Any]:
    """As a verdict's record keeps it."""
    return {
        "usual_share": None if usual is None else usual.level,
        "usual_sessions": 0 if usual is None else usual.sessions,
    }
