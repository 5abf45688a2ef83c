from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from monitor.registration.camera_motion import CAMERA_MOVED, CameraMotion
from monitor.seating.call_grid import CallGrid
from monitor.seating.layout_change import LayoutMatch
from monitor.session.stages.tile_layout import LAYOUT_NOTE, TileLayoutStage
from tests.helpers.faces import face
from tests.helpers.frames import context_at

GRID = CallGrid(((0, 0, 200, 200), (200, 0, 400, 200)), 400)
SHIFT = np.array([[1.0, 0.0, 50.0], [0.0, 1.0, 0.0]])


class Layout:
    """A layout detector with scripted answers: "still", "moving" or a match per frame."""

    def __init__(self, *answers: str | LayoutMatch, grid: CallGrid | None = None) -> None:
        self._answers = iter(answers)
        self.call_grid = SimpleNamespace(confirmed=grid, is_in_place=grid is not None)
        self.in_transition = False

    def match_after_change(self, image_bgr, faces_xyxy, to_reference, media_s):
        answer = next(self._answers)
        self.in_transition = answer == "moving"
        return answer if isinstance(answer, LayoutMatch) else None


class Restarts:
    """A motion estimator that counts its restarts."""

    def __init__(self) -> None:
        self.count = 0

    def to_reference(self, image_bgr):
        return np.eye(2, 3)

    def restart(self) -> None:
        self.count += 1


def stage_of(layout: Layout) -> tuple[TileLayoutStage, CameraMotion, Restarts]:
    restarts = Restarts()
    motion = CameraMotion(restarts)
    return TileLayoutStage(layout, motion), motion, restarts  # type: ignore[arg-type]


def test_transition_rejects_the_frame_and_keeps_its_note_for_the_next_one() -> None:
    stage, _, _ = stage_of(Layout("moving", "moving", "still"))
    contexts = [context_at(0.0, note="first"), context_at(0.5, note="second"), context_at(1.0)]
    for context in contexts:
        stage.process(context)
    assert [context.is_analysed for context in contexts] == [False, False, True]
    assert [context.note for context in contexts] == [None, None, "first"]


def test_match_restarts_the_camera_motion_and_is_noted() -> None:
    match = LayoutMatch({4: 0}, {0: 0})
    stage, motion, restarts = stage_of(Layout(match))
    motion.to_reference = SHIFT
    context = context_at(to_reference=SHIFT, note=CAMERA_MOVED, faces=[face(100, 100), face(300, 100)])
    stage.process(context)
    assert context.layout_match is match
    assert context.has_new_coordinates
    assert context.note == LAYOUT_NOTE.format(1, 2)
    np.testing.assert_array_equal(context.to_reference, np.eye(2, 3))
    assert restarts.count == 1


def test_grid_in_place_holds_the_camera_still() -> None:
    stage, motion, restarts = stage_of(Layout("still", "still", grid=GRID))
    motion.to_reference = SHIFT
    moved, other = context_at(note=CAMERA_MOVED), context_at(0.5, note="another note")
    stage.process(moved)
    stage.process(other)
    assert (moved.note, other.note) == (None, "another note")
    np.testing.assert_array_equal(moved.to_reference, np.eye(2, 3))
    assert restarts.count == 2
    assert moved.tile_of is not None
    assert moved.tile_of(face(300, 100).box_xyxy) == 1


def test_without_a_grid_the_camera_motion_is_kept() -> None:
    stage, motion, restarts = stage_of(Layout("still"))
    motion.to_reference = SHIFT
    context = context_at(note=CAMERA_MOVED)
    stage.process(context)
    assert (context.note, context.tile_of, restarts.count) == (CAMERA_MOVED, None, 0)
    np.testing.assert_array_equal(context.to_reference, SHIFT)
