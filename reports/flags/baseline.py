"""What is usual for one student: the level of earlier sessions that a flag is held against. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from db.records import EarlierShare


@dataclass(frozen=True)
class Baseline:
    """``share`` 0..1 is the median of the shares of ``session_count`` earlier sessions that had enough data."""

    share: float
    session_count: int


Baselines = Mapping[int, Mapping[str, Baseline]]
"""By student and kind of flag."""


FrozenBaselines = Mapping[tuple[int, str], Baseline | None]
"""By student and kind of flag; None where there was no usual level."""


def compute_baselines(earlier_shares: Iterable[EarlierShare]) -> Baselines:
    """Of each student and kind of flag, from the earlier sessions that had enough data."""
    shares: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in earlier_shares:
        shares[one.student_id][one.kind].append(one.estimate.share)
    return {
        student: {kind: level for kind, found in kinds.items() if (level := median_baseline(found))}
        for student, kinds in shares.items()
    }


def with_frozen_baselines(baselines: Baselines, frozen: FrozenBaselines) -> Baselines:
    """The levels, with those that are kept in place of what is told now."""
    joined = {student: dict(kinds) for student, kinds in baselines.items()}
    for (student, kind), level in frozen.items():
        kinds = joined.setdefault(student, {})
        kinds.pop(kind, None)
        if level is not None:
            kinds[kind] = level
    return joined


def median_baseline(shares: Sequence[float]) -> Baseline | None:
    """Of the shares of earlier sessions that had enough data; None without any. The median, so that
    one bad week is not yet usual."""
    return Baseline(median(shares), len(shares)) if shares else None


def require_sessions(baseline: Baseline | None, min_sessions: int) -> Baseline | None:
    """``baseline`` where it rests on at least ``session_count`` sessions, else None."""
    return baseline if baseline is not None and baseline.session_count >= min_sessions else None


def baseline_numbers(baseline: Baseline | None) -> dict[str, Any]:
    """As a verdict's record keeps it."""
    return {
        "baseline_share": None if baseline is None else baseline.share,
        "baseline_sessions": 0 if baseline is None else baseline.session_count,
    }
