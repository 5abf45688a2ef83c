from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.poses import MAX_BOW_DEG, MAX_RAISE_DEG, MAX_YAW_DEG, Pose, is_readable, pose_of
from monitor.faces.pose_gate import PoseLimits, refused_pose
from monitor.types import HeadPose, HeadReading, Unknown

LIMITS = PoseLimits()
angle = st.floats(-90, 90)


def read(yaw_deg: float, pitch_deg: float | None, error_deg: float = 0.0, *, mesh_fits: bool | None = True):
    return refused_pose(HeadReading(HeadPose(yaw_deg, pitch_deg, error_deg), mesh_fits=mesh_fits), LIMITS)


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg", "error_deg", "expected"),
    [
        (0, 0, 0, None),
        (0, -12.5, 0, None),
        (0, -12.6, 0, Unknown.HEAD_BOWED),
        (0, -12.0, 1.3, Unknown.HEAD_BOWED),
        (0, -11.0, 1.3, None),
        (0, -35, 1.3, Unknown.HEAD_BOWED),
        (35, 0, 0, None),
        (-34, 0, 2.6, Unknown.TURNED_AWAY),
        (60, -40, 1.3, Unknown.TURNED_AWAY),
        (0, 15, 0, None),
        (0, 14, 2.6, Unknown.TURNED_AWAY),
    ],
)
def test_a_pose_is_refused_if_its_interval_leaves_the_limits(yaw_deg, pitch_deg, error_deg, expected):
    assert read(yaw_deg, pitch_deg, error_deg) is expected
    assert read(-yaw_deg, pitch_deg, error_deg) is expected


def test_an_unknown_pose_is_not_taken_for_a_level_one():
    assert refused_pose(HeadReading(None), LIMITS) is Unknown.POSE_UNKNOWN
    assert read(0, None) is Unknown.POSE_UNKNOWN
    assert read(0, 0, mesh_fits=False) is Unknown.POSE_UNKNOWN


def test_without_a_mesh_network_keypoints_decide():
    assert read(0, 0, 8.2, mesh_fits=None) is None
    assert read(0, -5, 8.2, mesh_fits=None) is Unknown.HEAD_BOWED


def test_keypoints_outside_the_limits_give_the_reason_where_no_mesh_fits():
    assert read(0, -40, 8.2, mesh_fits=False) is Unknown.HEAD_BOWED
    assert read(70, 0, 8.2, mesh_fits=False) is Unknown.TURNED_AWAY


@given(angle, angle)
def test_the_limits_are_those_of_the_measured_poses(yaw_deg, pitch_deg):
    assert (read(yaw_deg, pitch_deg) is None) == is_readable(yaw_deg, pitch_deg)


@given(angle, angle, st.floats(0, 20), st.floats(0, 20))
def test_a_larger_error_never_allows_more(yaw_deg, pitch_deg, error_deg, more_deg):
    if read(yaw_deg, pitch_deg, error_deg) is not None:
        assert read(yaw_deg, pitch_deg, error_deg + more_deg) is not None


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg", "pose"),
    [
        (0, 0, Pose.LEVEL),
        (15, -5, Pose.LEVEL),
        (0, -5.1, Pose.LOWERED),
        (-15.1, -10, Pose.TURNED),
        (MAX_YAW_DEG, MAX_RAISE_DEG, Pose.TURNED),
        (0, -MAX_BOW_DEG, Pose.LOWERED),
    ],
)
def test_the_pose_of_a_readable_head(yaw_deg, pitch_deg, pose):
    assert pose_of(yaw_deg, pitch_deg) is pose


def test_an_unknown_angle_is_not_readable():
    assert not is_readable(float("nan"), 0.0)
    assert not is_readable(0.0, float("nan"))
