"""Result stage: turns readings into observations of students."""

from __future__ import annotations

from monitor.seating.assigner import SeatAssigner
from monitor.session.readings import PendingReadings
from monitor.session.stages.context import FrameContext
from monitor.session.track_log import TrackLog
from monitor.types import FrameResult, Observation, TrackedFace, UnreadableReason

STATIC_FACES_NOTE = "static faces (images) that are not counted: {}"


class ResultStage:
    """Builds the ``FrameResult`` and records the tracks of students."""

    def __init__(self, assigner: SeatAssigner, readings: PendingReadings, track_log: TrackLog) -> None:
        self._assigner = assigner
        self._readings = readings
        self._track_log = track_log
        self._noted_static_faces = 0

    def process(self, context: FrameContext) -> None:
        """Sets ``result``; updates ``note``."""
        # A student who is back at their seat and sits still is a person.
        static_faces = context.static_faces - set(context.students)
        rejected = context.rejected - set(context.students)
        context.note = context.note or self._static_faces_note(static_faces)
        assigned = {**context.students, **context.late_assignments}
        observations = self._readings.pop_observations(assigned) + self._absences(context)
        self._track_log.record(context.tracks, assigned, self._assigner.pop_reidentifications())
        self._readings.drop_expired(context.frame.media_s)
        tracked_faces = tuple(
            TrackedFace(
                track.track_id,
                context.students.get(track.track_id),
                face.box_xyxy,
                context.expressions[track.track_id],
            )
            for track, face in context.visible
            if track.track_id not in static_faces | rejected
        )
        context.result = FrameResult(
            context.frame.media_s,
            tuple(observations),
            len(tracked_faces),
            context.frame_size,
            tracked_faces,
            context.note,
            context.late_assignments,
            observed_students=context.observed_students,
        )

    def _absences(self, context: FrameContext) -> list[Observation]:
        visible, observed = set(context.students.values()), context.observed_students
        return [
            Observation(student, context.frame.media_s, seen=False, unreadable_reason=UnreadableReason.ABSENT)
            for student in range(self._assigner.student_count)
            if student not in visible and (observed is None or student in observed)
        ]

    def _static_faces_note(self, static_faces: set[int]) -> str | None:
        """A note if more faces are static than ever before, else None.

        After an outage or a change of the frame size the same pictures are tracked anew, with other IDs.
        """
        if len(static_faces) <= self._noted_static_faces:
            return None
        self._noted_static_faces = len(static_faces)
        return STATIC_FACES_NOTE.format(len(static_faces))
