"""Merging bins of one person who was recorded as several students."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.corrections.identity import apply_corrections
from db.corrections.merge_bins import ABSENT, find_simultaneous_bins, merge_bins, merge_bins_by_person
from db.records import Correction, CorrectionKind, TimelineBin
from monitor.types import UnreadableReason

SAMPLES = 10


@st.composite
def parts(draw: st.DrawFn) -> TimelineBin:
    """A valid bin of ten samples of half a second each."""
    seen = draw(st.integers(0, SAMPLES))
    usable = draw(st.integers(0, seen))
    poses = draw(st.integers(0, seen))
    sad = draw(st.floats(0, 1))
    reasons = {ABSENT: SAMPLES - seen, "blurred": seen - usable}
    return TimelineBin(
        student_id=1,
        start_s=5.0,
        watched_s=SAMPLES / 2,
        seen_s=seen / 2,
        samples=SAMPLES,
        seen_samples=seen,
        usable_samples=usable,
        probabilities=(0.0, 0.0, 0.0, 0.0, sad, 0.0, 1.0 - sad) if usable else None,
        unreadable_reasons={reason: number for reason, number in reasons.items() if number},
        pose_samples=poses,
        facing_samples=draw(st.integers(0, poses)),
        yaw_deg=draw(st.floats(-90, 90)) if poses else None,
        pitch_deg=draw(st.floats(-90, 90)) if poses else None,
    )


def unseen_bin() -> TimelineBin:
    return TimelineBin(1, 5.0, SAMPLES / 2, 0.0, SAMPLES, 0, 0, None, {ABSENT: SAMPLES})


def is_close(bin_: TimelineBin, other: TimelineBin) -> bool:
    exact = replace(bin_, probabilities=None, yaw_deg=None, pitch_deg=None)
    means = [(bin_.probabilities, other.probabilities), (bin_.yaw_deg, other.yaw_deg)]
    means.append((bin_.pitch_deg, other.pitch_deg))
    return exact == replace(other, probabilities=None, yaw_deg=None, pitch_deg=None) and all(
        left == right if left is None or right is None else left == pytest.approx(right)
        for left, right in means
    )


@given(parts())
def test_merge_with_an_unseen_bin_changes_nothing(bin_) -> None:
    assert merge_bins([bin_]) is bin_
    assert is_close(merge_bins([bin_, unseen_bin()]), bin_)
    assert is_close(merge_bins([unseen_bin(), bin_]), bin_)


@given(st.lists(parts(), min_size=2, max_size=4))
def test_merged_bin_keeps_the_invariants(bins) -> None:
    merged = merge_bins(bins)
    assert merged.samples == SAMPLES
    assert 0 <= merged.usable_samples <= merged.seen_samples <= merged.samples
    assert 0 <= merged.facing_samples <= merged.pose_samples
    assert 0 <= merged.seen_s <= merged.watched_s == SAMPLES / 2
    assert merged.unreadable_reasons.get(ABSENT, 0) == merged.samples - merged.seen_samples
    assert (merged.probabilities is None) == (not any(bin_.usable_samples for bin_ in bins))
    if merged.probabilities is not None:
        assert sum(merged.probabilities) == pytest.approx(1)
        sad = [bin_.probabilities[4] for bin_ in bins if bin_.probabilities is not None]
        assert min(sad) - 1e-9 <= merged.probabilities[4] <= max(sad) + 1e-9
    assert is_close(merge_bins(bins[::-1]), merged)


@given(
    st.lists(parts(), min_size=2, max_size=3).filter(lambda ps: sum(p.seen_samples for p in ps) <= SAMPLES)
)
def test_merge_of_disjoint_bins_sums(bins) -> None:
    merged = merge_bins(bins)
    for name in ("seen_s", "seen_samples", "usable_samples", "pose_samples", "facing_samples"):
        assert getattr(merged, name) == sum(getattr(bin_, name) for bin_ in bins)
    assert sum(merged.unreadable_reasons.values()) + merged.usable_samples == SAMPLES


def test_merge_weights_means_by_samples() -> None:
    half = replace(unseen_bin(), seen_s=2.0, seen_samples=4, unreadable_reasons={ABSENT: 6})
    sad, happy = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    bin_ = replace(half, usable_samples=3, probabilities=sad, pose_samples=3, yaw_deg=30.0, pitch_deg=10.0)
    other = replace(half, usable_samples=1, probabilities=happy, pose_samples=1, yaw_deg=-10.0)
    merged = merge_bins([bin_, other])
    assert merged.probabilities == (0.0, 0.0, 0.0, 0.25, 0.75, 0.0, 0.0)
    assert (merged.yaw_deg, merged.pitch_deg) == (20.0, 10.0)
    assert (merged.seen_s, merged.unreadable_reasons) == (4.0, {ABSENT: 2})


def test_merge_bins_by_person_order(make_bin) -> None:
    recorded = [
        make_bin(None, 0.0),
        *(make_bin(student, at_s) for student in (1, 2) for at_s in (0.0, 5.0, 10.0)),
    ]
    split = [Correction(CorrectionKind.SPLIT, 1, 7, 5.0), Correction(CorrectionKind.MERGE, 2, 7)]
    merged = merge_bins_by_person(recorded, apply_corrections([1, 2], split))
    assert [(bin_.student_id, bin_.start_s) for bin_ in merged] == [
        (None, 0.0), (1, 0.0), (7, 0.0), (7, 5.0), (7, 10.0),
    ]  # fmt: skip
    assert merged[:3] == [recorded[0], recorded[1], replace(recorded[4], student_id=7)]
    assert merge_bins_by_person(recorded, apply_corrections([1, 2], [])) == recorded


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3).map(lambda n: n * 5.0)), unique=True))
def test_merge_bins_by_person_keeps_every_sample(keys) -> None:
    half = replace(unseen_bin(), seen_s=0.5, seen_samples=1, unreadable_reasons={ABSENT: 9})
    recorded = [replace(half, student_id=student, start_s=at_s) for student, at_s in keys]
    identities = apply_corrections(
        [1, 2, 3], [Correction(CorrectionKind.SPLIT, 1, 2, 5.0), Correction(CorrectionKind.MERGE, 3, 2)]
    )
    merged = merge_bins_by_person(recorded, identities)
    assert sum(bin_.seen_samples for bin_ in merged) == len(recorded)
    assert len({(bin_.student_id, bin_.start_s) for bin_ in merged}) == len(merged)


def test_find_simultaneous_bins(make_bin) -> None:
    def seen(start_s: float, seen_s: float) -> TimelineBin:
        return replace(make_bin(1, start_s), seen_s=seen_s)

    first = [seen(0.0, 2.5), seen(5.0, 2.5), seen(10.0, 5.0), seen(15.0, 5.0)]
    second = [seen(0.0, 2.5), seen(5.0, 3.0), seen(10.0, 5.0), seen(20.0, 5.0)]
    assert find_simultaneous_bins(first, second) == [5.0, 10.0]
    assert find_simultaneous_bins(first, []) == []


def test_absent_constant_equals_unreadable_reason() -> None:
    assert UnreadableReason.ABSENT.value == ABSENT
