from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from classpulse.simulation.demo.portrait import load_portrait
from classpulse.simulation.demo.poses import FacePose, load_pose_fields
from classpulse.simulation.demo.tile import lower_lids
from classpulse.simulation.demo.warps import sample_grid
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.faces.eye_closure import EyeClosureEstimator
from monitor.faces.head_pose import KEYPOINT_ERROR_DEG, AttentionSettings, pose_from_keypoints
from monitor.faces.head_reader import MeshPoseEstimator, mesh_error_deg
from monitor.sources.factory import open_source
from monitor.types import Face, HeadEstimate, ImageBGR
from tests.helpers.pictures import portrait


@pytest.fixture(scope="module")
def heads() -> MeshPoseEstimator:
    return MeshPoseEstimator(AttentionSettings())


@pytest.fixture(scope="module")
def face() -> Face:
    return detect(portrait())


def detect(image_bgr: ImageBGR) -> Face:
    (detected,) = load_detector(DetectionSettings(min_face_px=60)).detect(image_bgr)
    return detected


def test_estimate_large_face_has_pose_and_eyes(heads, face):
    (head,) = heads.estimate(portrait(), [face])
    assert head.pose is not None
    assert abs(head.pose.yaw_deg) < 4
    assert head.pose != pose_from_keypoints(face)
    assert 0.2 < head.eye_aspect_ratio < 0.4


def shrunk(scale: float) -> ImageBGR:
    small = cv2.resize(portrait(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


@pytest.mark.parametrize("px", [24, 32, 48, 80])
def test_estimate_small_face_has_mesh_pose_and_unknown_eyes(heads, face, px):
    scale = (px + 1) / face.size_px
    small = Face(
        tuple(side * scale for side in face.box_xyxy), face.score, face.keypoints * np.float32(scale)
    )
    (head,), (large,) = heads.estimate(shrunk(scale), [small]), heads.estimate(portrait(), [face])
    assert head.mesh_fits is True
    assert head.pose.error_deg == mesh_error_deg(px + 1)
    assert head.pose.pitch_deg == pytest.approx(large.pose.pitch_deg, abs=6)
    assert (head.eye_aspect_ratio is None) == (px < 80)


def test_mesh_error_decreases_with_size():
    errors = [mesh_error_deg(px) for px in (12, 24, 32, 48, 80, 300)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > errors[-1]


def test_estimate_eyes_from_size_in_settings(face):
    without_eyes = MeshPoseEstimator(AttentionSettings(eyes_min_face_px=int(face.size_px) + 1))
    (head,) = without_eyes.estimate(portrait(), [face])
    assert (head.mesh_fits, head.eye_aspect_ratio) == (True, None)


def test_estimate_without_mesh_falls_back_to_keypoints(heads, face):
    assert heads.estimate(np.full_like(portrait(), 140), [face]) == [
        HeadEstimate(pose_from_keypoints(face), mesh_fits=False)
    ]


def test_estimate_without_both_eyes_skips_mesh_network(heads, face):
    points = face.keypoints.copy()
    points[0] = np.nan
    known = Face(face.box_xyxy, face.score, points)
    assert heads.estimate(portrait(), [known]) == [HeadEstimate(pose_from_keypoints(known))]
    assert pose_from_keypoints(known).error_deg == KEYPOINT_ERROR_DEG


def test_estimate_keeps_order_of_faces(heads, face):
    small = Face((10, 10, 40, 50), 0.9, face.keypoints)
    first, second, third = heads.estimate(portrait(), [small, face, small])
    assert first == third
    assert second.eye_aspect_ratio is not None
    assert heads.estimate(portrait(), []) == []


def test_estimate_lowered_lids_reduce_eye_aspect_ratio(heads, face):
    """Drawn lids behind glasses: more than a half, but less than the full effect of closed eyes."""
    drawn = load_portrait()
    openings = []
    for closed in (0.0, 0.75, 1.0):
        (head,) = heads.estimate(lower_lids(drawn.image_bgr, drawn.landmarks, closed), [face])
        openings.append(head.eye_aspect_ratio)
    assert openings == sorted(openings, reverse=True)
    assert openings[-1] < 0.55 * openings[0]


def test_estimate_rolled_head_has_eyes(heads):
    turn = cv2.getRotationMatrix2D((264, 230), 25, 1.0)
    rolled = np.asarray(
        cv2.warpAffine(portrait(), turn, (512, 600), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    (head,) = heads.estimate(rolled, [detect(rolled)])
    assert abs(head.pose.yaw_deg) < 5
    assert head.eye_aspect_ratio is not None


def test_estimate_turned_head_has_no_eyes(heads):
    fields = load_pose_fields()
    image = fields.portrait.image_bgr
    field = sample_grid(image.shape) - fields.field_for(FacePose(yaw_deg=45.0))
    coordinates = np.asarray(cv2.resize(field, image.shape[1::-1]), np.float32)
    turned = np.asarray(
        cv2.remap(image, coordinates[..., 0], coordinates[..., 1], cv2.INTER_LINEAR), np.uint8
    )
    for view, side in ((turned, 1), (np.ascontiguousarray(turned[:, ::-1]), -1)):
        (head,) = heads.estimate(view, [detect(view)])
        assert 30 < side * head.pose.yaw_deg < 50
        assert head.eye_aspect_ratio is None


def test_estimate_eyes_of_real_people(heads, shared):
    """The eyes of one clip, labelled by hand: closed from 1.1 to 3.8 s, open from 6.5 to 9.9 s."""
    detector, estimator = load_detector(DetectionSettings(min_face_px=60)), EyeClosureEstimator()
    ratios = {}
    with open_source(str(shared / "media" / "webcam_sad_to_happy.mp4")) as source:
        for frame in source.frames(4.0, threading.Event()):
            (head,) = heads.estimate(frame.image_bgr, detector.detect(frame.image_bgr)[:1])
            ratios[frame.media_s] = head.eye_aspect_ratio
    for ratio in ratios.values():
        estimator.is_closed(0, ratio)
    closed = {at_s: estimator.is_closed(0, ratio) for at_s, ratio in ratios.items()}
    assert {is_closed for at_s, is_closed in closed.items() if 1.1 < at_s < 3.8} == {True}
    assert {is_closed for at_s, is_closed in closed.items() if 6.5 < at_s < 9.9} == {False}
