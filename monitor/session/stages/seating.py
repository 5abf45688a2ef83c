"""Seating stage: assigns students to tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.seating.assigner import SeatAssigner
from monitor.seating.layout_change import LayoutChangeDetector
from monitor.session.readings import PendingReadings
from monitor.session.stages.context import FrameContext
from monitor.tracking.appearance import AppearanceExtractor
from monitor.types import Box, Track


class SeatingStage:
    """Assigns students by seat and appearance; in a call, by tile, as one tile is one student."""

    def __init__(
        self,
        assigner: SeatAssigner,
        appearance: AppearanceExtractor,
        readings: PendingReadings,
        layout_detector: LayoutChangeDetector | None = None,
    ) -> None:
        self._assigner = assigner
        self._appearance = appearance
        self._readings = readings
        self._layout_detector = layout_detector
        self._visible_students: set[int] = set()

    def process(self, context: FrameContext) -> None:
        """Sets ``students``, ``late_assignments`` and ``observed_students``."""
        if context.layout_match is not None:
            faces, match = context.faces, context.layout_match
            self._assigner.relocate({s: faces[i].box_xyxy for s, i in match.face_by_student.items()})
        # A student who was visible in the last frame may only look down for a moment.
        away = sorted(set(range(self._assigner.student_count)) - self._visible_students)
        seats = [(student, self._assigner.seat_of(student).box_xyxy) for student in away]
        students = self._assigner.update(
            context.tracks,
            context.descriptors,
            self._appearance.background_descriptors(context.image_bgr, context.to_reference, seats),
            pending=context.unconfirmed
            | self._in_expected_tiles({track.track_id: face.box_xyxy for track, face in context.visible}),
            reidentified=self._reidentify(context),
        )
        self._visible_students = set(students.values())
        context.students = students
        waiting = self._in_expected_tiles({track.track_id: track.box_xyxy for track in context.departed})
        context.late_assignments = self.assign_late(
            [
                track
                for track in context.departed
                if track.track_id in self._readings and track.track_id not in waiting
            ]
        )
        context.observed_students = self._assigner.observed_students(context.frame.active_tiles)
        if self._layout_detector is not None:
            boxes = {track.track_id: face.box_xyxy for track, face in context.visible}
            self._layout_detector.store_reference(context.image_bgr, boxes, students, context.to_reference)

    def assign_late(self, tracks: Sequence[Track]) -> dict[int, int]:
        """The students of tracks that were not assigned while their faces were visible, ``{track: student}``:
        as ``SeatAssigner.assign_late``, but a tile whose student is known has no other."""
        by_tile: dict[int, int] = {}
        if self._layout_detector is not None:
            boxes = {t.track_id: t.box_xyxy for t in tracks if self._assigner.is_unassigned(t)}
            by_tile = self._layout_detector.students_by_tile(boxes, self._seat_boxes())
        others = [track for track in tracks if track.track_id not in by_tile]
        times_s = {track.track_id: self._readings.times_s(track.track_id) for track in others}
        return by_tile | self._assigner.assign_late(others, times_s)

    def _reidentify(self, context: FrameContext) -> dict[int, int]:
        """The known students of unassigned tracks, ``{track: student}``: by their tile, else by their context
        before the layout changed."""
        if self._layout_detector is None:
            return {}
        unassigned = {
            track.track_id: face.box_xyxy
            for track, face in context.visible
            if self._assigner.is_unassigned(track)
        }
        by_tile = self._layout_detector.students_by_tile(unassigned, self._seat_boxes())
        others = {track: box for track, box in unassigned.items() if track not in by_tile}
        return by_tile | self._layout_detector.reidentify(context.image_bgr, others)

    def _in_expected_tiles(self, boxes_xyxy: Mapping[int, Box]) -> frozenset[int]:
        """The tracks in tiles that probably have a student, in a grid that is not certain at present."""
        if self._layout_detector is None:
            return frozenset()
        return self._layout_detector.tracks_in_expected_tiles(boxes_xyxy, self._seat_boxes())

    def _seat_boxes(self) -> dict[int, Box]:
        return {seat.student: seat.box_xyxy for seat in self._assigner.seats}
