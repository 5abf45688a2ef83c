from __future__ import annotations

import cv2
import numpy as np
import pytest

from monitor.geometry import Matrix, identity, transform_points
from monitor.registration.anchored import (
    CHECK_INTERVAL_SAMPLES,
    MAX_UNCHECKED_SAMPLES,
    DriftCorrectedMotionEstimator,
)
from monitor.registration.camera_motion import CameraMotionEstimator
from monitor.registration.landmarks import ReferenceView, extract_reference_view
from tests.helpers.halls import HEIGHT, WIDTH, camera, room, seen

CORNERS = np.array([(0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)], np.float32)


class Fixed(CameraMotionEstimator):
    """A registration that says what a test wants."""

    def __init__(self, *answers: Matrix | None) -> None:
        super().__init__()
        self.answers, self.anchored = list(answers), 0

    def to_reference(self, image_bgr) -> Matrix | None:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def anchor(self, image_bgr, to_reference) -> None:
        self.anchored += 1
        self.answers = [to_reference]


class Blind(ReferenceView):
    """Landmarks that are not to be seen; counts how often they were looked for."""

    asked = 0

    def match(self, image_bgr) -> Matrix | None:
        type(self).asked += 1
        return None


@pytest.fixture(scope="module")
def marks() -> ReferenceView:
    return extract_reference_view(room(), [])


@pytest.fixture
def blind(marks) -> Blind:
    Blind.asked = 0
    return Blind(marks.scale, marks.keypoints, marks.descriptors)


def shifted(x: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, 0.0]])


def test_what_flow_got_wrong_is_put_right(marks) -> None:
    fixed = Fixed(shifted(0.0), shifted(25.0))
    followed = DriftCorrectedMotionEstimator(fixed, marks, identity())
    found = [followed.to_reference(room()) for _ in range(CHECK_INTERVAL_SAMPLES + 3)]
    np.testing.assert_allclose(found[1], shifted(25.0))
    for late in found[CHECK_INTERVAL_SAMPLES - 1 :]:
        assert np.abs(transform_points(late, CORNERS) - CORNERS).max() < 2
    assert fixed.anchored == 1


def test_a_knock_is_followed_and_what_was_lost_is_found(marks) -> None:
    followed = DriftCorrectedMotionEstimator(CameraMotionEstimator(), marks, identity())
    followed.to_reference(room())
    for matrix in (camera(140, -60), camera(-100, 50, zoom=1.2)):
        found = followed.to_reference(seen(matrix))
        assert found is not None
        true = cv2.invertAffineTransform(matrix)
        assert np.abs(transform_points(found, CORNERS) - transform_points(true, CORNERS)).max() < 3


def test_a_jump_that_cannot_be_checked_is_no_answer(blind) -> None:
    followed = DriftCorrectedMotionEstimator(Fixed(identity(), shifted(100.0)), blind, identity())
    assert followed.to_reference(room()) is not None
    assert [followed.to_reference(room()) for _ in range(3)] == [None] * 3


def test_without_a_check_flow_is_trusted_for_a_while_only(blind) -> None:
    followed = DriftCorrectedMotionEstimator(Fixed(identity()), blind, identity())
    found = [followed.to_reference(room()) is not None for _ in range(MAX_UNCHECKED_SAMPLES + 20)]
    assert found == [True] * (MAX_UNCHECKED_SAMPLES - 1) + [False] * 21
    assert blind.asked == len(found) - CHECK_INTERVAL_SAMPLES + 1


def test_neither_can_tell(blind) -> None:
    assert DriftCorrectedMotionEstimator(Fixed(None), blind, identity()).to_reference(room()) is None


def test_another_size_has_no_known_place(marks) -> None:
    followed = DriftCorrectedMotionEstimator(CameraMotionEstimator(), marks, identity())
    followed.to_reference(room())
    assert followed.to_reference(np.asarray(cv2.resize(room(), (480, 270)), np.uint8)) is None
