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
    samples, watched_s = max(one.samples for one in parts), max(one.watched_s for one in parts)
    seen_samples = min(samples, sum(one.seen_samples for one in parts))
    usable_samples = min(seen_samples, sum(one.usable_samples for one in parts))
    return TimelineBin(
        student_id=parts[0].student_id,
        start_s=parts[0].start_s,
        watched_s=watched_s,
        seen_s=min(watched_s, sum(one.seen_s for one in parts)),
        samples=samples,
        seen_samples=seen_samples,
        usable_samples=usable_samples,
        probabilities=_mean_probabilities(parts),
        unreadable_reasons=_merge_unreadable_reasons(parts, samples - seen_samples),
        pose_samples=sum(one.pose_samples for one in parts),
        facing_samples=sum(one.facing_samples for one in parts),
        eye_samples=sum(one.eye_samples for one in parts),
        closed_samples=sum(one.closed_samples for one in parts),
        yaw_deg=_weighted_mean([(one.yaw_deg, one.pose_samples) for one in parts]),
        # The number of samples with a pitch is not stored; it is at most that with a yaw.
        pitch_deg=_weighted_mean([(one.pitch_deg, one.pose_samples) for one in parts]),
        student_count=max(one.student_count for one in parts),
        pose_counts=merge_pose_counts(parts, usable_samples),
    )


def find_simultaneous_bins(first: Iterable[TimelineBin], second: Iterable[TimelineBin]) -> list[float]:
    """The ``start_s`` of bins in which both were seen for longer together than the bin was watched, so they
    cannot be one person."""
    others = {one.start_s: one for one in second}
    pairs = [(one, others[one.start_s]) for one in first if one.start_s in others]
    return sorted(
        one.start_s
        for one, other in pairs
        if one.seen_s + other.seen_s > max(one.watched_s, other.watched_s) + _ROUNDING_S
    )


def _mean_probabilities(parts: Sequence[TimelineBin]) -> tuple[float, ...] | None:
    usable = [(one.probabilities, one.usable_samples) for one in parts if one.probabilities is not None]
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
    for one in parts:
        reasons.update(one.unreadable_reasons)
    is_known = reasons.pop(ABSENT, 0) > 0
    return dict(reasons) | ({ABSENT: absent} if is_known and absent else {})


def merge_pose_counts(parts: Iterable[TimelineBin], usable_samples: int) -> dict[str, int]:
    """The pose counts of all parts. Empty if they do not sum to the usable samples: a part has no stored
    poses, or parts overlap."""
    poses: Counter[str] = Counter()
    for one in parts:
        poses.update(one.pose_counts)
    return dict(poses) if poses.total() == usable_samples else {}


def _weighted_mean(values: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in values if value is not None and weight]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
