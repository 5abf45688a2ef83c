from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.faces.head_pose import FACE_CM, HEAD_CM, VERTICES, pose_from_mesh
from tests.helpers.turned_faces import seen


def mesh(yaw_deg: float, pitch_deg: float = 0, roll_deg: float = 0) -> NDArray[np.float32]:
    """A mesh with only the points that are used, all others and the depths NaN."""
    points = np.full((468, 3), np.nan, np.float32)
    points[VERTICES, :2] = seen(FACE_CM, yaw_deg, pitch_deg, roll_deg)
    return points


@given(st.floats(-85, 85), st.floats(-60, 60), st.floats(-60, 60))
def test_pose_from_mesh_recovers_direction_for_any_roll(yaw_deg, pitch_deg, roll_deg):
    pose = pose_from_mesh(mesh(yaw_deg, pitch_deg, roll_deg))
    assert pose is not None
    assert pose.yaw_deg == pytest.approx(yaw_deg, abs=0.05)
    assert pose.pitch_deg == pytest.approx(pitch_deg, abs=0.05)


def test_mesh_points_match_keypoint_head():
    """Both are from one canonical face: the eyes are the means of their corners."""
    place = {int(vertex): FACE_CM[row] for row, vertex in enumerate(VERTICES)}
    assert len(place) == len(VERTICES) == 33
    np.testing.assert_allclose((place[33] + place[133]) / 2, HEAD_CM[0], atol=0.01)
    np.testing.assert_allclose((place[263] + place[362]) / 2, HEAD_CM[1], atol=0.01)


@pytest.mark.parametrize("points", [np.zeros((468, 3)), np.tile(np.arange(468)[:, None], 3)])
def test_pose_from_mesh_of_degenerate_points_is_none(points):
    assert pose_from_mesh(points.astype(np.float32)) is None
