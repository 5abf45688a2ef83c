"""Bins of single students become bins of the whole class, for ``mode: aggregate``.

Pure. In that mode nothing about one student is stored. A figure of a bin is kept only if at least
``MIN_PEOPLE`` students are behind that figure: five in view of whom one could be read give no expression.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from db.combination import combined_poses
from db.records import TimelineBin

MIN_PEOPLE = 5
"""The least number of students behind a class figure. Five is a usual minimum cell size for
published statistics on pupils (US NCES SLDS Technical Brief 3, 2011, reports minima of 5 to 30)."""


def class_bin(bins: Iterable[TimelineBin]) -> TimelineBin:
    """One bin for the class from the students' bins of the same time.

    ``people`` counts the students seen; ``seen_s``, sample counts and reasons are sums over them;
    probabilities are weighted by usable samples, angles by samples with a pose. Raises ValueError
    when there are no bins or their times differ.
    """
    members = list(bins)
    if len({b.start_s for b in members}) != 1:
        raise ValueError(
            f"{len(members)} bins with starts {sorted({b.start_s for b in members})}; expected one"
        )
    seen = [b for b in members if b.seen_samples]
    usable = _enough([b for b in seen if b.probabilities is not None])
    posed = _enough([b for b in seen if b.pose_samples])
    eyed = _enough([b for b in seen if b.eye_samples])
    unknown: Counter[str] = Counter()
    for b in _enough(seen):
        unknown.update({reason: n for reason, n in b.unknown.items() if reason != "absent"})
    return TimelineBin(
        student_id=None,
        start_s=members[0].start_s,
        watched_s=max(b.watched_s for b in members),
        seen_s=sum(b.seen_s for b in seen),
        samples=max(b.samples for b in members),
        seen_samples=sum(b.seen_samples for b in seen),
        usable_samples=sum(b.usable_samples for b in usable),
        probabilities=_mean_probabilities(usable),
        unknown=dict(unknown),
        pose_samples=sum(b.pose_samples for b in posed),
        facing_samples=sum(b.facing_samples for b in posed),
        yaw_deg=_weighted([(b.yaw_deg, b.pose_samples) for b in posed]),
        pitch_deg=_weighted(_enough_pitches(posed)),
        eye_samples=sum(b.eye_samples for b in eyed),
        closed_samples=sum(b.closed_samples for b in eyed),
        people=len(seen),
        poses=combined_poses(usable, sum(b.usable_samples for b in usable)),
    )


def _enough(bins: list[TimelineBin]) -> list[TimelineBin]:
    """The bins, or none of them if they are of too few students."""
    return bins if len(bins) >= MIN_PEOPLE else []


def _enough_pitches(posed: list[TimelineBin]) -> list[tuple[float | None, int]]:
    pitched = _enough([b for b in posed if b.pitch_deg is not None])
    return [(b.pitch_deg, b.pose_samples) for b in pitched]


def _mean_probabilities(usable: list[TimelineBin]) -> tuple[float, ...] | None:
    if not usable:
        return None
    rows = np.array([b.probabilities for b in usable])
    return tuple(float(p) for p in np.average(rows, axis=0, weights=[b.usable_samples for b in usable]))


def _weighted(pairs: list[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in pairs if value is not None and weight]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
