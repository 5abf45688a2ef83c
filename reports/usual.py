"""What is usual for one student: the level of earlier sessions that a flag is held against. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from db.records import EarlierLevel


@dataclass(frozen=True)
class Usual:
    """``level`` 0..1 is the median of the shares of ``sessions`` earlier sessions that had enough data."""

    level: float
    sessions: int


UsualLevels = Mapping[int, Mapping[str, Usual]]
"""By student and kind of flag."""


def usual_levels(earlier: Iterable[EarlierLevel]) -> UsualLevels:
    """Of each student and kind of flag, from the earlier sessions that had enough data."""
    shares: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in earlier:
        shares[one.student_id][one.kind].append(one.level.share)
    return {
        student: {kind: level for kind, found in kinds.items() if (level := usual_level(found))}
        for student, kinds in shares.items()
    }


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
