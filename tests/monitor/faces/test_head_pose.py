from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.faces.head_pose import (
    HEAD_CM,
    AttentionSettings,
    KeypointPoseEstimator,
    fit_keypoints,
    is_facing,
    pose_from_keypoints,
    reprojection_error,
)
from monitor.types import Face, HeadEstimate, HeadPose
from tests.helpers.turned_faces import seen


def reprojection_error_of(face: Face) -> float | None:
    fit = fit_keypoints(face)
    return None if fit is None else reprojection_error(fit)


def turned(
    yaw_deg: float, pitch_deg: float = 0, roll_deg: float = 0, head: NDArray[np.float64] = HEAD_CM
) -> Face:
    """The face of a head that is rolled, then tilted, then turned to the subject's left, for a far camera."""
    return Face((250, 150, 350, 250), 0.9, seen(head, yaw_deg, pitch_deg, roll_deg))


def without(face: Face, *missing: int) -> Face:
    points = face.keypoints.copy()
    points[list(missing)] = np.nan
    return Face(face.box_xyxy, face.score, points)


angle = st.floats(-85, 85)


@given(angle, st.floats(-60, 60), st.floats(-60, 60))
def test_pose_from_keypoints_recovers_direction_for_any_roll(yaw_deg, pitch_deg, roll_deg):
    pose = pose_from_keypoints(turned(yaw_deg, pitch_deg, roll_deg))
    assert pose is not None
    assert pose.yaw_deg == pytest.approx(yaw_deg, abs=0.05)
    assert pose.pitch_deg == pytest.approx(pitch_deg, abs=0.05)


@given(angle, st.floats(-45, 45))
def test_pose_from_keypoints_without_ears(yaw_deg, pitch_deg):
    pose = pose_from_keypoints(without(turned(yaw_deg, pitch_deg), 4, 5))
    assert pose is not None
    assert pose.yaw_deg == pytest.approx(yaw_deg, abs=0.05)
    assert pose.pitch_deg == pytest.approx(pitch_deg, abs=0.05)


@given(angle, st.floats(-45, 45))
def test_pose_of_mirror_image_has_opposite_yaw(yaw_deg, pitch_deg):
    face = turned(yaw_deg, pitch_deg)
    points = face.keypoints[[1, 0, 2, 3, 5, 4]] * np.array([-1, 1], dtype=np.float32)
    pose = pose_from_keypoints(Face(face.box_xyxy, face.score, points.astype(np.float32)))
    assert pose is not None
    assert pose.yaw_deg == pytest.approx(-yaw_deg, abs=0.05)


@pytest.mark.parametrize(("yaw_deg", "pitch_deg"), [(0, 0), (30, 0), (30, -30), (-60, 10), (0, 35)])
def test_pose_error_of_other_heads_and_noisy_points_is_small(yaw_deg, pitch_deg):
    """Points off by 2 % of the head's width, heads of other proportions: 4 degrees (root mean square)."""
    rng = np.random.default_rng(3)
    errors = []
    for _ in range(200):
        head = HEAD_CM * rng.normal(1, 0.08, 3) + rng.normal(0, 0.3, HEAD_CM.shape)
        pose = pose_from_keypoints(turned(yaw_deg, pitch_deg, rng.uniform(-20, 20), head))
        assert pose is not None
        assert pose.pitch_deg is not None
        errors.append((pose.yaw_deg - yaw_deg, pose.pitch_deg - pitch_deg))
    yaw_error, pitch_error = np.sqrt(np.mean(np.square(errors), axis=0))
    assert yaw_error < 5
    assert pitch_error < 5


def test_pose_sign_follows_nose():
    """The signs, without the formula: the subject's left is on the right of the image."""
    face = turned(0)
    for shift, yaw, pitch in (((12, 0), 1, 0), ((-12, 0), -1, 0), ((0, -12), 0, 1), ((0, 12), 0, -1)):
        points = face.keypoints.copy()
        points[2] += shift
        pose = pose_from_keypoints(Face(face.box_xyxy, 0.9, points))
        assert pose is not None
        assert pose.pitch_deg is not None
        assert np.sign(round(pose.yaw_deg)) == yaw
        assert np.sign(round(pose.pitch_deg)) == pitch


@pytest.mark.parametrize(
    "face",
    [
        without(turned(10), 0, 1, 2),
        without(turned(10), 2, 3, 4),
        without(turned(10), *range(6)),
        without(turned(10), 2, 3),
        Face((0, 0, 9, 9), 0.9, np.full((6, 2), 5, np.float32)),
        Face((0, 0, 9, 9), 0.9, np.stack([np.arange(6), np.arange(6)], axis=1).astype(np.float32)),
    ],
    ids=["three points", "three others", "no point", "four in a plane", "one place", "a line"],
)
def test_pose_of_insufficient_points_is_none(face):
    assert pose_from_keypoints(face) is None
    assert reprojection_error_of(face) is None


def test_reprojection_error_is_zero_for_a_head_and_grows():
    assert reprojection_error_of(turned(40, -20, 15)) == pytest.approx(0, abs=1e-5)
    face = turned(0)
    wrong = []
    for shift in (5, 15, 30):
        points = face.keypoints.copy()
        points[3, 0] += shift
        wrong.append(reprojection_error_of(Face(face.box_xyxy, 0.9, points)))
    assert wrong == sorted(wrong)
    assert wrong[0] > 0.005
    assert wrong[2] > 0.06
    assert reprojection_error_of(without(face, 4, 5)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("yaw_deg", "pitch_deg", "facing"),
    [
        (0, 0, True),
        (35, 0, True),
        (-35, 0, True),
        (35.1, 0, False),
        (-36, None, False),
        (0, -35, True),
        (0, -36, False),
        (0, 80, True),
        (20, None, None),
    ],
)
def test_is_facing_limits(yaw_deg, pitch_deg, facing):
    assert is_facing(HeadPose(yaw_deg, pitch_deg), AttentionSettings()) is facing


def test_is_facing_uses_settings():
    settings = AttentionSettings(facing_yaw_deg=60, facing_down_deg=10)
    assert is_facing(HeadPose(55, 0), settings)
    assert not is_facing(HeadPose(0, -11), settings)


def test_keypoint_pose_estimator_gives_pose_without_eyes():
    faces = [turned(20), without(turned(10), *range(6))]
    heads = KeypointPoseEstimator().estimate(np.zeros((1, 1, 3), np.uint8), faces)
    assert heads == [HeadEstimate(pose_from_keypoints(faces[0])), HeadEstimate(None)]
