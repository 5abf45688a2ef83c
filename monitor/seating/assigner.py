"""Tracks become students by where they sit.

A track ends when its face is lost for long; a student does not. A seat is learnt from where a
track's face stays (the median of its recent boxes), and a new track that begins at a seat whose
student is not in view is that student again. Identity comes from the seat, not from a biometric
template. Where the colours of clothing are known (``monitor.tracking.appearance``) and differ, somebody else has
sat down there, who is a student of their own; where they are not known, or the same colours are there
when nobody is, the seat alone decides, and an ``Reidentification`` says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from monitor.assignment import FORBIDDEN, assign
from monitor.geometry import Seat
from monitor.tracking.appearance_model import MIN_SAMPLES, AppearanceModel
from monitor.types import AssignmentBasis, Box, Track

_BOX_HISTORY = 60  # half a minute at the default rate: so soon two who changed places own the new ones
_MIN_BACKGROUND_SAMPLES = 40  # samples, twenty seconds at the default rate: longer than most look down for
_SEEN_HISTORY = 120  # samples, a minute at the default rate: longer than readings wait for a student
_MIN_SHARED_SAMPLES = 2  # samples in which a track and a student were both seen: then they are two people
_DUPLICATE_DISTANCE = 0.5  # face widths; nearer than this two tracks seen together are one face found twice
_OCCLUDER_SIMILARITY = 0.9  # not tuned; what stands in front of a seat is as like itself as clothes are


@dataclass(frozen=True)
class SeatingSettings:
    """``max_seat_distance``: how far from a free seat, in face widths, a new face is still its student's.
    1.25 allows for sitting down differently. In the lecture hall photograph that the project tests with,
    2 of 24 faces have a neighbour nearer than that, who keeps their seat as long as they are seen.
    ``max_size_ratio``: how much nearer or further the face may have come.
    ``min_appearance_similarity``: clothes less alike than this (0..1, see ``monitor.tracking.appearance``) are somebody else's. In
    a simulated lecture hall a person was as like themselves in 98 of 100 comparisons, but for two whom
    others half hide, and 15 of 100 pairs of different people were as alike."""

    max_seat_distance: Annotated[float, Gt(0), Le(5)] = 1.25
    max_size_ratio: Annotated[float, Gt(1), Le(5)] = 1.8
    min_appearance_similarity: Annotated[float, Ge(0), Le(1)] = 0.8


@dataclass(frozen=True)
class Reidentification:
    """Track ``track_id`` came to the seat of student ``seat_owner``, and is taken for ``student`` on these
    ``basis``."""

    track_id: int
    student: int
    seat_owner: int
    basis: AssignmentBasis


class SeatAssigner:
    """Gives each confirmed track its student, and remembers where everyone sits."""

    def __init__(self, settings: SeatingSettings | None = None, *, min_hits: int = 3) -> None:
        self._settings = settings or SeatingSettings()
        self._min_hits = min_hits
        self._student_of: dict[int, int] = {}
        self._boxes: list[deque[Box]] = []
        self._seen_times_s: list[deque[float]] = []
        self._appearances: list[AppearanceModel] = []
        self._backgrounds: list[AppearanceModel] = []
        self._unassigned_appearances: dict[int, AppearanceModel] = {}
        self._reidentifications: list[Reidentification] = []
        self._displaced: frozenset[int] = frozenset()

    def update(
        self,
        tracks: Sequence[Track],
        descriptors: Mapping[int, NDArray[np.float32]] | None = None,
        background: Mapping[int, NDArray[np.float32]] | None = None,
        pending: Set[int] = frozenset(),
        reidentified: Mapping[int, int] | None = None,
    ) -> dict[int, int]:
        """Take all live tracks of one sample; return ``{track_id: student}`` for those seen in it.

        ``descriptors`` has the clothing's colours, ``(K,)`` of length 1, of some of the tracks seen; ``background``
        the colours in the same place at the seats, by student, of some who were not seen. The tracks
        ``pending`` may be somebody who is known already, but nobody new yet. The newcomers ``reidentified`` are
        these students, wherever they sit (``relocate``). Students are numbered from 0
        in the order they were first confirmed. No two tracks of one sample have the same student.
        """
        descriptors = descriptors or {}
        for student, there in (background or {}).items():
            if student not in self._displaced:
                self._backgrounds[student].add(there)
        self._collect_descriptors(tracks, descriptors)
        seen = [t for t in tracks if t.face is not None and t.hits >= self._min_hits]
        live = {t.track_id for t in tracks}
        self._student_of = {k: v for k, v in self._student_of.items() if k in live}
        students: dict[int, int] = {}
        for track in sorted((t for t in seen if t.track_id in self._student_of), key=lambda t: t.track_id):
            # A lost track may come back after its seat was given to a newer one: the newer stays.
            if self._student_of[track.track_id] not in students.values():
                students[track.track_id] = self._student_of[track.track_id]
        for track in seen:
            known = (reidentified or {}).get(track.track_id)
            if known is not None and known not in students.values():
                students[track.track_id] = known
                self._reseat(known, track.box_xyxy)
        newcomers = [
            t for t in seen if t.track_id not in students and self._has_enough_samples(t, descriptors)
        ]
        students |= self._assign(newcomers, set(students.values()), pending)
        self._student_of |= students
        for track in seen:
            if track.track_id in students:
                self._boxes[students[track.track_id]].append(track.box_xyxy)
                self._seen_times_s[students[track.track_id]].append(track.last_seen_s)
                self._backgrounds[students[track.track_id]] = AppearanceModel()
                if track.track_id in descriptors:
                    self._appearances[students[track.track_id]].add(descriptors[track.track_id])
        return students

    def relocate(self, boxes_xyxy: Mapping[int, Box]) -> None:
        """Everybody sits elsewhere from now on: these students here, and of the others nobody knows where,
        until one of them is ``reidentified``."""
        for student, box in boxes_xyxy.items():
            self._boxes[student] = deque([box], maxlen=_BOX_HISTORY)
        self._backgrounds = [AppearanceModel() for _ in self._backgrounds]
        self._displaced = frozenset(range(self.student_count)) - boxes_xyxy.keys()

    def _reseat(self, student: int, box_xyxy: Box) -> None:
        """Somebody who was adrift has a seat again."""
        self._boxes[student] = deque([box_xyxy], maxlen=_BOX_HISTORY)
        self._displaced -= {student}

    def assign_late(
        self, tracks: Sequence[Track], seen_times_s: Mapping[int, Sequence[float]] | None = None
    ) -> dict[int, int]:
        """Assign students to tracks that were not assigned while they were seen; return ``{track_id:
        student}``.

        ``seen_times_s`` has the times at which each track was seen, seconds. A track on the seat of a student who
        was not seen at the same times is that student. Without times, students that have a live track are
        others.
        """
        newcomers = [t for t in tracks if t.hits >= self._min_hits and t.track_id not in self._student_of]
        students: dict[int, int] = {}
        for track in sorted(newcomers, key=lambda t: (t.first_seen_s, t.track_id)):
            times = (seen_times_s or {}).get(track.track_id)
            others = (
                set(self._student_of.values())
                if times is None
                else {seat.student for seat in self.seats if self._is_different_student(track, seat, times)}
            )
            given = self._assign([track], others, pending=frozenset())
            student = given[track.track_id]
            self._student_of |= given
            students |= given
            self._boxes[student].append(track.box_xyxy)
            self._seen_times_s[student].extend(times or ())
        return students

    @property
    def min_hits(self) -> int:
        """Detections before a track is a person."""
        return self._min_hits

    def _is_different_student(self, track: Track, seat: Seat, seen_times_s: Sequence[float]) -> bool:
        """Whether the student of a seat was seen elsewhere while the track was."""
        together = set(seen_times_s) & set(self._seen_times_s[seat.student])
        away = seat_distance(track.box_xyxy, seat.box_xyxy, self._settings)
        return len(together) >= _MIN_SHARED_SAMPLES and away > _DUPLICATE_DISTANCE

    def pop_reidentifications(self) -> list[Reidentification]:
        """Who has come to a known seat since the last call."""
        arrivals, self._reidentifications = self._reidentifications, []
        return arrivals

    def is_unassigned(self, track: Track) -> bool:
        """Whether a track is a person by now, and nobody knows whose it is."""
        return track.hits >= self._min_hits and track.track_id not in self._student_of

    def _has_enough_samples(self, track: Track, descriptors: Mapping[int, NDArray[np.float32]]) -> bool:
        """Whether enough is known of a newcomer: of clothes that can be seen, a few samples."""
        looks = self._unassigned_appearances.get(track.track_id)
        return looks is None or track.track_id not in descriptors or looks.samples >= MIN_SAMPLES

    def _collect_descriptors(
        self, tracks: Sequence[Track], descriptors: Mapping[int, NDArray[np.float32]]
    ) -> None:
        """Remember what those wear who are nobody yet."""
        live = {track.track_id for track in tracks}
        self._unassigned_appearances = {
            track_id: looks for track_id, looks in self._unassigned_appearances.items() if track_id in live
        }
        for track_id, seen in descriptors.items():
            if track_id not in self._student_of:
                self._unassigned_appearances.setdefault(track_id, AppearanceModel()).add(seen)

    def observed_students(self, active_tiles: frozenset[int] | None) -> frozenset[int] | None:
        """The students of whom a frame tells anything, given its places with something to see
        (``Frame.shown``); None for everybody, as in a room."""
        return None

    @property
    def student_count(self) -> int:
        """How many students are known; they are numbered from 0."""
        return len(self._boxes)

    @property
    def seats(self) -> list[Seat]:
        """One seat per student, by number."""
        return [self.seat_of(number) for number in range(len(self._boxes))]

    def seat_of(self, student: int) -> Seat:
        """Where one of the students sits."""
        return Seat(student, _median_box(self._boxes[student]))

    def _assign(self, tracks: list[Track], taken: Set[int], pending: Set[int]) -> dict[int, int]:
        """Known students for the newcomers at free seats, new numbers for the rest."""
        nobodys = set(taken) | self._displaced
        free = [seat for seat in self.seats if seat.student not in nobodys] if tracks else []
        given = self._match_free_seats(tracks, free)
        for track in tracks:
            if track.track_id not in given and track.track_id in pending:
                continue
            owner = given.get(track.track_id, self._seat_owner(track, free))
            if track.track_id not in given:
                given[track.track_id] = len(self._boxes)
                self._boxes.append(deque(maxlen=_BOX_HISTORY))
                self._seen_times_s.append(deque(maxlen=_SEEN_HISTORY))
                self._appearances.append(AppearanceModel())
                self._backgrounds.append(AppearanceModel())
            if owner is not None:
                self._reidentifications.append(self._reidentification(track, given[track.track_id], owner))
            looks = self._unassigned_appearances.pop(track.track_id, None)
            if looks is not None and self._appearances[given[track.track_id]].samples == 0:
                self._appearances[given[track.track_id]] = looks
        return given

    def _seat_owner(self, track: Track, free: list[Seat]) -> int | None:
        """Whose seat the newcomer sits on, nearest first; None on no known one."""
        near = [(seat_distance(track.box_xyxy, seat.box_xyxy, self._settings), seat.student) for seat in free]
        reachable = [(away, student) for away, student in near if away < FORBIDDEN]
        return min(reachable)[1] if reachable else None

    def _reidentification(self, track: Track, student: int, seat_owner: int) -> Reidentification:
        if self._appearance_similarity(track, student) is None and student == seat_owner:
            return Reidentification(track.track_id, student, seat_owner, AssignmentBasis.SEAT_ONLY)
        grounds = (
            AssignmentBasis.SEAT_AND_APPEARANCE if student == seat_owner else AssignmentBasis.DIFFERENT_PERSON
        )
        return Reidentification(track.track_id, student, seat_owner, grounds)

    def _appearance_similarity(self, track: Track, student: int) -> float | None:
        looks = self._unassigned_appearances.get(track.track_id)
        return (
            None
            if looks is None or self._is_seat_occluded(student)
            else looks.similarity(self._appearances[student])
        )

    def _is_seat_occluded(self, student: int) -> bool:
        """Whether what was taken for the student's clothes was still there when nobody was seen: something in
        front of the seat, perhaps, which tells nothing about who sits behind it."""
        bare = self._backgrounds[student]
        alike = bare.similarity(self._appearances[student])
        return bare.samples >= _MIN_BACKGROUND_SAMPLES and alike is not None and alike >= _OCCLUDER_SIMILARITY

    def _match_free_seats(self, tracks: list[Track], free: list[Seat]) -> dict[int, int]:
        if not tracks or not free:
            return {}
        cost = np.array([[self._cost(track, seat) for seat in free] for track in tracks])
        return {tracks[r].track_id: free[c].student for r, c in assign(cost).items()}

    def _cost(self, track: Track, seat: Seat) -> float:
        """Distance and unlikeness; forbidden where the clothes are somebody else's."""
        away, likeness = (
            seat_distance(track.box_xyxy, seat.box_xyxy, self._settings),
            self._appearance_similarity(track, seat.student),
        )
        if likeness is None:
            return away
        # Where owner and visitor have one seat, the clothes decide: they weigh as much as the whole reach.
        unlike = (
            self._settings.max_seat_distance
            * (1 - likeness)
            / (1 - self._settings.min_appearance_similarity + 1e-9)
        )
        return FORBIDDEN if likeness < self._settings.min_appearance_similarity else away + unlike


def seat_distance(face_xyxy: Box, seat_xyxy: Box, settings: SeatingSettings) -> float:
    """Centre distance in seat face widths, or ``FORBIDDEN`` beyond reach or size."""
    width = seat_xyxy[2] - seat_xyxy[0]
    ratio = (face_xyxy[2] - face_xyxy[0]) / width
    away = (
        np.hypot(*(np.add(face_xyxy[:2], face_xyxy[2:]) - np.add(seat_xyxy[:2], seat_xyxy[2:])) / 2) / width
    )
    fits = (
        away <= settings.max_seat_distance and 1 / settings.max_size_ratio <= ratio <= settings.max_size_ratio
    )
    return float(away) if fits else FORBIDDEN


def _median_box(boxes: Iterable[Box]) -> Box:
    x1, y1, x2, y2 = np.median(np.array(list(boxes)), axis=0)
    return float(x1), float(y1), float(x2), float(y2)
