"""Assigns tracks to students by seat and appearance. Pure.

A track ends when its face is lost for long; a student does not. A seat is the median of the recent boxes of a
student, and a new track at the seat of a student who is not visible is that student again. Identity comes
from the seat, not from a biometric template. If the appearance (``monitor.tracking.appearance``) is known and
differs, another person has sat down there and becomes a student too. If it is unknown, or the empty seat
looks the same, the seat alone decides. A ``Reidentification`` states the basis.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from monitor.assignment import FORBIDDEN, assign
from monitor.geometry import Seat, box_centre, box_width, median_box
from monitor.seating.appearance_store import AppearanceStore
from monitor.types import AssignmentBasis, Box, Track

_BOX_HISTORY = 60  # half a minute at the default rate: then two students who swapped seats own the new ones
_SEEN_HISTORY = 120  # a minute at the default rate: longer than readings stay pending
_MIN_SHARED_SAMPLES = 2  # frames in which a track and a student are both visible: two different people
_DUPLICATE_DISTANCE = 0.5  # face widths; two nearer tracks in one frame are one face detected twice


@dataclass(frozen=True)
class SeatingSettings:
    """Settings of the assignment by seat.

    ``max_seat_distance``: largest distance of a new face from the free seat of its student, face widths. 1.25
    allows for sitting down differently. In the photograph of a lecture hall that the tests use, 2 of 24 faces
    have a nearer neighbour, who keeps the seat while visible.
    ``max_size_ratio``: largest ratio of face sizes.
    ``min_appearance_similarity``: less similar clothing, 0..1, is another person's
    (``monitor.tracking.appearance``). In a simulated lecture hall 98 of 100 comparisons of a person were more
    similar, except for two people who are half occluded, and 15 of 100 of different people.
    """

    max_seat_distance: Annotated[float, Gt(0), Le(5)] = 1.25
    max_size_ratio: Annotated[float, Gt(1), Le(5)] = 1.8
    min_appearance_similarity: Annotated[float, Ge(0), Le(1)] = 0.8


@dataclass(frozen=True)
class Reidentification:
    """Track ``track_id`` appeared at the seat of student ``seat_owner`` and was assigned to ``student`` on
    this ``basis``."""

    track_id: int
    student: int
    seat_owner: int
    basis: AssignmentBasis


class SeatAssigner:
    """Assigns a student to each confirmed track, and keeps the seat and appearance of each student."""

    def __init__(self, settings: SeatingSettings | None = None, *, min_hits: int = 3) -> None:
        self._settings = settings or SeatingSettings()
        self._min_hits = min_hits
        self._student_of: dict[int, int] = {}
        self._boxes: list[deque[Box]] = []
        self._seen_times_s: list[deque[float]] = []
        self._appearances = AppearanceStore()
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
        """Assign students to the tracks visible in one frame.

        Args:
            tracks: all live tracks.
            descriptors: appearance descriptor ``(K,)``, unit norm, of some visible tracks.
            background: descriptors measured at empty seats, by student.
            pending: tracks that may be assigned to a known student but must not create a new one.
            reidentified: ``{track: student}``, which overrides the seat.

        Returns:
            ``{track_id: student}`` for visible tracks, at most one track per student. Students are numbered
            from 0 in order of confirmation.
        """
        descriptors = descriptors or {}
        for student, descriptor in (background or {}).items():
            if student not in self._displaced:
                self._appearances.learn_background(student, descriptor)
        self._appearances.collect(tracks, descriptors, self._student_of.keys())
        visible = [t for t in tracks if t.face is not None and t.hits >= self._min_hits]
        students = self._known_students(tracks, visible, reidentified or {})
        unassigned = [
            t
            for t in visible
            if t.track_id not in students
            and (t.track_id not in descriptors or self._appearances.has_enough(t.track_id))
        ]
        students |= self._assign(unassigned, set(students.values()), pending)
        self._student_of |= students
        for track in visible:
            if track.track_id in students:
                self._learn(students[track.track_id], track, descriptors.get(track.track_id))
        return students

    def _known_students(
        self, tracks: Sequence[Track], visible: Sequence[Track], reidentified: Mapping[int, int]
    ) -> dict[int, int]:
        """The students of visible tracks that were assigned before or are re-identified."""
        live = {t.track_id for t in tracks}
        self._student_of = {k: v for k, v in self._student_of.items() if k in live}
        students: dict[int, int] = {}
        for track in sorted((t for t in visible if t.track_id in self._student_of), key=lambda t: t.track_id):
            # A lost track may return after its seat was assigned to a newer one, which then keeps it.
            if self._student_of[track.track_id] not in students.values():
                students[track.track_id] = self._student_of[track.track_id]
        for track in visible:
            student = reidentified.get(track.track_id)
            if student is not None and student not in students.values():
                students[track.track_id] = student
                self._reseat(student, track.box_xyxy)
        return students

    def _learn(self, student: int, track: Track, descriptor: NDArray[np.float32] | None) -> None:
        """Update seat and appearance of a visible student."""
        self._boxes[student].append(track.box_xyxy)
        self._seen_times_s[student].append(track.last_seen_s)
        self._appearances.learn(student, descriptor)

    def relocate(self, boxes_xyxy: Mapping[int, Box]) -> None:
        """Move the seats of students after a layout change. All others have no seat until they are
        ``reidentified``."""
        for student, box in boxes_xyxy.items():
            self._boxes[student] = deque([box], maxlen=_BOX_HISTORY)
        self._appearances.reset_backgrounds()
        self._displaced = frozenset(range(self.student_count)) - boxes_xyxy.keys()

    def _reseat(self, student: int, box_xyxy: Box) -> None:
        """Give a displaced student a seat again."""
        self._boxes[student] = deque([box_xyxy], maxlen=_BOX_HISTORY)
        self._displaced -= {student}

    def assign_late(
        self, tracks: Sequence[Track], seen_times_s: Mapping[int, Sequence[float]] | None = None
    ) -> dict[int, int]:
        """Assign students to tracks that were not assigned while they were visible; returns ``{track_id:
        student}``.

        ``seen_times_s``: the times at which each track was visible, seconds. A track at the seat of a student
        who was not visible at the same times is that student. Without times, students with a live track are
        excluded.
        """
        unassigned = [t for t in tracks if self.is_unassigned(t)]
        students: dict[int, int] = {}
        for track in sorted(unassigned, key=lambda t: (t.first_seen_s, t.track_id)):
            times = (seen_times_s or {}).get(track.track_id)
            excluded = (
                set(self._student_of.values())
                if times is None
                else {seat.student for seat in self.seats if self._is_different_student(track, seat, times)}
            )
            assigned = self._assign([track], excluded, pending=frozenset())
            student = assigned[track.track_id]
            self._student_of |= assigned
            students |= assigned
            self._boxes[student].append(track.box_xyxy)
            self._seen_times_s[student].extend(times or ())
        return students

    @property
    def min_hits(self) -> int:
        """Detections before a track becomes a student."""
        return self._min_hits

    def _is_different_student(self, track: Track, seat: Seat, seen_times_s: Sequence[float]) -> bool:
        """Whether the student of a seat was visible elsewhere at the same time as the track."""
        shared = set(seen_times_s) & set(self._seen_times_s[seat.student])
        distance = seat_distance(track.box_xyxy, seat.box_xyxy, self._settings)
        return len(shared) >= _MIN_SHARED_SAMPLES and distance > _DUPLICATE_DISTANCE

    def pop_reidentifications(self) -> list[Reidentification]:
        """The re-identifications since the last call."""
        popped, self._reidentifications = self._reidentifications, []
        return popped

    def is_unassigned(self, track: Track) -> bool:
        """Whether a track has enough detections and no student."""
        return track.hits >= self._min_hits and track.track_id not in self._student_of

    def observed_students(self, active_tiles: frozenset[int] | None) -> frozenset[int] | None:
        """The students that a frame with these ``Frame.active_tiles`` can observe; None for all, as in a
        room."""
        return None

    @property
    def student_count(self) -> int:
        """The number of students."""
        return len(self._boxes)

    @property
    def seats(self) -> list[Seat]:
        """The seat of each student, by number."""
        return [self.seat_of(number) for number in range(len(self._boxes))]

    def seat_of(self, student: int) -> Seat:
        """The seat of a student."""
        return Seat(student, median_box(self._boxes[student]))

    def _assign(self, tracks: list[Track], taken: Set[int], pending: Set[int]) -> dict[int, int]:
        """Known students for tracks at free seats, new students for the others that are not ``pending``."""
        unavailable = set(taken) | self._displaced
        free = [seat for seat in self.seats if seat.student not in unavailable] if tracks else []
        assigned = self._match_free_seats(tracks, free)
        for track in tracks:
            if track.track_id not in assigned and track.track_id in pending:
                continue
            owner = assigned.get(track.track_id, self._seat_owner(track, free))
            if track.track_id not in assigned:
                assigned[track.track_id] = self._new_student()
            student = assigned[track.track_id]
            if owner is not None:
                self._reidentifications.append(self._reidentification(track, student, owner))
            self._appearances.assign(track.track_id, student)
        return assigned

    def _new_student(self) -> int:
        self._boxes.append(deque(maxlen=_BOX_HISTORY))
        self._seen_times_s.append(deque(maxlen=_SEEN_HISTORY))
        self._appearances.add_student()
        return len(self._boxes) - 1

    def _seat_owner(self, track: Track, free: list[Seat]) -> int | None:
        """The student of the nearest free seat within reach; None if there is none."""
        distances = [
            (seat_distance(track.box_xyxy, seat.box_xyxy, self._settings), seat.student) for seat in free
        ]
        distance, student = min(distances, default=(FORBIDDEN, None))
        return student if distance < FORBIDDEN else None

    def _reidentification(self, track: Track, student: int, seat_owner: int) -> Reidentification:
        if student != seat_owner:
            basis = AssignmentBasis.DIFFERENT_PERSON
        elif self._appearances.similarity(track.track_id, student) is None:
            basis = AssignmentBasis.SEAT_ONLY
        else:
            basis = AssignmentBasis.SEAT_AND_APPEARANCE
        return Reidentification(track.track_id, student, seat_owner, basis)

    def _match_free_seats(self, tracks: list[Track], free: list[Seat]) -> dict[int, int]:
        if not tracks or not free:
            return {}
        cost = np.array([[self._cost(track, seat) for seat in free] for track in tracks])
        return {tracks[r].track_id: free[c].student for r, c in assign(cost).items()}

    def _cost(self, track: Track, seat: Seat) -> float:
        """Distance plus dissimilarity; forbidden for another person's appearance."""
        distance = seat_distance(track.box_xyxy, seat.box_xyxy, self._settings)
        similarity = self._appearances.similarity(track.track_id, seat.student)
        if similarity is None:
            return distance
        min_similarity = self._settings.min_appearance_similarity
        # Dissimilarity weighs as much as the largest distance, so that it decides between two people at one
        # seat.
        dissimilarity = self._settings.max_seat_distance * (1 - similarity) / (1 - min_similarity + 1e-9)
        return FORBIDDEN if similarity < min_similarity else distance + dissimilarity


def seat_distance(face_xyxy: Box, seat_xyxy: Box, settings: SeatingSettings) -> float:
    """Distance of the centres in face widths of the seat; ``FORBIDDEN`` beyond the largest distance or size
    ratio."""
    width = box_width(seat_xyxy)
    ratio = box_width(face_xyxy) / width
    distance = float(np.hypot(*np.subtract(box_centre(face_xyxy), box_centre(seat_xyxy))) / width)
    max_ratio = settings.max_size_ratio
    is_reachable = distance <= settings.max_seat_distance and 1 / max_ratio <= ratio <= max_ratio
    return distance if is_reachable else FORBIDDEN
