from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.poses import (
    MAX_PITCH_DOWN_DEG,
    MAX_PITCH_UP_DEG,
    MAX_YAW_DEG,
    HeadPoseClass,
    classify_head_pose,
    is_readable_pose,
)
from monitor.faces.pose_gate import PoseLimits, pose_rejection
from monitor.types import HeadEstimate, HeadPose, UnreadableReason

LIMITS = PoseLimits()
angle = st.floats(-90, 90)


def read(yaw_deg: float, pitch_deg: float | None, error_deg: float = 0.0, *, mesh_fits: bool | None = True):
    return pose_rejection(HeadEstimate(HeadPose(yaw_deg, pitch_deg, error_deg), mesh_fits=mesh_fits), LIMITS)


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg", "error_deg", "expected"),
    [
        (0, 0, 0, None),
        (0, -12.5, 0, None),
        (0, -12.6, 0, UnreadableReason.HEAD_BOWED),
        (0, -12.0, 1.3, UnreadableReason.HEAD_BOWED),
        (0, -11.0, 1.3, None),
        (0, -35, 1.3, UnreadableReason.HEAD_BOWED),
        (35, 0, 0, None),
        (-34, 0, 2.6, UnreadableReason.TURNED_AWAY),
        (60, -40, 1.3, UnreadableReason.TURNED_AWAY),
        (0, 15, 0, None),
        (0, 14, 2.6, UnreadableReason.TURNED_AWAY),
    ],
)
def test_pose_is_rejected_if_interval_leaves_limits(yaw_deg, pitch_deg, error_deg, expected):
    assert read(yaw_deg, pitch_deg, error_deg) is expected
    assert read(-yaw_deg, pitch_deg, error_deg) is expected


def test_unknown_pose_is_rejected():
    assert pose_rejection(HeadEstimate(None), LIMITS) is UnreadableReason.POSE_UNKNOWN
    assert read(0, None) is UnreadableReason.POSE_UNKNOWN
    assert read(0, 0, mesh_fits=False) is UnreadableReason.POSE_UNKNOWN


def test_keypoint_pose_decides_without_mesh_network():
    assert read(0, 0, 8.2, mesh_fits=None) is None
    assert read(0, -5, 8.2, mesh_fits=None) is UnreadableReason.HEAD_BOWED


def test_keypoint_pose_gives_reason_without_fitting_mesh():
    assert read(0, -40, 8.2, mesh_fits=False) is UnreadableReason.HEAD_BOWED
    assert read(70, 0, 8.2, mesh_fits=False) is UnreadableReason.TURNED_AWAY


@given(angle, angle)
def test_default_limits_are_those_of_measured_poses(yaw_deg, pitch_deg):
    assert (read(yaw_deg, pitch_deg) is None) == is_readable_pose(yaw_deg, pitch_deg)


@given(angle, angle, st.floats(0, 20), st.floats(0, 20))
def test_larger_error_never_accepts_more(yaw_deg, pitch_deg, error_deg, more_deg):
    if read(yaw_deg, pitch_deg, error_deg) is not None:
        assert read(yaw_deg, pitch_deg, error_deg + more_deg) is not None


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg", "pose"),
    [
        (0, 0, HeadPoseClass.LEVEL),
        (15, -5, HeadPoseClass.LEVEL),
        (0, -5.1, HeadPoseClass.LOWERED),
        (-15.1, -10, HeadPoseClass.TURNED),
        (MAX_YAW_DEG, MAX_PITCH_UP_DEG, HeadPoseClass.TURNED),
        (0, -MAX_PITCH_DOWN_DEG, HeadPoseClass.LOWERED),
    ],
)
def test_classify_head_pose_of_readable_poses(yaw_deg, pitch_deg, pose):
    assert classify_head_pose(yaw_deg, pitch_deg) is pose


def test_is_readable_pose_of_nan_is_false():
    assert not is_readable_pose(float("nan"), 0.0)
    assert not is_readable_pose(0.0, float("nan"))
