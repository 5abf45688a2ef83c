"""Tracking stage: assigns faces to tracks, measures their appearance and corrects ID switches."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.geometry import in_reference_frame
from monitor.seating.layout_change import LayoutMatch
from monitor.session.stages.context import FrameContext
from monitor.tracking.appearance import AppearanceExtractor
from monitor.tracking.id_switch import IdSwitchCorrector
from monitor.tracking.tracker import Tracker
from monitor.types import Face


class TrackingStage:
    """Tracks faces in the reference frame; attributes are read in the frame itself."""

    def __init__(
        self, tracker: Tracker, appearance: AppearanceExtractor, id_corrector: IdSwitchCorrector
    ) -> None:
        self._tracker = tracker
        self._appearance = appearance
        self._id_corrector = id_corrector

    def process(self, context: FrameContext) -> None:
        """Sets ``tracks``, ``visible`` and ``descriptors``."""
        self._tracker.restrict_to_tiles(context.tile_of)
        if context.layout_match is not None:
            self._relocate(context.layout_match, context.faces)
        placed = [in_reference_frame(face, context.to_reference) for face in context.faces]
        in_frame = {id(place): face for place, face in zip(placed, context.faces, strict=True)}
        tracks = self._tracker.update(placed, context.frame.media_s)
        visible = {track.track_id: in_frame[id(track.face)] for track in tracks if track.face is not None}
        descriptors = self._appearance.descriptors(context.image_bgr, visible)
        context.tracks, context.descriptors = self._id_corrector.update(tracks, descriptors)
        context.visible = [
            (track, in_frame[id(track.face)]) for track in context.tracks if track.face is not None
        ]

    def _relocate(self, match: LayoutMatch, faces: Sequence[Face]) -> None:
        """Move the tracks to their faces in the new layout."""
        tracker_ids = {number: key for key, number in self._id_corrector.corrected_ids().items()}
        moved = {track: faces[index] for track, index in match.face_by_track.items() if track in tracker_ids}
        self._tracker.relocate({tracker_ids[track]: face for track, face in moved.items()})
        self._id_corrector.relocate({track: face.box_xyxy for track, face in moved.items()})
