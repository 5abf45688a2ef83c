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

from monitor.faces.expression import FaceReader, HeadReader, Reading
from monitor.faces.eye_closure import Eyelids
from monitor.faces.head_pose import KeypointHeads
from monitor.geometry import in_room, inverse
from monitor.registration.base import Masker, Registrar
from monitor.registration.camera_motion import CAMERA_LOST, NOT_LOOKED_AT, Viewpoint
from monitor.seating.assigner import Seating
from monitor.seating.layout_change import Layouts, Moves
from monitor.tracking.appearance import ColourFunction, Wardrobe
from monitor.tracking.id_switch import Crossings
from monitor.tracking.liveness import Camera, Stillness
from monitor.tracking.relative_motion import MARGIN_PX
from monitor.tracking.track_verification import RECENT, Evidence, TrackVerification
from monitor.tracking.tracker import Tracker
from monitor.types import (
    Box,
    Face,
    Frame,
    Grounds,
    ImageBGR,
    Observation,
    Sample,
    Sighting,
    Stretch,
    Track,
    Unknown,
)

PENDING_S = 30.0
"""How long a face's samples wait for it to be confirmed as a person before they are given up, seconds: longer
than people sit quite still (``monitor.tracking.liveness.PICTURE_S``)."""

FOLLOWED_S = 2.0
"""At the end of a session an unconfirmed track whose face is not visible in the last sample counts if it was
followed for so long, seconds. Heuristic, not tuned on data."""

LAID_OUT = "the tiles of the call were laid out anew; {} of {} faces were known"
PICTURES = "faces that have never moved are taken for pictures and are not counted: {}"


class FaceDetector(Protocol):
    """What the pipeline needs of a detector (``monitor.detection.base.Detector``)."""

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """Every face in the picture."""


class FaceProbe(Protocol):
    """Searches single frames for faces that the detector missed
    (``monitor.detection.small_faces.SmallFaceProbe``)."""

    def offer(self, image_bgr: ImageBGR, faces: Sequence[Face], media_s: float) -> None:
        """Take the next frame as the detector got it, with the faces that it reported."""


class Glimpse(Protocol):
    """What a place of the room looks like in a frame (``monitor.tracking.patches.glance``)."""

    def __call__(
        self, image_bgr: ImageBGR, to_room: NDArray[np.float64], box_xyxy: Box, margin_px: int = 0, /
    ) -> NDArray[np.float32] | None:
        """The place, with ``margin_px`` of its surroundings on each side; None where there is nothing to see.
        The margin is passed only where there is a registrar."""


class Pipeline:
    """Frames in, observations out; holds the state of one session's tracks and seats."""

    def __init__(
        self,
        detector: FaceDetector,
        reader: FaceReader,
        tracker: Tracker,
        seating: Seating,
        registrar: Registrar | None = None,
        colours: ColourFunction | None = None,
        glance: Glimpse | None = None,
        heads: HeadReader | None = None,
        masker: Masker | None = None,
        layouts: Layouts | None = None,
        probe: FaceProbe | None = None,
    ) -> None:
        self._detector = detector
        self._reader = reader
        self._tracker = tracker
        self.seating = seating
        self._viewpoint = Viewpoint(registrar, CAMERA_LOST if masker is None else NOT_LOOKED_AT)
        self._wardrobe = Wardrobe(colours)
        self._crossings = Crossings()
        self._glance = glance
        self._stillness = Stillness()
        self._verification = TrackVerification()
        self._pictures: set[int] = set()
        self._now: list[Track] = []
        self._now_s = 0.0
        self._here: set[int] = set()
        self._heads = heads or KeypointHeads()
        self._lids = Eyelids()
        self._masker = masker
        self._layouts = layouts
        self._probe = probe
        self._held_note: str | None = None
        self._pending: dict[int, list[Reading]] = {}
        self._tracks: dict[int, Stretch] = {}
        self._grounds: dict[int, Grounds] = {}
        self._frame_size = (0, 0)
        self._samples = 0

    def process(self, frame: Frame) -> Sample:
        """Everything this frame tells. Frames come in order of time."""
        height, width = frame.image_bgr.shape[:2]
        if self._frame_size not in ((0, 0), (width, height)):
            self._stillness.forget()
        self._frame_size = (width, height)
        self._samples += 1
        note = self._viewpoint.update(frame.image_bgr, frame.media_s)
        to_room = self._viewpoint.to_room
        if self._masker is not None:
            if not self._viewpoint.is_known:
                return Sample(frame.media_s, (), 0, self._frame_size, note=note, looked_at=False)
            # From here on nothing sees the frame as it came.
            frame = replace(frame, image_bgr=self._masker.masked(frame.image_bgr, to_room))
        # People are followed in the room and read in the picture.
        faces = self._detector.detect(frame.image_bgr)
        if self._probe is not None:
            self._probe.offer(frame.image_bgr, faces, frame.media_s)
        moves = self._moves(frame, faces)
        if self._layouts is not None and self._layouts.is_sliding:
            self._held_note = self._held_note or note
            return Sample(frame.media_s, (), 0, self._frame_size, looked_at=False)
        note, self._held_note = note or self._held_note, None
        if self._layouts is not None:
            note = self._follow_tiles(self._layouts, frame, faces, moves, note)
            to_room = self._viewpoint.to_room
        placed = [(in_room(face, to_room), face) for face in faces]
        tracks = self._tracker.update([place for place, _ in placed], frame.media_s)
        pictured = {id(place): face for place, face in placed}
        shown = {track.track_id: pictured[id(track.face)] for track in tracks if track.face is not None}
        tracks, worn = self._crossings.update(tracks, self._wardrobe.worn(frame.image_bgr, shown))
        seen = [(track, pictured[id(track.face)]) for track in tracks if track.face is not None]
        self._continue(tracks)
        read = self._read(frame, seen, tracks)
        unmoved = self._look_for_pictures(frame, tracks)
        unverified = self._verification.unverified
        away = sorted(set(range(self.seating.student_count)) - self._here)
        seats = [(student, self.seating.seat_of(student).box_xyxy) for student in away]
        bare = self._wardrobe.bare(frame.image_bgr, to_room, seats)
        recognised = self._recognised(frame, seen)
        waiting = self._stillness.unmoved | unverified
        students = self.seating.update(tracks, worn, bare, waiting=waiting, recognised=recognised)
        # Who is back on their seat and sits quite still is somebody all the same.
        pictures = unmoved - set(students)
        note = note or self._note_pictures(pictures)
        self._now, self._now_s, self._here = tracks, frame.media_s, set(students.values())
        late = self._admit([track for track in tracks if self._has_left(track)])
        not_counted = pictures | (self._verification.rejected - set(students))
        watched = self.seating.watched(frame.shown)
        observations = self._attribute(students | late) + self._absences(students, frame.media_s, watched)
        self._note_tracks(tracks, students | late)
        if self._layouts is not None:
            boxes = {track.track_id: face.box_xyxy for track, face in seen}
            self._layouts.remember(frame.image_bgr, boxes, students, to_room)
        self._forget(frame.media_s)
        sightings = tuple(
            Sighting(track.track_id, students.get(track.track_id), face.box_xyxy, read[track.track_id])
            for track, face in seen
            if track.track_id not in not_counted
        )
        return Sample(
            frame.media_s,
            tuple(observations),
            len(sightings),
            self._frame_size,
            sightings,
            note,
            late,
            watched=watched,
        )

    def _moves(self, frame: Frame, faces: list[Face]) -> Moves | None:
        """Who is where, if the tiles of a call have been laid out anew since the last sample."""
        if self._layouts is None:
            return None
        boxes = [face.box_xyxy for face in faces]
        return self._layouts.found_again(frame.image_bgr, boxes, self._viewpoint.to_room, frame.media_s)

    def _follow_tiles(
        self, layouts: Layouts, frame: Frame, faces: list[Face], moves: Moves | None, note: str | None
    ) -> str | None:
        """Adapt camera, tracks and seats to the tiles of a call; returns the note of this sample."""
        grid = layouts.grids.confirmed if layouts.grids.is_in_place else None
        self._tracker.keep_within(None if grid is None else grid.tile_of)
        if moves is not None:
            return self._relocate(frame, faces, moves)
        # Borders that stand prove that no camera has moved, whatever changes within the tiles.
        return note if grid is None else self._viewpoint.hold(frame.image_bgr, note)

    def _relocate(self, frame: Frame, faces: list[Face], moves: Moves) -> str:
        """Everybody is somewhere else; returns what should be noted of it."""
        self._viewpoint.restart(frame.image_bgr)
        self._stillness.forget()
        raw = {number: key for key, number in self._crossings.numbers().items()}
        tracks = {track: faces[index] for track, index in moves.tracks.items() if track in raw}
        self._tracker.relocate({raw[track]: face for track, face in tracks.items()})
        self._crossings.relocate({track: face.box_xyxy for track, face in tracks.items()})
        self.seating.relocate({student: faces[index].box_xyxy for student, index in moves.students.items()})
        return LAID_OUT.format(len(moves.tracks), len(faces))

    def _recognised(self, frame: Frame, seen: list[tuple[Track, Face]]) -> dict[int, int]:
        """The known students of tracks that have none yet, ``{track: student}``: by their tile in a call, as
        one tile is one student; else from before the tiles were rearranged."""
        if self._layouts is None:
            return {}
        newcomers = {t.track_id: face.box_xyxy for t, face in seen if self.seating.is_newcomer(t)}
        by_tile = self._layouts.owners(newcomers, self._seat_boxes())
        others = {track: box for track, box in newcomers.items() if track not in by_tile}
        return by_tile | self._layouts.recognised(frame.image_bgr, others)

    def _seat_boxes(self) -> dict[int, Box]:
        return {seat.student: seat.box_xyxy for seat in self.seating.seats}

    def _continue(self, tracks: list[Track]) -> None:
        """Who is nobody yet, was not seen for a while and is back is still the same nobody."""
        for track in tracks:
            if track.before is not None and track.before in self._pending:
                self._pending[track.track_id] = self._pending.pop(track.before)
                self._stillness.continue_as(track.before, track.track_id)
                self._verification.continue_as(track.before, track.track_id)

    def _read(
        self, frame: Frame, seen: list[tuple[Track, Face]], tracks: list[Track]
    ) -> dict[int, tuple[float, ...] | Unknown]:
        """Read and verify the faces of this frame, and keep the readings until their students are known.

        Returns the expression by ``track_id``."""
        faces = [face for _, face in seen]
        heads = self._heads.read(frame.image_bgr, faces)
        readings = self._reader.read(frame.image_bgr, faces, heads)
        for (track, _), reading, head in zip(seen, readings, heads, strict=True):
            self._pending.setdefault(track.track_id, []).append(Reading(frame.media_s, reading, head))
        self._verification.update(
            (
                Evidence(track.track_id, head.mesh_fits, face.confirmed)
                for (track, face), head in zip(seen, heads, strict=True)
            ),
            {track.track_id for track in tracks},
        )
        return {track.track_id: reading for (track, _), reading in zip(seen, readings, strict=True)}

    def _note_pictures(self, pictures: set[int]) -> str | None:
        """What should be noted when another face turns out to be a picture."""
        known, self._pictures = self._pictures, pictures
        return PICTURES.format(len(pictures)) if pictures - known else None

    def _has_left(self, track: Track) -> bool:
        """Whether these readings still wait for a person who has left: a verified face that has moved."""
        is_waiting = track.track_id in self._pending and track.track_id not in self._stillness.unmoved
        is_person = is_waiting and track.track_id not in self._verification.unverified
        return is_person and track.face is None and self._glance is not None

    def _admit(self, tracks: Sequence[Track]) -> dict[int, int]:
        """The students of tracks that were not assigned while their faces were visible, ``{track: student}``:
        as ``Seating.admit``, but a tile of a call whose student is known has no other."""
        by_tile: dict[int, int] = {}
        if self._layouts is not None:
            boxes = {t.track_id: t.box_xyxy for t in tracks if self.seating.is_newcomer(t)}
            by_tile = self._layouts.owners(boxes, self._seat_boxes())
        others = [track for track in tracks if track.track_id not in by_tile]
        times_s = {t.track_id: [one.media_s for one in self._pending.get(t.track_id, ())] for t in others}
        return by_tile | self.seating.admit(others, times_s)

    def _look_for_pictures(self, frame: Frame, tracks: list[Track]) -> set[int]:
        """The tracks that may be pictures on a wall: their faces have not moved for a while."""
        if self._glance is None:
            return set()
        here = {track.track_id: track.box_xyxy for track in tracks if track.face is not None}
        look = partial(self._glance, frame.image_bgr, self._viewpoint.to_room)
        camera = around = None
        if self._viewpoint.is_followed:
            glance, image_bgr, to_room = self._glance, frame.image_bgr, self._viewpoint.to_room
            camera = Camera(inverse(to_room), self._viewpoint.is_known)

            def around(place: Box) -> NDArray[np.float32] | None:
                return glance(image_bgr, to_room, place, MARGIN_PX)

        live = {track.track_id for track in tracks}
        self._stillness.update(here, live, look, frame.media_s, camera, around)
        return self._stillness.pictures(frame.media_s)

    def finish(self) -> Sample | None:
        """At the end of a session: the readings of faces that still wait for confirmation, for which a track
        that was followed long enough counts, visible in the last sample or not, unless it is a picture or was
        not verified as a face. None if there are none.

        In a session of fewer samples than confirmation takes (one photograph, say), where nothing could be
        confirmed, every face that is visible in the last one counts. One of fewer samples than verification
        takes counts unverified faces too."""
        is_short = not self.seating.student_count and self._samples < self.seating.confirm_hits
        if is_short:
            waiting = [replace(track, hits=10**6) for track in self._now if track.face is not None]
        else:
            waiting = [track for track in self._now if self._is_person_at_end(track)]
        students = self._admit([track for track in waiting if track.track_id in self._pending])
        observations = self._attribute(students)
        self._note_tracks(waiting, students)
        if not observations:
            return None
        return Sample(
            max(o.media_s for o in observations), tuple(observations), len(waiting), self._frame_size
        )

    def _is_person_at_end(self, track: Track) -> bool:
        """Whether a track whose readings still wait counts."""
        readings = self._pending.get(track.track_id, [])
        excluded = self._stillness.pictures(self._now_s)
        if self._samples >= RECENT:
            excluded |= self._verification.unverified
        if not readings or track.track_id in excluded:
            return False
        return track.face is not None or readings[-1].media_s - readings[0].media_s >= FOLLOWED_S

    def pop_changed_tracks(self) -> list[Stretch]:
        """The tracks of students that changed since the last call, for the record."""
        changed, self._tracks = list(self._tracks.values()), {}
        return changed

    def _attribute(self, students: dict[int, int]) -> list[Observation]:
        return [
            reading.of(student, self._lids)
            for track_id, student in students.items()
            for reading in self._pending.pop(track_id, [])
        ]

    def _absences(
        self, students: dict[int, int], media_s: float, watched: frozenset[int] | None
    ) -> list[Observation]:
        here = set(students.values())
        return [
            Observation(student, media_s, seen=False, unknown=Unknown.ABSENT)
            for student in range(self.seating.student_count)
            if student not in here and (watched is None or student in watched)
        ]

    def _note_tracks(self, tracks: list[Track], students: dict[int, int]) -> None:
        self._grounds |= {arrival.track_id: arrival.grounds for arrival in self.seating.pop_arrivals()}
        live = {track.track_id for track in tracks}
        self._grounds = {key: value for key, value in self._grounds.items() if key in live}
        for track in tracks:
            if track.track_id in students:
                grounds = self._grounds.get(track.track_id)
                self._tracks[track.track_id] = Stretch(
                    students[track.track_id], replace(track, face=None), grounds
                )

    def _forget(self, media_s: float) -> None:
        for track_id, readings in list(self._pending.items()):
            fresh = [r for r in readings if media_s - r.media_s <= PENDING_S]
            if fresh:
                self._pending[track_id] = fresh
            else:
                del self._pending[track_id]
