"""The way of one frame: faces, tracks, students, observations.

Vendor code enters only through the detector, the classifier and the cropper that are handed in;
this module decides what is asked of whom, and in which order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.faces.expression import ExpressionEstimator, FaceAttributes, HeadPoseEstimator
from monitor.faces.eye_closure import EyeClosureEstimator
from monitor.faces.head_pose import KeypointPoseEstimator
from monitor.geometry import in_reference_frame, inverse
from monitor.registration.base import Masker, MotionEstimator
from monitor.registration.camera_motion import CAMERA_LOST, NOT_ANALYSED, CameraMotion
from monitor.seating.assigner import SeatAssigner
from monitor.seating.layout_change import LayoutChangeDetector, LayoutMatch
from monitor.tracking.appearance import AppearanceExtractor, DescribeAppearance
from monitor.tracking.id_switch import IdSwitchCorrector
from monitor.tracking.liveness import CameraTransform, LivenessFilter
from monitor.tracking.relative_motion import MARGIN_PX
from monitor.tracking.track_verification import WINDOW_SAMPLES, FaceEvidence, TrackVerifier
from monitor.tracking.tracker import Tracker
from monitor.types import (
    AssignmentBasis,
    Box,
    Face,
    Frame,
    FrameResult,
    ImageBGR,
    Observation,
    Track,
    TrackAssignment,
    TrackedFace,
    UnreadableReason,
)

MAX_PENDING_S = 30.0
"""How long a face's samples wait for it to be confirmed as a person before they are given up, seconds: longer
than people sit quite still (``monitor.tracking.liveness.STATIC_AFTER_S``)."""

MIN_FOLLOWED_S = 2.0
"""At the end of a session an unconfirmed track whose face is not visible in the last sample counts if it was
followed for so long, seconds. Heuristic, not tuned on data."""

LAYOUT_NOTE = "the tiles of the call were laid out anew; {} of {} faces were known"
STATIC_FACES_NOTE = "faces that have never moved are taken for pictures and are not counted: {}"


class FaceDetector(Protocol):
    """What the pipeline needs of a detector (``monitor.detection.base.Detector``)."""

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """Every face in the picture."""


class FrameProbe(Protocol):
    """Searches single frames for faces that the detector missed
    (``monitor.detection.small_faces.SmallFaceProbe``)."""

    def submit(self, image_bgr: ImageBGR, faces: Sequence[Face], media_s: float) -> None:
        """Take the next frame as the detector got it, with the faces that it reported."""


class PatchSampler(Protocol):
    """What a place of the room looks like in a frame (``monitor.tracking.patches.sample_patch``)."""

    def __call__(
        self, image_bgr: ImageBGR, to_reference: NDArray[np.float64], box_xyxy: Box, margin_px: int = 0, /
    ) -> NDArray[np.float32] | None:
        """The place, with ``margin_px`` of its surroundings on each side; None where there is nothing to see.
        The margin is passed only where there is a registrar."""


class Pipeline:
    """Frames in, observations out; holds the state of one session's tracks and seats."""

    def __init__(
        self,
        detector: FaceDetector,
        expression_estimator: ExpressionEstimator,
        tracker: Tracker,
        assigner: SeatAssigner,
        motion_estimator: MotionEstimator | None = None,
        describe_appearance: DescribeAppearance | None = None,
        sample_patch: PatchSampler | None = None,
        head_estimator: HeadPoseEstimator | None = None,
        masker: Masker | None = None,
        layout_detector: LayoutChangeDetector | None = None,
        probe: FrameProbe | None = None,
    ) -> None:
        self._detector = detector
        self._expression_estimator = expression_estimator
        self._tracker = tracker
        self.assigner = assigner
        self._camera_motion = CameraMotion(motion_estimator, CAMERA_LOST if masker is None else NOT_ANALYSED)
        self._appearance = AppearanceExtractor(describe_appearance)
        self._id_corrector = IdSwitchCorrector()
        self._sample_patch = sample_patch
        self._liveness = LivenessFilter()
        self._track_verifier = TrackVerifier()
        self._static_faces: set[int] = set()
        self._current_tracks: list[Track] = []
        self._current_s = 0.0
        self._visible_students: set[int] = set()
        self._head_estimator = head_estimator or KeypointPoseEstimator()
        self._eye_closure = EyeClosureEstimator()
        self._masker = masker
        self._layout_detector = layout_detector
        self._probe = probe
        self._held_note: str | None = None
        self._pending: dict[int, list[FaceAttributes]] = {}
        self._changed_tracks: dict[int, TrackAssignment] = {}
        self._basis_of: dict[int, AssignmentBasis] = {}
        self._frame_size = (0, 0)
        self._samples = 0

    def process(self, frame: Frame) -> FrameResult:
        """Everything this frame tells. Frames come in order of time."""
        height, width = frame.image_bgr.shape[:2]
        if self._frame_size not in ((0, 0), (width, height)):
            self._liveness.reset_coordinates()
        self._frame_size = (width, height)
        self._samples += 1
        note = self._camera_motion.update(frame.image_bgr, frame.media_s)
        to_room = self._camera_motion.to_reference
        if self._masker is not None:
            if not self._camera_motion.is_known:
                return FrameResult(frame.media_s, (), 0, self._frame_size, note=note, analysed=False)
            # From here on nothing sees the frame as it came.
            frame = replace(frame, image_bgr=self._masker.mask(frame.image_bgr, to_room))
        # People are followed in the room and read in the picture.
        faces = self._detector.detect(frame.image_bgr)
        if self._probe is not None:
            self._probe.submit(frame.image_bgr, faces, frame.media_s)
        moves = self._match_layout(frame, faces)
        if self._layout_detector is not None and self._layout_detector.in_transition:
            self._held_note = self._held_note or note
            return FrameResult(frame.media_s, (), 0, self._frame_size, analysed=False)
        note, self._held_note = note or self._held_note, None
        if self._layout_detector is not None:
            note = self._follow_tiles(self._layout_detector, frame, faces, moves, note)
            to_room = self._camera_motion.to_reference
        placed = [(in_reference_frame(face, to_room), face) for face in faces]
        tracks = self._tracker.update([place for place, _ in placed], frame.media_s)
        pictured = {id(place): face for place, face in placed}
        shown = {track.track_id: pictured[id(track.face)] for track in tracks if track.face is not None}
        tracks, worn = self._id_corrector.update(tracks, self._appearance.descriptors(frame.image_bgr, shown))
        seen = [(track, pictured[id(track.face)]) for track in tracks if track.face is not None]
        self._continue_tracks(tracks)
        read = self._estimate(frame, seen, tracks)
        unmoved = self._find_static_faces(frame, tracks)
        unverified = self._track_verifier.unverified
        away = sorted(set(range(self.assigner.student_count)) - self._visible_students)
        seats = [(student, self.assigner.seat_of(student).box_xyxy) for student in away]
        bare = self._appearance.background_descriptors(frame.image_bgr, to_room, seats)
        recognised = self._reidentified(frame, seen)
        waiting = self._liveness.unconfirmed | unverified
        students = self.assigner.update(tracks, worn, bare, pending=waiting, reidentified=recognised)
        # Who is back on their seat and sits quite still is somebody all the same.
        pictures = unmoved - set(students)
        note = note or self._note_static_faces(pictures)
        self._current_tracks, self._current_s, self._visible_students = (
            tracks,
            frame.media_s,
            set(students.values()),
        )
        late = self._assign_late([track for track in tracks if self._has_left(track)])
        not_counted = pictures | (self._track_verifier.rejected - set(students))
        watched = self.assigner.observed_students(frame.active_tiles)
        observations = self._observations_of(students | late) + self._absences(
            students, frame.media_s, watched
        )
        self._record_tracks(tracks, students | late)
        if self._layout_detector is not None:
            boxes = {track.track_id: face.box_xyxy for track, face in seen}
            self._layout_detector.store_reference(frame.image_bgr, boxes, students, to_room)
        self._drop_expired(frame.media_s)
        sightings = tuple(
            TrackedFace(track.track_id, students.get(track.track_id), face.box_xyxy, read[track.track_id])
            for track, face in seen
            if track.track_id not in not_counted
        )
        return FrameResult(
            frame.media_s,
            tuple(observations),
            len(sightings),
            self._frame_size,
            sightings,
            note,
            late,
            observed_students=watched,
        )

    def _match_layout(self, frame: Frame, faces: list[Face]) -> LayoutMatch | None:
        """Who is where, if the tiles of a call have been laid out anew since the last sample."""
        if self._layout_detector is None:
            return None
        boxes = [face.box_xyxy for face in faces]
        return self._layout_detector.match_after_change(
            frame.image_bgr, boxes, self._camera_motion.to_reference, frame.media_s
        )

    def _follow_tiles(
        self,
        layout_detector: LayoutChangeDetector,
        frame: Frame,
        faces: list[Face],
        match: LayoutMatch | None,
        note: str | None,
    ) -> str | None:
        """Adapt camera, tracks and seats to the tiles of a call; returns the note of this sample."""
        grid = layout_detector.call_grid.confirmed if layout_detector.call_grid.is_in_place else None
        self._tracker.restrict_to_tiles(None if grid is None else grid.tile_of)
        if match is not None:
            return self._relocate(frame, faces, match)
        # Borders that stand prove that no camera has moved, whatever changes within the tiles.
        return note if grid is None else self._camera_motion.hold_still(frame.image_bgr, note)

    def _relocate(self, frame: Frame, faces: list[Face], match: LayoutMatch) -> str:
        """Everybody is somewhere else; returns what should be noted of it."""
        self._camera_motion.restart(frame.image_bgr)
        self._liveness.reset_coordinates()
        raw = {number: key for key, number in self._id_corrector.corrected_ids().items()}
        tracks = {track: faces[index] for track, index in match.face_by_track.items() if track in raw}
        self._tracker.relocate({raw[track]: face for track, face in tracks.items()})
        self._id_corrector.relocate({track: face.box_xyxy for track, face in tracks.items()})
        self.assigner.relocate(
            {student: faces[index].box_xyxy for student, index in match.face_by_student.items()}
        )
        return LAYOUT_NOTE.format(len(match.face_by_track), len(faces))

    def _reidentified(self, frame: Frame, visible: list[tuple[Track, Face]]) -> dict[int, int]:
        """The known students of tracks that have none yet, ``{track: student}``: by their tile in a call, as
        one tile is one student; else from before the tiles were rearranged."""
        if self._layout_detector is None:
            return {}
        newcomers = {t.track_id: face.box_xyxy for t, face in visible if self.assigner.is_unassigned(t)}
        by_tile = self._layout_detector.students_by_tile(newcomers, self._seat_boxes())
        others = {track: box for track, box in newcomers.items() if track not in by_tile}
        return by_tile | self._layout_detector.reidentify(frame.image_bgr, others)

    def _seat_boxes(self) -> dict[int, Box]:
        return {seat.student: seat.box_xyxy for seat in self.assigner.seats}

    def _continue_tracks(self, tracks: list[Track]) -> None:
        """Who is nobody yet, was not seen for a while and is back is still the same nobody."""
        for track in tracks:
            if track.previous_track_id is not None and track.previous_track_id in self._pending:
                self._pending[track.track_id] = self._pending.pop(track.previous_track_id)
                self._liveness.continue_track(track.previous_track_id, track.track_id)
                self._track_verifier.continue_track(track.previous_track_id, track.track_id)

    def _estimate(
        self, frame: Frame, visible: list[tuple[Track, Face]], tracks: list[Track]
    ) -> dict[int, tuple[float, ...] | UnreadableReason]:
        """Read and verify the faces of this frame, and keep the readings until their students are known.

        Returns the expression by ``track_id``."""
        faces = [face for _, face in visible]
        heads = self._head_estimator.estimate(frame.image_bgr, faces)
        readings = self._expression_estimator.estimate(frame.image_bgr, faces, heads)
        for (track, _), reading, head in zip(visible, readings, heads, strict=True):
            self._pending.setdefault(track.track_id, []).append(FaceAttributes(frame.media_s, reading, head))
        self._track_verifier.update(
            (
                FaceEvidence(track.track_id, head.mesh_fits, face.verified)
                for (track, face), head in zip(visible, heads, strict=True)
            ),
            {track.track_id for track in tracks},
        )
        return {track.track_id: reading for (track, _), reading in zip(visible, readings, strict=True)}

    def _note_static_faces(self, static_faces: set[int]) -> str | None:
        """What should be noted when another face turns out to be a picture."""
        known, self._static_faces = self._static_faces, static_faces
        return STATIC_FACES_NOTE.format(len(static_faces)) if static_faces - known else None

    def _has_left(self, track: Track) -> bool:
        """Whether these readings still wait for a person who has left: a verified face that has moved."""
        is_waiting = track.track_id in self._pending and track.track_id not in self._liveness.unconfirmed
        is_person = is_waiting and track.track_id not in self._track_verifier.unverified
        return is_person and track.face is None and self._sample_patch is not None

    def _assign_late(self, tracks: Sequence[Track]) -> dict[int, int]:
        """The students of tracks that were not assigned while their faces were visible, ``{track: student}``:
        as ``SeatAssigner.admit``, but a tile of a call whose student is known has no other."""
        by_tile: dict[int, int] = {}
        if self._layout_detector is not None:
            boxes = {t.track_id: t.box_xyxy for t in tracks if self.assigner.is_unassigned(t)}
            by_tile = self._layout_detector.students_by_tile(boxes, self._seat_boxes())
        others = [track for track in tracks if track.track_id not in by_tile]
        times_s = {t.track_id: [one.media_s for one in self._pending.get(t.track_id, ())] for t in others}
        return by_tile | self.assigner.assign_late(others, times_s)

    def _find_static_faces(self, frame: Frame, tracks: list[Track]) -> set[int]:
        """The tracks that may be pictures on a wall: their faces have not moved for a while."""
        if self._sample_patch is None:
            return set()
        here = {track.track_id: track.box_xyxy for track in tracks if track.face is not None}
        look = partial(self._sample_patch, frame.image_bgr, self._camera_motion.to_reference)
        camera = around = None
        if self._camera_motion.is_measured:
            glance, image_bgr, to_room = self._sample_patch, frame.image_bgr, self._camera_motion.to_reference
            camera = CameraTransform(inverse(to_room), self._camera_motion.is_known)

            def around(place: Box) -> NDArray[np.float32] | None:
                return glance(image_bgr, to_room, place, MARGIN_PX)

        live = {track.track_id for track in tracks}
        self._liveness.update(here, live, look, frame.media_s, camera, around)
        return self._liveness.static_faces(frame.media_s)

    def finish(self) -> FrameResult | None:
        """At the end of a session: the readings of faces that still wait for confirmation, for which a track
        that was followed long enough counts, visible in the last sample or not, unless it is a picture or was
        not verified as a face. None if there are none.

        In a session of fewer samples than confirmation takes (one photograph, say), where nothing could be
        confirmed, every face that is visible in the last one counts. One of fewer samples than verification
        takes counts unverified faces too."""
        is_short = not self.assigner.student_count and self._samples < self.assigner.min_hits
        if is_short:
            waiting = [replace(track, hits=10**6) for track in self._current_tracks if track.face is not None]
        else:
            waiting = [track for track in self._current_tracks if self._is_person_at_end(track)]
        students = self._assign_late([track for track in waiting if track.track_id in self._pending])
        observations = self._observations_of(students)
        self._record_tracks(waiting, students)
        if not observations:
            return None
        return FrameResult(
            max(o.media_s for o in observations), tuple(observations), len(waiting), self._frame_size
        )

    def _is_person_at_end(self, track: Track) -> bool:
        """Whether a track whose readings still wait counts."""
        readings = self._pending.get(track.track_id, [])
        excluded = self._liveness.static_faces(self._current_s)
        if self._samples >= WINDOW_SAMPLES:
            excluded |= self._track_verifier.unverified
        if not readings or track.track_id in excluded:
            return False
        return track.face is not None or readings[-1].media_s - readings[0].media_s >= MIN_FOLLOWED_S

    def pop_changed_tracks(self) -> list[TrackAssignment]:
        """The tracks of students that changed since the last call, for the record."""
        changed, self._changed_tracks = list(self._changed_tracks.values()), {}
        return changed

    def _observations_of(self, students: dict[int, int]) -> list[Observation]:
        return [
            reading.to_observation(student, self._eye_closure)
            for track_id, student in students.items()
            for reading in self._pending.pop(track_id, [])
        ]

    def _absences(
        self, students: dict[int, int], media_s: float, observed_students: frozenset[int] | None
    ) -> list[Observation]:
        here = set(students.values())
        return [
            Observation(student, media_s, seen=False, unreadable_reason=UnreadableReason.ABSENT)
            for student in range(self.assigner.student_count)
            if student not in here and (observed_students is None or student in observed_students)
        ]

    def _record_tracks(self, tracks: list[Track], students: dict[int, int]) -> None:
        self._basis_of |= {
            arrival.track_id: arrival.basis for arrival in self.assigner.pop_reidentifications()
        }
        live = {track.track_id for track in tracks}
        self._basis_of = {key: value for key, value in self._basis_of.items() if key in live}
        for track in tracks:
            if track.track_id in students:
                grounds = self._basis_of.get(track.track_id)
                self._changed_tracks[track.track_id] = TrackAssignment(
                    students[track.track_id], replace(track, face=None), grounds
                )

    def _drop_expired(self, media_s: float) -> None:
        for track_id, readings in list(self._pending.items()):
            fresh = [r for r in readings if media_s - r.media_s <= MAX_PENDING_S]
            if fresh:
                self._pending[track_id] = fresh
            else:
                del self._pending[track_id]
