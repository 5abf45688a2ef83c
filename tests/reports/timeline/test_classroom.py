from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.records import TimelineBin
from model.emotions import Emotion
from reports.timeline.classroom import aggregate_timeline, class_timeline
from reports.timeline.student import build_session_grid, build_student_timelines

scripts = st.lists(st.text(alphabet="adfhsun.?<", min_size=6, max_size=6), min_size=1, max_size=8)


@settings(max_examples=40)
@given(scripts=scripts)
def test_class_mean_lies_between_students(lessons, scripts):
    lines = lessons.timelines(*scripts)
    whole = class_timeline(lines, lines[0].grid)
    stacked = np.array([line.probabilities for line in lines])
    for b in range(6):
        known = ~np.isnan(stacked[:, b, 0])
        assert whole.students_usable[b] == known.sum()
        if not known.any():
            assert np.isnan(whole.probabilities[b]).all()
            continue
        assert (whole.probabilities[b] >= stacked[known, b].min(axis=0) - 1e-9).all()
        assert (whole.probabilities[b] <= stacked[known, b].max(axis=0) + 1e-9).all()
        assert whole.probabilities[b].sum() == pytest.approx(1)


def test_class_timeline_values(lessons):
    lines = lessons.timelines("ns.<", "n?..", "n...", "h...")
    whole = class_timeline(lines, lines[0].grid)
    assert whole.student_count == 4
    assert whole.students_seen.tolist() == [4, 2, 0, 1]
    assert whole.seen_share.tolist() == [1, 0.5, 0, 0.25]
    assert whole.facing_share[:2].tolist() == [1, 1]
    assert np.isnan(whole.facing_share[2])
    assert whole.facing_share[3] == 0
    assert whole.probabilities[1, Emotion.SAD] == pytest.approx(0.7)


def test_class_mean_is_weighted_by_usable_time(lessons):
    full = lessons.bin(1, 0, "n")
    brief = TimelineBin(2, 0.0, 5.0, 5.0, 10, 10, 1, lessons.probabilities("sad", 1.0), {"blurred": 9})
    lines = build_student_timelines(lessons.session(1), lessons.students(2), [full, brief])
    whole = class_timeline(lines, lines[0].grid)
    assert whole.probabilities[0, Emotion.SAD] == pytest.approx((0.05 * 5 + 1.0 * 0.5) / 5.5)


def test_class_timeline_without_students(lessons):
    grid = build_session_grid(lessons.session(3), [])
    whole = class_timeline([], grid)
    assert whole.student_count == 0
    assert np.isnan(whole.seen_share).all()
    assert whole.probabilities.shape == (3, 7)


def test_class_timeline_gap_is_unknown(lessons):
    session = lessons.session(3, watched_s=10.0)
    lines = build_student_timelines(session, lessons.students(1), lessons.bins(["n n"]))
    whole = class_timeline(lines, lines[0].grid)
    assert np.isnan(whole.seen_share).tolist() == [False, True, False]


@given(people=st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_aggregate_never_shows_fewer_than_five(lessons, people):
    whole = aggregate_timeline(lessons.session(len(people)), lessons.aggregate(people))
    few = np.array(people) < 5
    for curve in (whole.probabilities[:, 0], whole.facing_share, whole.seen_share, whole.head_pose_share):
        np.testing.assert_array_equal(np.isnan(curve), few)
    assert (whole.students_usable[few] == 0).all()
    assert whole.student_count == max(people)
    if not few.all():
        assert np.nanmax(whole.seen_share) == 1


def test_aggregate_ignores_bins_of_students(lessons):
    rows = lessons.aggregate([6, 6]) + lessons.bins(["ss"])
    whole = aggregate_timeline(lessons.session(2), rows)
    assert whole.probabilities[:, Emotion.NEUTRAL].tolist() == pytest.approx([0.7, 0.7])


def test_class_means_over_session(lessons):
    lines = lessons.timelines("ns", "n.")
    whole = class_timeline(lines, lines[0].grid)
    shares = whole.expression_shares
    assert sum(shares.values()) == pytest.approx(1)
    assert shares[Emotion.NEUTRAL] == pytest.approx((2 * 0.7 + 0.05) / 3)
    assert whole.mean_seen_share == pytest.approx(0.75)
    assert whole.mean_facing_share == 1


def test_class_means_without_data_are_none(lessons):
    lines = lessons.timelines("...")
    whole = class_timeline(lines, lines[0].grid)
    assert whole.expression_shares == {}
    assert whole.mean_facing_share is None
    assert whole.mean_seen_share == 0


def test_head_shares_values(lessons):
    lines = lessons.timelines("b<?.", "bb..")
    whole = class_timeline(lines, lines[0].grid)
    assert whole.head_shares.tolist() == [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1]]


@given(scripts=scripts)
def test_head_shares_sum_to_one(lessons, scripts):
    lines = lessons.timelines(*scripts)
    np.testing.assert_allclose(class_timeline(lines, lines[0].grid).head_shares.sum(axis=1), 1)


def test_closed_share_counts_known_eye_states_only(lessons):
    lines = lessons.timelines("bzz?", "bzn?")
    shut = class_timeline(lines, lines[0].grid).closed_share
    assert shut[:3].tolist() == [0, 1, 1]
    assert np.isnan(shut[3])


def test_head_shares_of_aggregate(lessons):
    whole = aggregate_timeline(lessons.session(3), lessons.aggregate([10, 5, 4], "z"))
    assert whole.head_shares[:2].tolist() == [[1, 0, 0, 0], [0.5, 0, 0, 0.5]]
    assert np.isnan(whole.head_shares[2]).all()
    assert whole.closed_share[0] == 1
    assert np.isnan(whole.closed_share[2])


def test_face_shares_values(lessons):
    lines = lessons.timelines("n?.", "s..")
    shares = class_timeline(lines, lines[0].grid).face_shares
    means = [line.probabilities for line in lines]
    np.testing.assert_allclose(shares[0, :7], (means[0][0] + means[1][0]) / 2)
    assert shares[:, 7].tolist() == [0, 0.5, 0], "seen, not readable"
    assert shares[:, 8].tolist() == [0, 0.5, 1], "not seen"


@given(scripts=scripts)
def test_face_shares_sum_to_one(lessons, scripts):
    lines = lessons.timelines(*scripts)
    np.testing.assert_allclose(class_timeline(lines, lines[0].grid).face_shares.sum(axis=1), 1)


def test_face_shares_of_aggregate(lessons):
    shares = aggregate_timeline(lessons.session(3), lessons.aggregate([10, 5, 4], "n")).face_shares
    assert shares[0, 7:].tolist() == [0, 0]
    assert shares[1, 7:].tolist() == [0, 0.5]
    assert np.isnan(shares[2]).all()
