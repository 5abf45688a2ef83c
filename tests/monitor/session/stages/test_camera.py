from __future__ import annotations

import numpy as np

from monitor.registration.camera_motion import NOT_ANALYSED, UNKNOWN_NOTE_AFTER_S, CameraMotion
from monitor.session.stages.camera import CameraStage
from monitor.session.stages.context import FrameContext
from tests.helpers.frames import context_at

SHIFT = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 0.0]])


class Estimator:
    """Returns the given transforms, one per frame."""

    def __init__(self, *transforms: np.ndarray | None) -> None:
        self._transforms = iter(transforms)

    def to_reference(self, image_bgr: np.ndarray) -> np.ndarray | None:
        return next(self._transforms)

    def restart(self) -> None:
        raise AssertionError("only a layout change restarts the motion")


class FillWith7:
    def mask(self, image_bgr: np.ndarray, to_reference: np.ndarray) -> np.ndarray:
        return np.full_like(image_bgr, 7)


def processed(stage: CameraStage, media_s: float, size: tuple[int, int] = (40, 30)) -> FrameContext:
    context = context_at(media_s, np.zeros((size[1], size[0], 3), np.uint8))
    stage.process(context)
    return context


def test_motion_known_is_set() -> None:
    stage = CameraStage(CameraMotion(Estimator(np.eye(2, 3), SHIFT)))
    first, second = processed(stage, 0.0), processed(stage, 0.5)
    np.testing.assert_array_equal(second.to_reference, SHIFT)
    assert (first.is_motion_known, first.is_motion_measured) == (True, False)
    assert (second.is_motion_known, second.is_motion_measured) == (True, True)


def test_motion_unknown_without_masker_keeps_the_last_one() -> None:
    stage = CameraStage(CameraMotion(Estimator(SHIFT, None)))
    processed(stage, 0.0)
    context = processed(stage, 0.5)
    assert (context.is_analysed, context.is_motion_known) == (True, False)
    np.testing.assert_array_equal(context.to_reference, SHIFT)


def test_masker_replaces_the_image() -> None:
    context = processed(CameraStage(CameraMotion(Estimator(SHIFT)), FillWith7()), 0.0)
    assert set(context.image_bgr.ravel().tolist()) == {7}
    assert context.frame.media_s == 0.0


def test_motion_unknown_with_masker_rejects_the_frame_and_notes_it() -> None:
    stage = CameraStage(CameraMotion(Estimator(None, None), NOT_ANALYSED), FillWith7())
    first, second = processed(stage, 0.0), processed(stage, UNKNOWN_NOTE_AFTER_S + 1)
    assert not first.is_analysed
    assert (second.is_analysed, second.note) == (False, NOT_ANALYSED)


def test_size_change_gives_new_coordinates_once() -> None:
    stage = CameraStage(CameraMotion(None))
    sizes = [(40, 30), (40, 30), (80, 60), (80, 60)]
    changes = [processed(stage, n / 2, size).has_new_coordinates for n, size in enumerate(sizes)]
    assert changes == [False, False, True, False]


def test_size_change_in_a_rejected_frame_is_reported_by_the_next_analysed_one() -> None:
    stage = CameraStage(CameraMotion(Estimator(SHIFT, None, SHIFT)), FillWith7())
    sizes = [(40, 30), (80, 60), (80, 60)]
    changes = [processed(stage, n / 2, size).has_new_coordinates for n, size in enumerate(sizes)]
    assert changes == [False, False, True]
