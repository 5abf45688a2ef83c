from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.faces.head_pose import pose_from_keypoints
from monitor.faces.quality import QualitySettings, assess_face, sharpness
from monitor.types import Face, HeadEstimate, HeadPose, ImageBGR, UnreadableReason
from tests.helpers.pictures import portrait
from tests.monitor.faces.test_head_pose import turned, without

SETTINGS = QualitySettings()


def portrait_face(scale: float = 1.0) -> Face:
    """Grace Hopper's face as the detector reports it."""
    points = np.array([(219, 189), (306, 186), (267, 231), (268, 279), (171, 220), (351, 213)], np.float32)
    x1, y1, x2, y2 = (side * scale for side in (161, 115, 362, 352))
    return Face((x1, y1, x2, y2), 0.95, points * np.float32(scale))


def assess(face: Face, image_bgr: ImageBGR, settings: QualitySettings) -> UnreadableReason | None:
    """The reason not to read a face whose pose comes from its keypoints."""
    return assess_face(face, image_bgr, HeadEstimate(pose_from_keypoints(face)), settings)


def scaled(scale: float) -> ImageBGR:
    small = cv2.resize(portrait(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def blurred(share: float) -> ImageBGR:
    """The portrait, blurred by a Gaussian of this share of the face's width."""
    return np.asarray(cv2.GaussianBlur(portrait(), (0, 0), share * 201), np.uint8)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (1.0, None),
        (0.5, None),
        (0.125, None),
        (0.11, UnreadableReason.TOO_SMALL),
        (0.05, UnreadableReason.TOO_SMALL),
    ],
)
def test_assess_accepts_good_face_down_to_minimum_size(scale, expected):
    assert assess(portrait_face(scale), scaled(scale), SETTINGS) is expected


def test_assess_rejects_blurred_face():
    assert assess(portrait_face(), blurred(2 / 200), SETTINGS) is None
    assert assess(portrait_face(), blurred(4 / 48), SETTINGS) is UnreadableReason.BLURRED
    assert assess(portrait_face(), np.full_like(portrait(), 90), SETTINGS) is UnreadableReason.BLURRED


def test_assess_accepts_dim_face():
    dim = (portrait() // 8 + 4).astype(np.uint8)
    assert assess(portrait_face(), dim, SETTINGS) is None
    assert sharpness(portrait_face(), dim) == pytest.approx(sharpness(portrait_face(), portrait()), rel=0.15)


def test_sharpness_depends_on_blur_and_hardly_on_size():
    values = [sharpness(portrait_face(), blurred(share)) for share in (0.005, 0.02, 0.04, 0.08)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 10 * values[3]
    small = sharpness(portrait_face(0.125), scaled(0.125))
    assert 0.4 < small / sharpness(portrait_face(), portrait()) < 1.2


def on_portrait(face: Face) -> Face:
    """The keypoints of ``face`` at the place of the portrait's, in its box."""
    points = face.keypoints - np.nanmean(face.keypoints, axis=0) + np.float32([265, 220])
    return Face((161, 115, 362, 352), 0.9, points)


@pytest.mark.parametrize(
    ("yaw_deg", "expected"),
    [
        (0, None),
        (25, None),
        (-25, None),
        (30, UnreadableReason.TURNED_AWAY),
        (-80, UnreadableReason.TURNED_AWAY),
    ],
)
def test_assess_rejects_head_turned_away(yaw_deg, expected):
    assert assess(on_portrait(turned(yaw_deg)), portrait(), SETTINGS) is expected
    assert assess(on_portrait(without(turned(yaw_deg), 4, 5)), portrait(), SETTINGS) is expected


def moved(index: int, x: float, y: float) -> Face:
    face = portrait_face()
    points = face.keypoints.copy()
    points[index] = x, y
    return Face(face.box_xyxy, face.score, points)


@pytest.mark.parametrize(
    "face",
    [
        moved(0, 100, 189),
        moved(3, 268, 380),
        moved(3, 330, 210),
        without(portrait_face(), 0, 2, 3),
    ],
    ids=["eye outside of the box", "mouth below the box", "not a head", "too few points"],
)
def test_assess_implausible_keypoints_are_occluded(face):
    assert assess(face, portrait(), SETTINGS) is UnreadableReason.OCCLUDED


def test_assess_face_half_outside_frame_is_occluded():
    image = portrait()[:240]
    face = portrait_face()
    cut = Face((161, 115, 362, 240), face.score, face.keypoints)
    assert assess(cut, image, SETTINGS) is UnreadableReason.OCCLUDED
    ears_only = np.ascontiguousarray(portrait()[:, 190:])
    shifted = Face((0, 115, 172, 352), face.score, face.keypoints - np.float32([190, 0]))
    assert assess(shifted, ears_only, SETTINGS) is None


def test_assess_uses_settings():
    strict = QualitySettings(min_face_px=256, min_sharpness=10, max_yaw_deg=10, max_reprojection_error=0.01)
    assert assess(portrait_face(), portrait(), strict) is UnreadableReason.TOO_SMALL
    assert assess(portrait_face(), portrait(), QualitySettings(min_sharpness=10)) is UnreadableReason.BLURRED
    assert (
        assess(on_portrait(turned(12)), portrait(), QualitySettings(max_yaw_deg=10))
        is UnreadableReason.TURNED_AWAY
    )
    assert (
        assess(portrait_face(), portrait(), QualitySettings(max_reprojection_error=0.01))
        is UnreadableReason.OCCLUDED
    )


@pytest.mark.parametrize(
    "box", [(-50, -50, 5, 5), (500, 590, 700, 800), (600, 700, 800, 900), (10.2, 10.2, 10.4, 10.4)]
)
def test_sharpness_of_any_box_is_finite(box):
    face = Face(box, 0.9, np.zeros((6, 2), np.float32))
    assert sharpness(face, portrait()) >= 0


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (HeadEstimate(HeadPose(0.0, -30.0, 2.6), mesh_fits=True), UnreadableReason.HEAD_BOWED),
        (HeadEstimate(HeadPose(0.0, -10.0, 2.6), mesh_fits=True), UnreadableReason.HEAD_BOWED),
        (HeadEstimate(HeadPose(0.0, -9.0, 2.6), mesh_fits=True), None),
        (HeadEstimate(HeadPose(0.0, 0.0, 8.2), mesh_fits=False), UnreadableReason.POSE_UNKNOWN),
        (HeadEstimate(None), UnreadableReason.POSE_UNKNOWN),
    ],
    ids=["bowed", "perhaps bowed", "level", "no mesh", "no pose"],
)
def test_assess_rejects_sharp_face_at_rejected_pose(head, expected):
    assert assess_face(portrait_face(), portrait(), head, SETTINGS) is expected


def test_assess_checks_pose_after_size_and_before_blur():
    bowed = HeadEstimate(HeadPose(0.0, -30.0, 2.6), mesh_fits=True)
    uniform = np.full_like(portrait(), 90)
    assert assess_face(portrait_face(0.05), scaled(0.05), bowed, SETTINGS) is UnreadableReason.TOO_SMALL
    assert assess_face(portrait_face(), uniform, bowed, SETTINGS) is UnreadableReason.HEAD_BOWED
    assert (
        assess_face(portrait_face(), uniform, HeadEstimate(None), SETTINGS) is UnreadableReason.POSE_UNKNOWN
    )
