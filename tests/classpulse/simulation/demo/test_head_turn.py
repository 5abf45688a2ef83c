from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from classpulse.simulation.demo.head_turn import head_turn_field, rotate_mesh
from classpulse.simulation.demo.poses import (
    PITCH_KNOTS_DEG,
    YAW_KNOTS_DEG,
    FacePose,
    PoseFields,
    load_pose_fields,
)
from classpulse.simulation.demo.warps import FIELD_STEP, Field, sample_grid
from monitor.detection.base import DetectionSettings, Detector
from monitor.detection.factory import load_detector
from monitor.faces.head_pose import pose_from_keypoints


@pytest.fixture(scope="module")
def fields() -> PoseFields:
    return load_pose_fields()


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector(DetectionSettings(min_face_px=96))


def source_of(field: Field, points_xy: NDArray[np.floating]) -> NDArray[np.float64]:
    """Where the field reads the portrait for these pixels of the warped image."""
    columns, rows = (np.round(points_xy / FIELD_STEP).astype(int)).T
    return np.asarray(sample_grid((470, 512, 3))[rows, columns] - field[rows, columns], np.float64)


def warped_image(fields: PoseFields, field: Field) -> NDArray[np.uint8]:
    height, width = fields.portrait.image_bgr.shape[:2]
    where = np.asarray(cv2.resize(sample_grid((height, width, 3)) - field, (width, height)), np.float32)
    return np.asarray(
        cv2.remap(fields.portrait.image_bgr, where[..., 0], where[..., 1], cv2.INTER_LINEAR), np.uint8
    )


def test_head_turn_field_without_turn_is_zero(fields: PoseFields) -> None:
    still = head_turn_field(fields.portrait.landmarks, fields.portrait.image_bgr.shape, 0.0, 0.0)
    assert np.abs(still).max() < 0.5
    np.testing.assert_allclose(
        rotate_mesh(fields.portrait.landmarks, 0.0, 0.0), fields.portrait.landmarks.points, atol=1e-3
    )


@pytest.mark.parametrize(("yaw_deg", "pitch_deg"), [(20.0, 0.0), (-20.0, 0.0), (0.0, -10.0), (15.0, 8.0)])
def test_head_turn_field_reads_at_the_landmarks(fields: PoseFields, yaw_deg: float, pitch_deg: float) -> None:
    face = fields.portrait.landmarks
    field = head_turn_field(face, fields.portrait.image_bgr.shape, yaw_deg, pitch_deg)
    seen = [1, 4, 13, 14, 9, 168, 50, 280]  # nose, lips, brow, bridge, cheeks: visible at these angles
    target = rotate_mesh(face, yaw_deg, pitch_deg)[seen, :2]
    # The nearest pixel is up to one pixel from the landmark, and a foreshortened cheek stretches that.
    assert np.hypot(*(source_of(field, target) - face.xy[seen]).T).max() < 4


def test_rotate_mesh_directions(fields: PoseFields) -> None:
    face = fields.portrait.landmarks
    x, y = face.xy[1]
    assert rotate_mesh(face, 30.0, 0.0)[1, 0] > x + 40
    assert rotate_mesh(face, -30.0, 0.0)[1, 0] < x - 40
    assert rotate_mesh(face, 0.0, -10.0)[1, 1] > y + 10
    assert rotate_mesh(face, 0.0, 10.0)[1, 1] < y - 10


def test_rotate_mesh_keeps_distances(fields: PoseFields) -> None:
    face = fields.portrait.landmarks
    turned = rotate_mesh(face, 40.0, -10.0)
    before = np.linalg.norm(face.points[1] - face.points, axis=1)
    np.testing.assert_allclose(np.linalg.norm(turned[1] - turned, axis=1), before, rtol=1e-4, atol=1e-3)


def test_head_turn_field_hides_the_far_cheek(fields: PoseFields) -> None:
    face = fields.portrait.landmarks
    field = head_turn_field(face, fields.portrait.image_bgr.shape, 52.0, 0.0)
    _, y1, _, y2 = face.box_xyxy
    read = sample_grid(fields.portrait.image_bgr.shape) - field
    rows = slice(int(y1 / 2) + 20, int(y2 / 2) - 20)
    far_cheek = face.xy[345]
    distance = np.hypot(*(read[rows] - far_cheek).transpose(2, 0, 1))
    near_cheek = np.hypot(*(read[rows] - face.xy[116]).transpose(2, 0, 1))
    # The near cheek covers several times the area of the far one.
    assert (near_cheek < 12).sum() > 3 * (distance < 12).sum()


@pytest.mark.parametrize("side", [1, -1])
def test_detector_measures_the_turn(fields: PoseFields, detector: Detector, side: int) -> None:
    yaws_deg = []
    for yaw_deg in (0.0, 30.0 * side, 52.0 * side):
        face = detector.detect(warped_image(fields, fields.field_for(FacePose(yaw_deg=yaw_deg))))[0]
        pose = pose_from_keypoints(face)
        assert pose is not None
        yaws_deg.append(pose.yaw_deg * side)
    assert abs(yaws_deg[0]) < 8
    assert 14 < yaws_deg[1] < 36
    assert yaws_deg[2] > 30


def test_pose_fields_keep_the_shoulders(fields: PoseFields) -> None:
    for knots in (fields.yaws, fields.pitches):
        for field in knots.values():
            assert np.abs(field[-20:]).max() < 4


def test_field_for_interpolates_and_clamps(fields: PoseFields) -> None:
    halfway = (YAW_KNOTS_DEG[-1] + YAW_KNOTS_DEG[-2]) / 2
    mixed = (fields.yaws[YAW_KNOTS_DEG[-1]] + fields.yaws[YAW_KNOTS_DEG[-2]]) / 2
    np.testing.assert_allclose(fields.field_for(FacePose(yaw_deg=halfway)), mixed, atol=1e-3)
    np.testing.assert_array_equal(fields.field_for(FacePose(yaw_deg=170.0)), fields.yaws[YAW_KNOTS_DEG[-1]])
    np.testing.assert_array_equal(
        fields.field_for(FacePose(pitch_deg=-90.0)), fields.pitches[PITCH_KNOTS_DEG[0]]
    )
