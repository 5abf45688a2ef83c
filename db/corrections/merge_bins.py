"""Merging the bins of a person who was recorded as several students. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from db.corrections.identity import IdentityMap
from db.records import TimelineBin

ABSENT = "absent"
"""``monitor.types.UnreadableReason.ABSENT`` (a test compares them): the only reason that counts samples
without the student, so it cannot be summed."""

_ROUNDING_S = 1e-6  # of a sum of a few durations


def merge_bins_by_person(bins: Iterable[TimelineBin], identities: IdentityMap) -> list[TimelineBin]:
    """Recorded bins as bins of persons: one per person and ``start_s``, by person and time; bins of the
    whole class come first, unchanged."""
    parts: dict[tuple[bool, int, float], list[TimelineBin]] = defaultdict(list)
    for item in bins:
        if item.student_id is None:
            parts[False, 0, item.start_s].append(item)
        else:
            person = identities.person_at(item.student_id, item.start_s)
            own = item if person == item.student_id else replace(item, student_id=person)
            parts[True, person, item.start_s].append(own)
    return [merge_bins(parts[key]) for key in sorted(parts)]


def merge_bins(parts: Sequence[TimelineBin]) -> TimelineBin:
    """Bins of one person at one time as one bin; a single bin is returned unchanged.

    ``samples`` and ``watched_s`` are those of the session: the maximum. Seen time is the sum, because a
    person is at one place at a time, limited to the watched time; usable samples are limited to the seen
    ones. Probabilities are weighted with the usable samples, directions with the pose samples. Reasons are
    summed, except ``absent``: the samples that remain.
    """
    if len(parts) == 1:
        return parts[0]
    samples, watched_s = max(part.samples for part in parts), max(part.watched_s for part in parts)
    seen_samples = min(samples, sum(part.seen_samples for part in parts))
    usable_samples = min(seen_samples, sum(part.usable_samples for part in parts))
    return TimelineBin(
        student_id=parts[0].student_id,
        start_s=parts[0].start_s,
        watched_s=watched_s,
        seen_s=min(watched_s, sum(part.seen_s for part in parts)),
        samples=samples,
        seen_samples=seen_samples,
        usable_samples=usable_samples,
        probabilities=_mean_probabilities(parts),
        unreadable_reasons=_merge_unreadable_reasons(parts, samples - seen_samples),
        pose_samples=sum(part.pose_samples for part in parts),
        facing_samples=sum(part.facing_samples for part in parts),
        eye_samples=sum(part.eye_samples for part in parts),
        closed_samples=sum(part.closed_samples for part in parts),
        yaw_deg=_weighted_mean([(part.yaw_deg, part.pose_samples) for part in parts]),
        # The number of samples with a pitch is not stored; it is at most that with a yaw.
        pitch_deg=_weighted_mean([(part.pitch_deg, part.pose_samples) for part in parts]),
        student_count=max(part.student_count for part in parts),
        pose_counts=merge_pose_counts(parts, usable_samples),
    )


def find_simultaneous_bins(first: Iterable[TimelineBin], second: Iterable[TimelineBin]) -> list[float]:
    """The ``start_s`` of bins in which both were seen for longer together than the bin was watched, so they
    cannot be one person."""
    others = {bin_.start_s: bin_ for bin_ in second}
    pairs = [(bin_, others[bin_.start_s]) for bin_ in first if bin_.start_s in others]
    return sorted(
        bin_.start_s
        for bin_, other in pairs
        if bin_.seen_s + other.seen_s > max(bin_.watched_s, other.watched_s) + _ROUNDING_S
    )


def _mean_probabilities(parts: Sequence[TimelineBin]) -> tuple[float, ...] | None:
    usable = [(part.probabilities, part.usable_samples) for part in parts if part.probabilities is not None]
    total = sum(weight for _, weight in usable)
    if not total:
        return None
    columns = zip(*(values for values, _ in usable), strict=True)
    weights = [weight for _, weight in usable]
    return tuple(
        sum(value * weight for value, weight in zip(column, weights, strict=True)) / total
        for column in columns
    )


def _merge_unreadable_reasons(parts: Sequence[TimelineBin], absent: int) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    for part in parts:
        reasons.update(part.unreadable_reasons)
    is_known = reasons.pop(ABSENT, 0) > 0
    return dict(reasons) | ({ABSENT: absent} if is_known and absent else {})


def merge_pose_counts(parts: Iterable[TimelineBin], usable_samples: int) -> dict[str, int]:
    """The pose counts of all parts. Empty if they do not sum to the usable samples: a part has no stored
    poses, or parts overlap."""
    poses: Counter[str] = Counter()
    for part in parts:
        poses.update(part.pose_counts)
    return dict(poses) if poses.total() == usable_samples else {}


def _weighted_mean(values: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in values if value is not None and weight]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
