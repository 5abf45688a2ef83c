from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.timeline.attention import MIN_MINUTE_SAMPLES, MinuteValue, attention_series
from reports.timeline.student import build_student_timelines


@pytest.fixture(scope="session")
def channel(lessons):
    """The channel of one student of bins of five seconds with ten samples, given what each bin has of
    head and eyes: yaw, pitch, share of samples facing, shut samples of ten (None: not judged)."""

    def make(rows, bin_s=5.0):
        bins = []
        for index, (yaw_deg, pitch_deg, facing, shut) in enumerate(rows):
            row = lessons.bin(1, index, "." if yaw_deg is None else "b", bin_s)
            judged = {"eye_samples": 0 if shut is None else 10, "closed_samples": shut or 0}
            values = {"yaw_deg": yaw_deg, "pitch_deg": pitch_deg} | judged
            if yaw_deg is not None:
                values["facing_samples"] = round(facing * row.pose_samples)
            bins.append(replace(row, **values))
        session = lessons.session(len(rows), bin_s, mode="behaviour")
        return attention_series(build_student_timelines(session, lessons.students(1), bins)[0])

    return make


LEVEL = (5.0, -10.0, 1.0, 0)
AWAY = (45.0, -10.0, 0.0, 0)
BOWED = (5.0, -40.0, 0.0, None)
ASLEEP = (5.0, -10.0, 1.0, 10)
GONE = (None, None, 0.0, None)


def test_medians_and_deviations(channel):
    found = channel([LEVEL] * 30 + [AWAY] * 12 + [BOWED] * 12 + [GONE])
    assert found.medians is not None
    assert (found.medians.yaw_deg, found.medians.pitch_deg, found.medians.facing_share) == (5.0, -10.0, 1.0)
    assert found.yaw_change_deg[[0, 30, 42]].tolist() == [0, 40, 0]
    assert found.pitch_change_deg[[0, 30, 42]].tolist() == [0, 0, -30]
    assert found.facing_change[[0, 30, 42]].tolist() == [0, -1, -1]
    assert np.isnan([found.yaw_change_deg[-1], found.pitch_change_deg[-1], found.facing_change[-1]]).all()


def test_extreme_minutes_have_time_and_sign(channel):
    found = channel([LEVEL] * 30 + [AWAY] * 12 + [LEVEL] * 12 + [BOWED] * 12)
    assert found.furthest_yaw_minute == MinuteValue(150.0, 40.0)
    assert found.furthest_pitch_minute == MinuteValue(270.0, -30.0)
    assert found.least_facing_minute == MinuteValue(150.0, -1.0)


def test_minute_value_is_mean_over_bins(channel):
    found = channel([LEVEL] * 40 + [AWAY] * 6 + [LEVEL] * 40)
    assert found.furthest_yaw_minute is not None
    assert found.furthest_yaw_minute.value == pytest.approx(20)


def test_closed_eyes_are_a_share_of_a_minute(channel):
    found = channel([LEVEL] * 24 + [ASLEEP] * 9 + [LEVEL] * 24)
    assert found.most_closed_minute is not None
    assert found.most_closed_minute.value == pytest.approx(9 / 12)
    assert 24 * 5 - 15 <= found.most_closed_minute.at_s <= 24 * 5
    assert found.longest_closed_s == 45


def test_bins_without_eye_state_are_ignored(channel):
    found = channel([ASLEEP, BOWED] * 6)
    assert found.most_closed_minute == MinuteValue(0.0, 1.0)
    assert found.longest_closed_s == 5


@pytest.mark.parametrize("judged", [MIN_MINUTE_SAMPLES // 10 - 1, MIN_MINUTE_SAMPLES // 10])
def test_minute_with_few_samples_is_unknown(channel, judged):
    found = channel([ASLEEP] * judged + [BOWED] * (12 - judged))
    assert (found.most_closed_minute is None) == (judged * 10 < MIN_MINUTE_SAMPLES)
    assert found.longest_closed_s == 5 * judged


def test_less_than_a_minute_has_no_medians(channel):
    found = channel([LEVEL] * 11)
    assert found.medians is None
    assert found.most_closed_minute is None
    assert found.furthest_yaw_minute is None
    assert np.isnan(found.yaw_change_deg).all()
    assert found.longest_closed_s == 0


def test_never_seen_student_has_no_medians(channel):
    found = channel([GONE] * 24)
    assert found.medians is None
    assert found.longest_closed_s is None
    assert found.most_closed_minute is found.least_facing_minute is None


def test_missing_pitch_keeps_yaw(channel):
    found = channel([(5.0, None, 1.0, None)] * 24)
    assert found.medians is not None
    assert (found.medians.yaw_deg, found.medians.pitch_deg) == (5.0, None)
    assert found.furthest_pitch_minute is None
    assert found.furthest_yaw_minute == MinuteValue(0.0, 0.0)


@pytest.mark.parametrize(("bin_s", "per_minute"), [(1.0, 60), (5.0, 12), (45.0, 1), (60.0, 1)])
def test_minute_with_any_bin_length(channel, bin_s, per_minute):
    found = channel([LEVEL] * 130, bin_s)
    assert found.bins_per_minute == per_minute
    assert np.isnan(found.yaw_by_minute).sum() == per_minute - 1


bins = st.tuples(
    st.floats(-80, 80), st.none() | st.floats(-60, 60), st.floats(0, 1), st.none() | st.integers(0, 10)
)


@given(st.lists(bins | st.just(GONE), min_size=1, max_size=60))
def test_minute_shares_stay_in_bounds(channel, rows):
    found = channel(rows)
    known = found.closed_by_minute[~np.isnan(found.closed_by_minute)]
    assert ((known >= 0) & (known <= 1)).all()
    assert (found.most_closed_minute is None) == (known.size == 0)
    assert found.most_closed_minute is None or found.most_closed_minute.value == known.max()
    assert found.longest_closed_s is None or found.longest_closed_s <= 5 * len(rows)
    assert found.least_facing_minute is None or found.least_facing_minute.value == np.nanmin(
        found.facing_by_minute
    )
