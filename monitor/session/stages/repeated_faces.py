"""Repeated faces stage: a person whom a call shows twice is counted once. Rooms do without it."""

from __future__ import annotations

from monitor.session.stages.context import FrameContext
from monitor.tracking.repeated_faces import RepeatedFaceFilter, RepeatedFaces

REPEATED_FACE_NOTE = "speaker view: the face in the large tile is also in a small one and is counted once"

POSSIBLE_REPETITION_NOTE = (
    "a large face resembles a smaller one: perhaps one person is shown and counted twice"
)


class RepeatedFaceStage:
    """Removes the tracks that show a person a second time, before students are assigned."""

    def __init__(self, repeated_faces: RepeatedFaceFilter) -> None:
        self._filter = repeated_faces
        self._notes: set[str] = set()

    def process(self, context: FrameContext) -> None:
        """Updates ``tracks``, ``visible``, ``departed`` and ``note``.

        In a confirmed grid no tile is larger than the others."""
        if context.tile_of is not None:
            return
        boxes = {track.track_id: face.box_xyxy for track, face in context.visible}
        faces = self._filter.update(context.image_bgr, boxes, context.live_track_ids)
        removed = faces.repeated | faces.held
        context.tracks = [track for track in context.tracks if track.track_id not in removed]
        context.visible = [item for item in context.visible if item[0].track_id not in removed]
        context.departed = [track for track in context.departed if track.track_id not in removed]
        context.note = context.note or self._note(faces)

    def _note(self, faces: RepeatedFaces) -> str | None:
        """Each note once per session."""
        for note, tracks in (
            (REPEATED_FACE_NOTE, faces.repeated),
            (POSSIBLE_REPETITION_NOTE, faces.uncertain),
        ):
            if tracks and note not in self._notes:
                self._notes.add(note)
                return note
        return None
