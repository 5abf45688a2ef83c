"""Tile layout stage: recognises rearranged tiles of a recorded video call. Rooms do without it."""

from __future__ import annotations

from monitor.registration.camera_motion import CameraMotion
from monitor.seating.layout_change import LayoutChangeDetector
from monitor.session.stages.context import FrameContext

LAYOUT_NOTE = "the call layout changed; {} of {} faces were re-identified"


class TileLayoutStage:
    """Rejects frames in which tiles are moving, and restarts the camera motion after a change of the
    layout."""

    def __init__(self, layout_detector: LayoutChangeDetector, camera_motion: CameraMotion) -> None:
        self._layout_detector = layout_detector
        self._camera_motion = camera_motion
        self._held_note: str | None = None

    def process(self, context: FrameContext) -> None:
        """Sets ``layout_match`` and ``tile_of``; updates ``to_reference``, ``has_new_coordinates`` and
        ``note``. The note of a rejected frame is kept for the next analysed one."""
        context.layout_match = self._layout_detector.match_after_change(
            context.image_bgr,
            [face.box_xyxy for face in context.faces],
            context.to_reference,
            context.frame.media_s,
        )
        if self._layout_detector.in_transition:
            self._held_note = self._held_note or context.note
            context.note = None
            context.reject()
            return
        note, self._held_note = context.note or self._held_note, None
        call_grid = self._layout_detector.call_grid
        grid = call_grid.confirmed if call_grid.is_in_place else None
        if grid is not None:
            context.tile_of = grid.tile_of
        if context.layout_match is not None:
            self._camera_motion.restart(context.image_bgr)
            context.has_new_coordinates = True
            note = LAYOUT_NOTE.format(len(context.layout_match.face_by_track), len(context.faces))
        elif grid is not None:
            # Tile borders that stay in place prove that no camera has moved, whatever changes inside the
            # tiles.
            note = self._camera_motion.hold_still(context.image_bgr, note)
        context.note, context.to_reference = note, self._camera_motion.to_reference
