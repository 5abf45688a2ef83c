"""The way of one frame: faces, tracks, students, observations.

Vendor code enters only through the detector, the classifier and the cropper that are handed in;
this module decides what is asked of whom, and in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.attention import KeypointHeads
from monitor.crossing import Crossings
from monitor.domain import Box, Face, Frame, HeadReading, ImageBGR, Observation, Track, Unknown
from monitor.eyes import Eyelids
from monitor.seating import Grounds, Seating
from monitor.stillness import Stillness
from monitor.tracking import Tracker

PENDING_S = 30.0
"""How long a face's samples wait for it to be confirmed as a person before they are given up, seconds: longer
than people sit quite still (``monitor.stillness.PICTURE_S``)."""


STANDING = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Of a camera that has not moved."""


MOVED = 0.04
"""A shift between two samples of more than this share of the picture's width is a knock, or somebody who
turns the camera. Not tuned; the simulated drift is less than a tenth of it."""

BLIND_S = 10.0
"""Where the camera points may be unknown for so long before it is noted, seconds: somebody in front of it."""

CAMERA_MOVED = "the camera was moved; the seats were found again"
CAMERA_LOST = "where the camera points cannot be told from here on; seats are taken to be where they were"
NOT_LOOKED_AT = (
    "where the camera points cannot be told; as seats are masked, nothing is looked at until it can"
)


def in_room(face: Face, to_room: NDArray[np.float64]) -> Face:
    """A face of the picture where it is in the room. Its box stays upright."""
    zoom = float(np.hypot(to_room[0, 0], to_room[1, 0]))
    x, y = to_room @ (*face.centre, 1.0)
    half_width = zoom * (face.box_xyxy[2] - face.box_xyxy[0]) / 2
    half_height = zoom * (face.box_xyxy[3] - face.box_xyxy[1]) / 2
    box = (float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height))
    points = face.keypoints @ to_room[:, :2].T + to_room[:, 2]
    return Face(box, face.score, points.astype(np.float32))


def in_picture(box_xyxy: Box, to_room: NDArray[np.float64]) -> Face:
    """A box of the room where it is in the picture, as a face of which nothing else is known."""
    square = np.vstack([to_room, (0.0, 0.0, 1.0)])
    here = Face(box_xyxy, 0.0, np.full((6, 2), np.nan, np.float32))
    return in_room(here, np.linalg.inv(square)[:2])


class FaceDetector(Protocol):
    """What the pipeline needs of a detector (``monitor.detection.Detector``)."""

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """Every face in the picture."""


class FaceReader(Protocol):
    """Reads expressions from faces of one frame."""

    def read(self, image_bgr: ImageBGR, faces: list[Face]) -> list[tuple[float, ...] | Unknown]:
        """For each face seven calibrated probabilities, or the reason why there are none."""


class HeadReader(Protocol):
    """Reads where heads point and how far eyes are open (``monitor.attention``, ``monitor.heads``)."""

    def read(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadReading]:
        """One reading for each face, in their order."""


@dataclass(frozen=True)
class Sighting:
    """A face of one frame: where, on which track, and whose it is; ``student`` is None before the track is
    confirmed as a person."""

    track_id: int
    student: int | None
    box_xyxy: Box


@dataclass(frozen=True)
class Sample:
    """What one frame gave: the students' observations, for this frame and, once a face is confirmed as a
    person, for the earlier frames that had shown it. ``faces`` counts the detections; ``frame_size`` is
    (width, height) in pixels; ``sightings`` are the faces of this frame; ``note`` is what a person should
    know of it, for the timeline. ``late`` says whose tracks those were, ``{track_id: student}``, of which it
    became known after they had left. ``looked_at`` is False where it could not be told what to mask: then the
    frame is a gap."""

    media_s: float
    observations: tuple[Observation, ...]
    faces: int
    frame_size: tuple[int, int]
    sightings: tuple[Sighting, ...] = ()
    note: str | None = None
    late: Mapping[int, int] = field(default_factory=dict)
    looked_at: bool = True


@dataclass(frozen=True)
class Stretch:
    """A track that is somebody's, and how that was told, None for the first on a seat."""

    student: int
    track: Track
    grounds: Grounds | None


@dataclass(frozen=True)
class _Reading:
    """One face in one frame, before it is known whose it is."""

    media_s: float
    expression: tuple[float, ...] | Unknown
    head: HeadReading

    def of(self, student: int, lids: Eyelids) -> Observation:
        """The same, as an observation of a student."""
        pose, closed = self.head.pose, lids.closed(student, self.head.eye_opening)
        if isinstance(self.expression, Unknown):
            return Observation(student, self.media_s, True, None, self.expression, pose, closed)
        return Observation(student, self.media_s, True, self.expression, None, pose, closed)


class Registrar(Protocol):
    """Follows the camera (``monitor.registration.Registration``)."""

    def to_room(self, image_bgr: ImageBGR) -> NDArray[np.float64] | None:
        """The similarity (2, 3) from the frame's pixels to the room's; None where it cannot be told."""


class Masker(Protocol):
    """Hides the seats that are opted out (``monitor.masking.Masking``)."""

    def masked(self, image_bgr: ImageBGR, to_room: NDArray[np.float64]) -> ImageBGR:
        """A copy of the frame without them."""


Colours = Callable[[ImageBGR, Face], NDArray[np.float32] | None]
"""What is worn below a face (``monitor.clothing.colours``); None where it is not seen."""


Glimpse = Callable[[ImageBGR, NDArray[np.float64], Box], NDArray[np.float32] | None]
"""What a place of the room looks like in a frame (``monitor.glance.glance``); None where there is nothing
to see."""


class NoExpressions:
    """The reader of ``mode: behaviour``: expressions are never computed, not computed and dropped."""

    def read(self, image_bgr: ImageBGR, faces: list[Face]) -> list[tuple[float, ...] | Unknown]:
        """The reason ``not computed`` for every face; the picture is not looked at."""
        del image_bgr
        return [Unknown.NOT_COMPUTED] * len(faces)


class ExpressionReader:
    """Judges the quality of each face, then classifies the good ones in one batch.

    ``assess`` gives a reason not to read a face, or None; ``crop`` cuts a face out the way the
    classifier was trained; ``classify`` maps crops ``(N, 48, 48)`` uint8 to ``(N, 7)`` float32.
    """

    def __init__(
        self,
        assess: Callable[[Face, ImageBGR], Unknown | None],
        crop: Callable[[ImageBGR, Face], NDArray[np.uint8]],
        classify: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    ) -> None:
        self._assess = assess
        self._crop = crop
        self._classify = classify

    def read(self, image_bgr: ImageBGR, faces: list[Face]) -> list[tuple[float, ...] | Unknown]:
        """Seven probabilities or a reason for each face, in their order."""
        reasons = [self._assess(face, image_bgr) for face in faces]
        good = [i for i, reason in enumerate(reasons) if reason is None]
        readings: dict[int, tuple[float, ...]] = {}
        if good:
            crops = np.stack([self._crop(image_bgr, faces[i]) for i in good])
            rows = self._classify(crops)
            readings = {i: tuple(float(p) for p in row) for i, row in zip(good, rows, strict=True)}
        return [reason if reason is not None else readings[i] for i, reason in enumerate(reasons)]


class Pipeline:
    """Frames in, observations out; holds the state of one session's tracks and seats."""

    def __init__(
        self,
        detector: FaceDetector,
        reader: FaceReader,
        tracker: Tracker,
        seating: Seating,
        registrar: Registrar | None = None,
        colours: Colours | None = None,
        glance: Glimpse | None = None,
        heads: HeadReader | None = None,
        masker: Masker | None = None,
    ) -> None:
        self._detector = detector
        self._reader = reader
        self._tracker = tracker
        self.seating = seating
        self._registrar = registrar
        self._colours = colours
        self._crossings = Crossings()
        self._glance = glance
        self._stillness = Stillness()
        self._now: list[Track] = []
        self._now_s = 0.0
        self._here: set[int] = set()
        self._heads = heads or KeypointHeads()
        self._lids = Eyelids()
        self._masker = masker
        self._to_room = STANDING
        self._placed_s, self._is_blind = -1.0, False
        self._pending: dict[int, list[_Reading]] = {}
        self._tracks: dict[int, Stretch] = {}
        self._grounds: dict[int, Grounds] = {}
        self._frame_size = (0, 0)

    def process(self, frame: Frame) -> Sample:
        """Everything this frame tells. Frames come in order of time."""
        height, width = frame.image_bgr.shape[:2]
        self._frame_size = (width, height)
        note = self._place(frame)
        if self._masker is not None:
            if self._placed_s != frame.media_s:
                return Sample(frame.media_s, (), 0, self._frame_size, note=note, looked_at=False)
            # From here on nothing sees the frame as it came.
            frame = replace(frame, image_bgr=self._masker.masked(frame.image_bgr, self._to_room))
        faces = self._detector.detect(frame.image_bgr)
        # People are followed in the room and read in the picture.
        placed = [(in_room(face, self._to_room), face) for face in faces]
        tracks = self._tracker.update([place for place, _ in placed], frame.media_s)
        pictured = {id(place): face for place, face in placed}
        worn = self._worn(frame.image_bgr, tracks, pictured)
        tracks, worn = self._crossings.update(tracks, worn)
        seen = [(track, pictured[id(track.face)]) for track in tracks if track.face is not None]
        self._read(frame, seen)
        pictures = self._look_for_pictures(frame, tracks, is_moved=note is not None)
        students = self.seating.update(
            tracks, worn, self._bare(frame.image_bgr), waiting=self._stillness.unmoved
        )
        self._now, self._now_s, self._here = tracks, frame.media_s, set(students.values())
        late = self.seating.admit([track for track in tracks if self._has_left(track)])
        observations = self._attribute(students | late) + self._absences(students, frame.media_s)
        self._note_tracks(tracks, students | late)
        self._forget(frame.media_s)
        sightings = tuple(
            Sighting(track.track_id, students.get(track.track_id), face.box_xyxy)
            for track, face in seen
            if track.track_id in students or track.track_id not in pictures
        )
        return Sample(
            frame.media_s, tuple(observations), len(sightings), self._frame_size, sightings, note, late
        )

    def _read(self, frame: Frame, seen: list[tuple[Track, Face]]) -> None:
        """What the faces of this frame show, kept until it is known whose they are."""
        faces = [face for _, face in seen]
        readings = self._reader.read(frame.image_bgr, faces)
        heads = self._heads.read(frame.image_bgr, faces)
        for (track, _), reading, head in zip(seen, readings, heads, strict=True):
            self._pending.setdefault(track.track_id, []).append(_Reading(frame.media_s, reading, head))

    def _has_left(self, track: Track) -> bool:
        """Whether these readings still wait for somebody who is not here any more."""
        is_waiting = track.track_id in self._pending and track.track_id not in self._stillness.unmoved
        return is_waiting and track.face is None and self._glance is not None

    def _look_for_pictures(self, frame: Frame, tracks: list[Track], *, is_moved: bool) -> set[int]:
        """The tracks that may be pictures on a wall: their faces have not moved for a while."""
        if self._glance is None:
            return set()
        if is_moved:
            self._stillness.forget()
        here = {track.track_id: track.box_xyxy for track in tracks if track.face is not None}
        look = partial(self._glance, frame.image_bgr, self._to_room)
        self._stillness.update(here, {track.track_id for track in tracks}, look, frame.media_s)
        return self._stillness.pictures(frame.media_s)

    def _worn(
        self, image_bgr: ImageBGR, tracks: list[Track], pictured: dict[int, Face]
    ) -> dict[int, NDArray[np.float32]]:
        """What is worn below the faces of this frame, by track, where it is seen."""
        if self._colours is None:
            return {}
        seen = {
            track.track_id: self._colours(image_bgr, pictured[id(track.face)])
            for track in tracks
            if track.face is not None
        }
        return {track_id: colours for track_id, colours in seen.items() if colours is not None}

    def _bare(self, image_bgr: ImageBGR) -> dict[int, NDArray[np.float32]]:
        """The colours where the clothes of those would be who were not seen in the last sample, by
        student."""
        if self._colours is None:
            return {}
        away = sorted(set(range(self.seating.student_count)) - self._here)
        seats = [in_picture(self.seating.seat_of(student).box_xyxy, self._to_room) for student in away]
        seen = {student: self._colours(image_bgr, seat) for student, seat in zip(away, seats, strict=True)}
        return {student: colours for student, colours in seen.items() if colours is not None}

    def _place(self, frame: Frame) -> str | None:
        """Where the camera points now; where that cannot be told, it is taken to point where it did.

        Returns what should be noted of it: that it was moved, or that it has not been followed for a while.
        """
        if self._registrar is None:
            return None
        found, before = self._registrar.to_room(frame.image_bgr), self._to_room
        if found is None:
            blind_s = frame.media_s - max(0.0, self._placed_s)
            noted, self._is_blind = self._is_blind, blind_s > BLIND_S
            lost = CAMERA_LOST if self._masker is None else NOT_LOOKED_AT
            return lost if self._is_blind and not noted else None
        self._to_room, self._placed_s, self._is_blind = found, frame.media_s, False
        middle = np.array([*(side / 2 for side in self._frame_size), 1.0])
        return CAMERA_MOVED if np.hypot(*((found - before) @ middle)) > MOVED * self._frame_size[0] else None

    def finish(self) -> Sample | None:
        """At the end of a session: the faces that are still waiting are people as far as anyone can tell,
        also those seen less often than confirmation takes where nobody else was seen (one picture, say).
        None when nobody waits."""
        pictures = self._stillness.pictures(self._now_s)
        waiting = [
            track
            for track in self._now
            if track.face is not None and track.track_id in self._pending and track.track_id not in pictures
        ]
        if not self.seating.student_count:
            waiting = [replace(track, hits=10**6) for track in waiting]
        students = self.seating.update(waiting)
        observations = self._attribute(students)
        self._note_tracks(waiting, students)
        if not observations:
            return None
        return Sample(
            max(o.media_s for o in observations), tuple(observations), len(waiting), self._frame_size
        )

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

    def _absences(self, students: dict[int, int], media_s: float) -> list[Observation]:
        here = set(students.values())
        return [
            Observation(student, media_s, seen=False, unknown=Unknown.ABSENT)
            for student in range(self.seating.student_count)
            if student not in here
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
