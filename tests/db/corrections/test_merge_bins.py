"""Bins of one person who was recorded as several."""

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
    """A bin as a binner makes it: ten samples of half a second each."""
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


def never_seen() -> TimelineBin:
    return TimelineBin(1, 5.0, SAMPLES / 2, 0.0, SAMPLES, 0, 0, None, {ABSENT: SAMPLES})


def close(one: TimelineBin, other: TimelineBin) -> bool:
    exact = replace(one, probabilities=None, yaw_deg=None, pitch_deg=None)
    means = [(one.probabilities, other.probabilities), (one.yaw_deg, other.yaw_deg)]
    means.append((one.pitch_deg, other.pitch_deg))
    return exact == replace(other, probabilities=None, yaw_deg=None, pitch_deg=None) and all(
        left == right if left is None or right is None else left == pytest.approx(right)
        for left, right in means
    )


@given(parts())
def test_with_somebody_never_seen_it_is_the_same(one) -> None:
    assert merge_bins([one]) is one
    assert close(merge_bins([one, never_seen()]), one)
    assert close(merge_bins([never_seen(), one]), one)


@given(st.lists(parts(), min_size=2, max_size=4))
def test_what_a_bin_promises_still_holds(several) -> None:
    whole = merge_bins(several)
    assert whole.samples == SAMPLES
    assert 0 <= whole.usable_samples <= whole.seen_samples <= whole.samples
    assert 0 <= whole.facing_samples <= whole.pose_samples
    assert 0 <= whole.seen_s <= whole.watched_s == SAMPLES / 2
    assert whole.unreadable_reasons.get(ABSENT, 0) == whole.samples - whole.seen_samples
    assert (whole.probabilities is None) == (not any(one.usable_samples for one in several))
    if whole.probabilities is not None:
        assert sum(whole.probabilities) == pytest.approx(1)
        sad = [one.probabilities[4] for one in several if one.probabilities is not None]
        assert min(sad) - 1e-9 <= whole.probabilities[4] <= max(sad) + 1e-9
    assert close(merge_bins(several[::-1]), whole)


@given(
    st.lists(parts(), min_size=2, max_size=3).filter(lambda ps: sum(p.seen_samples for p in ps) <= SAMPLES)
)
def test_what_was_never_seen_together_is_summed(several) -> None:
    whole = merge_bins(several)
    for name in ("seen_s", "seen_samples", "usable_samples", "pose_samples", "facing_samples"):
        assert getattr(whole, name) == sum(getattr(one, name) for one in several)
    assert sum(whole.unreadable_reasons.values()) + whole.usable_samples == SAMPLES


def test_means_are_weighted() -> None:
    half = replace(never_seen(), seen_s=2.0, seen_samples=4, unreadable_reasons={ABSENT: 6})
    sad, happy = (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    one = replace(half, usable_samples=3, probabilities=sad, pose_samples=3, yaw_deg=30.0, pitch_deg=10.0)
    other = replace(half, usable_samples=1, probabilities=happy, pose_samples=1, yaw_deg=-10.0)
    whole = merge_bins([one, other])
    assert whole.probabilities == (0.0, 0.0, 0.0, 0.25, 0.75, 0.0, 0.0)
    assert (whole.yaw_deg, whole.pitch_deg) == (20.0, 10.0)
    assert (whole.seen_s, whole.unreadable_reasons) == (4.0, {ABSENT: 2})


def test_bins_come_by_person_and_time(a_bin) -> None:
    recorded = [a_bin(None, 0.0), *(a_bin(who, at_s) for who in (1, 2) for at_s in (0.0, 5.0, 10.0))]
    split = [Correction(CorrectionKind.SPLIT, 1, 7, 5.0), Correction(CorrectionKind.MERGE, 2, 7)]
    found = merge_bins_by_person(recorded, apply_corrections([1, 2], split))
    assert [(one.student_id, one.start_s) for one in found] == [
        (None, 0.0), (1, 0.0), (7, 0.0), (7, 5.0), (7, 10.0),
    ]  # fmt: skip
    assert found[:3] == [recorded[0], recorded[1], replace(recorded[4], student_id=7)]
    assert merge_bins_by_person(recorded, apply_corrections([1, 2], [])) == recorded


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3).map(lambda n: n * 5.0)), unique=True))
def test_no_sample_is_lost_or_doubled_by_any_split(keys) -> None:
    half = replace(never_seen(), seen_s=0.5, seen_samples=1, unreadable_reasons={ABSENT: 9})
    recorded = [replace(half, student_id=who, start_s=at_s) for who, at_s in keys]
    who = apply_corrections(
        [1, 2, 3], [Correction(CorrectionKind.SPLIT, 1, 2, 5.0), Correction(CorrectionKind.MERGE, 3, 2)]
    )
    found = merge_bins_by_person(recorded, who)
    assert sum(one.seen_samples for one in found) == len(recorded)
    assert len({(one.student_id, one.start_s) for one in found}) == len(found)


def test_both_at_once_is_longer_than_the_bin(a_bin) -> None:
    def seen(start_s: float, seen_s: float) -> TimelineBin:
        return replace(a_bin(1, start_s), seen_s=seen_s)

    first = [seen(0.0, 2.5), seen(5.0, 2.5), seen(10.0, 5.0), seen(15.0, 5.0)]
    second = [seen(0.0, 2.5), seen(5.0, 3.0), seen(10.0, 5.0), seen(20.0, 5.0)]
    assert find_simultaneous_bins(first, second) == [5.0, 10.0]
    assert find_simultaneous_bins(first, []) == []


def test_absent_is_the_monitors_absent() -> None:
    assert UnreadableReason.ABSENT.value == ABSENT
