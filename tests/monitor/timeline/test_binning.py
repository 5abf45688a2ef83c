from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.session.readings import MAX_PENDING_S
from monitor.timeline.binning import Binner
from monitor.types import HeadPose, Observation, UnreadableReason

HAPPY = (0.0, 0.0, 0.0, 0.9, 0.05, 0.0, 0.05)
SAD = (0.0, 0.0, 0.0, 0.1, 0.8, 0.0, 0.1)


def binner(bin_s: float = 5.0, keep_s: float = 15.0) -> Binner:
    return Binner(bin_s, lambda pose: abs(pose.yaw_deg) < 30, keep_s=keep_s)


def test_bin_counts_poses_of_samples_with_expression() -> None:
    b = binner()
    poses = [HeadPose(0, 0), HeadPose(2, -9), HeadPose(-20, 0), HeadPose(0, 1), HeadPose(0, None)]
    observations = [
        Observation(0, 0.5 * n, True, probabilities=SAD, head_pose=p) for n, p in enumerate(poses)
    ]
    observations.append(
        Observation(0, 2.5, True, unreadable_reason=UnreadableReason.HEAD_BOWED, head_pose=HeadPose(0, -40))
    )
    for o in observations:
        b.add_sample(o.media_s, 0.5)
        b.add(o)
    (bin_,) = b.bins().values()
    assert bin_.pose_counts == {"level": 2, "lowered": 1, "turned": 1}
    assert bin_.usable_samples == 5, "one of them without a known pose"
    assert bin_.unreadable_reasons == {"head bowed": 1}


def test_bin_ignores_undecided_facing() -> None:
    b = Binner(5.0, lambda pose: None if pose.pitch_deg is None else True)
    for n, pitch_deg in enumerate((0.0, None)):
        b.add_sample(0.5 * n, 0.5)
        b.add(
            Observation(
                0,
                0.5 * n,
                True,
                unreadable_reason=UnreadableReason.BLURRED,
                head_pose=HeadPose(10, pitch_deg),
            )
        )
    (bin_,) = b.bins().values()
    assert (bin_.pose_samples, bin_.facing_samples) == (1, 1)


def test_bin_sums_observed_and_absent_samples() -> None:
    b = binner()
    observations = [
        Observation(0, 0.0, True, probabilities=HAPPY, head_pose=HeadPose(10, 4), eyes_closed=False),
        Observation(0, 0.5, True, probabilities=SAD, head_pose=HeadPose(50, None), eyes_closed=True),
        Observation(0, 1.0, True, unreadable_reason=UnreadableReason.BLURRED),
        Observation(0, 1.5, False, unreadable_reason=UnreadableReason.ABSENT),
    ]
    for o in observations:
        b.add_sample(o.media_s, 0.5)
        assert b.add(o)
    (bin_,) = b.bins().values()
    assert (bin_.start_s, bin_.watched_s, bin_.seen_s) == (0.0, 2.0, 1.5)
    assert (bin_.samples, bin_.seen_samples, bin_.usable_samples) == (4, 3, 2)
    assert bin_.probabilities == pytest.approx([(h + s) / 2 for h, s in zip(HAPPY, SAD, strict=True)])
    assert bin_.unreadable_reasons == {"blurred": 1, "absent": 1}
    assert (bin_.pose_samples, bin_.facing_samples, bin_.yaw_deg, bin_.pitch_deg) == (2, 1, 30.0, 4.0)
    assert (bin_.eye_samples, bin_.closed_samples) == (2, 1)


def test_bin_without_usable_sample_has_no_probabilities() -> None:
    b = binner()
    b.add_sample(0.0, 0.5)
    b.add(Observation(0, 0.0, True, unreadable_reason=UnreadableReason.TOO_SMALL))
    assert next(iter(b.bins().values())).probabilities is None


def test_new_student_is_absent_in_earlier_bins() -> None:
    b = binner()
    for t in (0.0, 5.0):
        b.add_sample(t, 0.5)
    b.add(Observation(3, 5.0, True, probabilities=SAD))
    bins = b.bins()
    assert bins[3, 0.0].unreadable_reasons == {"absent": 1}
    assert bins[3, 0.0].seen_s == 0
    assert bins[3, 5.0].seen_s == 0.5


def test_add_after_bin_was_closed_returns_false() -> None:
    b = binner(keep_s=5.0)
    for t in (0.0, 5.0, 10.0):
        b.add_sample(t, 0.5)
    b.drop_old()
    assert not b.add(Observation(0, 0.0, True, probabilities=SAD))
    assert b.add(Observation(0, 5.0, True, probabilities=SAD))


@pytest.mark.parametrize("bin_s", [1.0, 5.0, 60.0])
def test_bins_stay_open_for_pending_observations(bin_s: float) -> None:
    b = Binner(bin_s, lambda pose: True)
    for i in range(200):
        b.add_sample(i * 0.5, 0.5)
        b.drop_old()
    assert b.add(Observation(0, 99.5 - MAX_PENDING_S, True, probabilities=SAD))


def test_add_without_sample_raises_key_error() -> None:
    b = binner()
    b.add_sample(0.0, 0.5)
    with pytest.raises(KeyError):
        b.add(Observation(0, 0.7, True, probabilities=SAD))


def test_student_with_two_faces_counts_once_per_sample() -> None:
    b = binner()
    b.add_sample(0.0, 0.5)
    b.add(Observation(0, 0.0, True, probabilities=SAD))
    b.add(Observation(0, 0.0, True, probabilities=HAPPY))
    (bin_,) = b.bins().values()
    assert (bin_.samples, bin_.seen_samples, bin_.usable_samples, bin_.seen_s) == (1, 1, 1, 0.5)
    assert bin_.probabilities == pytest.approx(SAD)


def test_drop_old_bounds_open_bins() -> None:
    b = binner(keep_s=15.0)
    for i in range(10_000):
        b.add_sample(i * 0.5, 0.5)
        b.drop_old()
    b.add(Observation(0, 4999.5, True, probabilities=SAD))
    assert len(b.bins()) == 4


@given(st.lists(st.sampled_from(["happy", "sad", "blurred", "absent"]), min_size=1, max_size=200))
def test_observations_are_neither_lost_nor_counted_twice(kinds: list[str]) -> None:
    b = binner(keep_s=1e9)
    for i, kind in enumerate(kinds):
        b.add_sample(i * 0.5, 0.5)
        attributes = {
            "happy": {"seen": True, "probabilities": HAPPY},
            "sad": {"seen": True, "probabilities": SAD},
            "blurred": {"seen": True, "unreadable_reason": UnreadableReason.BLURRED},
            "absent": {"seen": False, "unreadable_reason": UnreadableReason.ABSENT},
        }[kind]
        b.add(Observation(0, i * 0.5, **attributes))
    bins = list(b.bins().values())
    assert sum(x.samples for x in bins) == len(kinds)
    assert sum(x.usable_samples for x in bins) == kinds.count("happy") + kinds.count("sad")
    assert sum(x.unreadable_reasons.get("absent", 0) for x in bins) == kinds.count("absent")
    assert sum(x.watched_s for x in bins) == pytest.approx(len(kinds) * 0.5)
    assert all(x.usable_samples + sum(x.unreadable_reasons.values()) == x.samples for x in bins)
    assert all(x.probabilities is None or sum(x.probabilities) == pytest.approx(1) for x in bins)


def test_unobserved_student_is_not_watched() -> None:
    b = binner()
    b.add_sample(0.0, 1.0, observed_students=frozenset())
    b.add_sample(1.0, 1.0, observed_students=frozenset({0}))
    b.add_sample(2.0, 1.0, observed_students=frozenset({0, 1}))
    b.add_sample(3.0, 1.0, observed_students=frozenset())
    b.add(Observation(0, 1.0, True, probabilities=SAD))
    b.add(Observation(0, 2.0, False, unreadable_reason=UnreadableReason.ABSENT))
    # Seen before the student was assigned, which counts as watched.
    b.add(Observation(1, 0.0, True, probabilities=SAD))
    bins = b.bins()
    first, second = bins[0, 0.0], bins[1, 0.0]
    assert (first.samples, first.watched_s, first.seen_s, first.unreadable_reasons) == (
        2,
        2.0,
        1.0,
        {"absent": 1},
    )
    assert (second.samples, second.watched_s, second.seen_s, second.unreadable_reasons) == (
        2,
        2.0,
        1.0,
        {"absent": 1},
    )
