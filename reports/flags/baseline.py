"""A student's baseline: the usual share in earlier sessions, which a flag has to exceed. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from db.records import EarlierShare


@dataclass(frozen=True)
class Baseline:
    """``share`` 0..1: median over ``session_count`` earlier sessions with enough data."""

    share: float
    session_count: int


Baselines = Mapping[int, Mapping[str, Baseline]]
"""By student ID and flag kind."""

FrozenBaselines = Mapping[tuple[int, str], Baseline | None]
"""By (student ID, flag kind); None if the student had no baseline."""


def compute_baselines(earlier_shares: Iterable[EarlierShare]) -> Baselines:
    """The baselines of all students in ``earlier_shares``."""
    shares: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for earlier in earlier_shares:
        shares[earlier.student_id][earlier.kind].append(earlier.estimate.share)
    return {
        student_id: {kind: baseline for kind, own in kinds.items() if (baseline := median_baseline(own))}
        for student_id, kinds in shares.items()
    }


def with_frozen_baselines(baselines: Baselines, frozen: FrozenBaselines) -> Baselines:
    """``baselines`` with the frozen ones in place of the computed ones."""
    merged = {student_id: dict(kinds) for student_id, kinds in baselines.items()}
    for (student_id, kind), baseline in frozen.items():
        kinds = merged.setdefault(student_id, {})
        kinds.pop(kind, None)
        if baseline is not None:
            kinds[kind] = baseline
    return merged


def median_baseline(shares: Sequence[float]) -> Baseline | None:
    """The baseline of these shares; None without any. The median is robust against one exceptional week."""
    return Baseline(median(shares), len(shares)) if shares else None


def require_sessions(baseline: Baseline | None, min_sessions: int) -> Baseline | None:
    """``baseline`` if it rests on at least ``min_sessions`` sessions, else None."""
    return baseline if baseline is not None and baseline.session_count >= min_sessions else None


def baseline_numbers(baseline: Baseline | None) -> dict[str, Any]:
    """The baseline's part of ``FlagRecord.numbers``."""
    return {
        "baseline_share": None if baseline is None else baseline.share,
        "baseline_sessions": 0 if baseline is None else baseline.session_count,
    }
