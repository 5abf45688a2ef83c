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


KeptLevels = Mapping[tuple[int, str], Usual | None]
"""By student and kind of flag; None where there was no usual level."""


def usual_levels(earlier: Iterable[EarlierLevel]) -> UsualLevels:
    """Of each student and kind of flag, from the earlier sessions that had enough data."""
    shares: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in earlier:
        shares[one.student_id][one.kind].append(one.level.share)
    return {
        student: {kind: level for kind, found in kinds.items() if (level := usual_level(found))}
        for student, kinds in shares.items()
    }


def with_kept(levels: UsualLevels, kept: KeptLevels) -> UsualLevels:
    """The levels, with those that are kept in place of what is told now."""
    joined = {student: dict(kinds) for student, kinds in levels.items()}
    for (student, kind), level in kept.items():
        kinds = joined.setdefault(student, {})
        kinds.pop(kind, None)
        if level is not None:
            kinds[kind] = level
    return joined


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
