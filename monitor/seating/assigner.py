"""Tracks become students by where they sit.

A track ends when its face is lost for long; a student does not. A seat is learnt from where a
track's face stays (the median of its recent boxes), and a new track that begins at a seat whose
student is not in view is that student again. Identity comes from the seat, not from a biometric
template. Where the colours of clothing are known (``monitor.tracking.appearance``) and differ, somebody else has
sat down there, who is a student of their own; where they are not known, or the same colours are there
when nobody is, the seat alone decides, and an ``Arrival`` says so.
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
from monitor.tracking.appearance_model import NEEDED, Looks
from monitor.types import Box, Grounds, Track

_BOXES_REMEMBERED = 60  # half a minute at the default rate: so soon two who changed places own the new ones
_BARE_NEEDED = 40  # samples, twenty seconds at the default rate: longer than most look down for
_SEEN_REMEMBERED = 120  # samples, a minute at the default rate: longer than readings wait for a student
_TOGETHER = 2  # samples in which a track and a student were both seen: then they are two people
_SAME_PLACE = 0.5  # face widths; nearer than this two tracks seen together are one face found twice
_BARE_LIKENESS = 0.9  # not tuned; what stands in front of a seat is as like itself as clothes are


@dataclass(frozen=True)
class SeatingSettings:
    """``reach``: how far from a free seat, in face widths, a new face is still its student's.
    1.25 allows for sitting down differently. In the lecture hall photograph that the project tests with,
    2 of 24 faces have a neighbour nearer than that, who keeps their seat as long as they are seen.
    ``max_size_ratio``: how much nearer or further the face may have come.
    ``min_likeness``: clothes less alike than this (0..1, see ``monitor.tracking.appearance``) are somebody else's. In
    a simulated lecture hall a person was as like themselves in 98 of 100 comparisons, but for two whom
    others half hide, and 15 of 100 pairs of different people were as alike."""

    reach: Annotated[float, Gt(0), Le(5)] = 1.25
    max_size_ratio: Annotated[float, Gt(1), Le(5)] = 1.8
    min_likeness: Annotated[float, Ge(0), Le(1)] = 0.8


@dataclass(frozen=True)
class Arrival:
    """Track ``track_id`` came to the seat of student ``owner``, and is taken for ``student`` on these
    ``grounds``."""

    track_id: int
    student: int
    owner: int
    grounds: Grounds


class Seating:
    """Gives each confirmed track its student, and remembers where everyone sits."""

    def __init__(self, settings: SeatingSettings | None = None, *, confirm_hits: int = 3) -> None:
        self._settings = settings or SeatingSettings()
        self._confirm_hits = confirm_hits
        self._student_of: dict[int, int] = {}
        self._boxes: list[deque[Box]] = []
        self._seen_s: list[deque[float]] = []
        self._looks: list[Looks] = []
        self._bare: list[Looks] = []
        self._new_looks: dict[int, Looks] = {}
        self._arrivals: list[Arrival] = []
        self._adrift: frozenset[int] = frozenset()

    def update(
        self,
        tracks: Sequence[Track],
        colours: Mapping[int, NDArray[np.float32]] | None = None,
        bare: Mapping[int, NDArray[np.float32]] | None = None,
        waiting: Set[int] = frozenset(),
        recognised: Mapping[int, int] | None = None,
    ) -> dict[int, int]:
        """Take all live tracks of one sample; return ``{track_id: student}`` for those seen in it.

        ``colours`` has the clothing's colours, ``(K,)`` of length 1, of some of the tracks seen; ``bare``
        the colours in the same place at the seats, by student, of some who were not seen. The tracks
        ``waiting`` may be somebody who is known already, but nobody new yet. The newcomers ``recognised`` are
        these students, wherever they sit (``relocate``). Students are numbered from 0
        in the order they were first confirmed. No two tracks of one sample have the same student.
        """
        colours = colours or {}
        for student, there in (bare or {}).items():
            if student not in self._adrift:
                self._bare[student].add(there)
        self._notice(tracks, colours)
        seen = [t for t in tracks if t.face is not None and t.hits >= self._confirm_hits]
        live = {t.track_id for t in tracks}
        self._student_of = {k: v for k, v in self._student_of.items() if k in live}
        students: dict[int, int] = {}
        for track in sorted((t for t in seen if t.track_id in self._student_of), key=lambda t: t.track_id):
            # A lost track may come back after its seat was given to a newer one: the newer stays.
            if self._student_of[track.track_id] not in students.values():
                students[track.track_id] = self._student_of[track.track_id]
        for track in seen:
            known = (recognised or {}).get(track.track_id)
            if known is not None and known not in students.values():
                students[track.track_id] = known
                self._settle(known, track.box_xyxy)
        newcomers = [t for t in seen if t.track_id not in students and self._is_ready(t, colours)]
        students |= self._seat(newcomers, set(students.values()), waiting)
        self._student_of |= students
        for track in seen:
            if track.track_id in students:
                self._boxes[students[track.track_id]].append(track.box_xyxy)
                self._seen_s[students[track.track_id]].append(track.last_s)
                self._bare[students[track.track_id]] = Looks()
                if track.track_id in colours:
                    self._looks[students[track.track_id]].add(colours[track.track_id])
        return students

    def relocate(self, boxes_xyxy: Mapping[int, Box]) -> None:
        """Everybody sits elsewhere from now on: these students here, and of the others nobody knows where,
        until one of them is ``recognised``."""
        for student, box in boxes_xyxy.items():
            self._boxes[student] = deque([box], maxlen=_BOXES_REMEMBERED)
        self._bare = [Looks() for _ in self._bare]
        self._adrift = frozenset(range(self.student_count)) - boxes_xyxy.keys()

    def _settle(self, student: int, box_xyxy: Box) -> None:
        """Somebody who was adrift has a seat again."""
        self._boxes[student] = deque([box_xyxy], maxlen=_BOXES_REMEMBERED)
        self._adrift -= {student}

    def admit(
        self, tracks: Sequence[Track], seen_s: Mapping[int, Sequence[float]] | None = None
    ) -> dict[int, int]:
        """Assign students to tracks that were not assigned while they were seen; return ``{track_id:
        student}``.

        ``seen_s`` has the times at which each track was seen, seconds. A track on the seat of a student who
        was not seen at the same times is that student. Without times, students that have a live track are
        others.
        """
        newcomers = [t for t in tracks if t.hits >= self._confirm_hits and t.track_id not in self._student_of]
        students: dict[int, int] = {}
        for track in sorted(newcomers, key=lambda t: (t.first_s, t.track_id)):
            times = (seen_s or {}).get(track.track_id)
            others = (
                set(self._student_of.values())
                if times is None
                else {seat.student for seat in self.seats if self._is_another(track, seat, times)}
            )
            given = self._seat([track], others, waiting=frozenset())
            student = given[track.track_id]
            self._student_of |= given
            students |= given
            self._boxes[student].append(track.box_xyxy)
            self._seen_s[student].extend(times or ())
        return students

    @property
    def confirm_hits(self) -> int:
        """Detections before a track is a person."""
        return self._confirm_hits

    def _is_another(self, track: Track, seat: Seat, times_s: Sequence[float]) -> bool:
        """Whether the student of a seat was seen elsewhere while the track was."""
        together = set(times_s) & set(self._seen_s[seat.student])
        away = seat_distance(track.box_xyxy, seat.box_xyxy, self._settings)
        return len(together) >= _TOGETHER and away > _SAME_PLACE

    def pop_arrivals(self) -> list[Arrival]:
        """Who has come to a known seat since the last call."""
        arrivals, self._arrivals = self._arrivals, []
        return arrivals

    def is_newcomer(self, track: Track) -> bool:
        """Whether a track is a person by now, and nobody knows whose it is."""
        return track.hits >= self._confirm_hits and track.track_id not in self._student_of

    def _is_ready(self, track: Track, colours: Mapping[int, NDArray[np.float32]]) -> bool:
        """Whether enough is known of a newcomer: of clothes that can be seen, a few samples."""
        looks = self._new_looks.get(track.track_id)
        return looks is None or track.track_id not in colours or looks.samples >= NEEDED

    def _notice(self, tracks: Sequence[Track], colours: Mapping[int, NDArray[np.float32]]) -> None:
        """Remember what those wear who are nobody yet."""
        live = {track.track_id for track in tracks}
        self._new_looks = {track_id: looks for track_id, looks in self._new_looks.items() if track_id in live}
        for track_id, seen in colours.items():
            if track_id not in self._student_of:
                self._new_looks.setdefault(track_id, Looks()).add(seen)

    def watched(self, shown: frozenset[int] | None) -> frozenset[int] | None:
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

    def _seat(self, newcomers: list[Track], taken: Set[int], waiting: Set[int]) -> dict[int, int]:
        """Known students for the newcomers at free seats, new numbers for the rest."""
        nobodys = set(taken) | self._adrift
        free = [seat for seat in self.seats if seat.student not in nobodys] if newcomers else []
        given = self._nearest_free(newcomers, free)
        for track in newcomers:
            if track.track_id not in given and track.track_id in waiting:
                continue
            owner = given.get(track.track_id, self._owner(track, free))
            if track.track_id not in given:
                given[track.track_id] = len(self._boxes)
                self._boxes.append(deque(maxlen=_BOXES_REMEMBERED))
                self._seen_s.append(deque(maxlen=_SEEN_REMEMBERED))
                self._looks.append(Looks())
                self._bare.append(Looks())
            if owner is not None:
                self._arrivals.append(self._arrival(track, given[track.track_id], owner))
            looks = self._new_looks.pop(track.track_id, None)
            if looks is not None and self._looks[given[track.track_id]].samples == 0:
                self._looks[given[track.track_id]] = looks
        return given

    def _owner(self, track: Track, free: list[Seat]) -> int | None:
        """Whose seat the newcomer sits on, nearest first; None on no known one."""
        near = [(seat_distance(track.box_xyxy, seat.box_xyxy, self._settings), seat.student) for seat in free]
        reachable = [(away, student) for away, student in near if away < FORBIDDEN]
        return min(reachable)[1] if reachable else None

    def _arrival(self, track: Track, student: int, owner: int) -> Arrival:
        if self._likeness(track, student) is None and student == owner:
            return Arrival(track.track_id, student, owner, Grounds.SEAT)
        grounds = Grounds.CLOTHES if student == owner else Grounds.OTHER
        return Arrival(track.track_id, student, owner, grounds)

    def _likeness(self, track: Track, student: int) -> float | None:
        looks = self._new_looks.get(track.track_id)
        return None if looks is None or self._is_hidden(student) else looks.likeness(self._looks[student])

    def _is_hidden(self, student: int) -> bool:
        """Whether what was taken for the student's clothes was still there when nobody was seen: something in
        front of the seat, perhaps, which tells nothing about who sits behind it."""
        bare = self._bare[student]
        alike = bare.likeness(self._looks[student])
        return bare.samples >= _BARE_NEEDED and alike is not None and alike >= _BARE_LIKENESS

    def _nearest_free(self, newcomers: list[Track], free: list[Seat]) -> dict[int, int]:
        if not newcomers or not free:
            return {}
        cost = np.array([[self._cost(track, seat) for seat in free] for track in newcomers])
        return {newcomers[r].track_id: free[c].student for r, c in assign(cost).items()}

    def _cost(self, track: Track, seat: Seat) -> float:
        """Distance and unlikeness; forbidden where the clothes are somebody else's."""
        away, likeness = (
            seat_distance(track.box_xyxy, seat.box_xyxy, self._settings),
            self._likeness(track, seat.student),
        )
        if likeness is None:
            return away
        # Where owner and visitor have one seat, the clothes decide: they weigh as much as the whole reach.
        unlike = self._settings.reach * (1 - likeness) / (1 - self._settings.min_likeness + 1e-9)
        return FORBIDDEN if likeness < self._settings.min_likeness else away + unlike


def seat_distance(face_xyxy: Box, seat_xyxy: Box, settings: SeatingSettings) -> float:
    """Centre distance in seat face widths, or ``FORBIDDEN`` beyond reach or size."""
    width = seat_xyxy[2] - seat_xyxy[0]
    ratio = (face_xyxy[2] - face_xyxy[0]) / width
    away = (
        np.hypot(*(np.add(face_xyxy[:2], face_xyxy[2:]) - np.add(seat_xyxy[:2], seat_xyxy[2:])) / 2) / width
    )
    fits = away <= settings.reach and 1 / settings.max_size_ratio <= ratio <= settings.max_size_ratio
    return float(away) if fits else FORBIDDEN


def _median_box(boxes: Iterable[Box]) -> Box:
    x1, y1, x2, y2 = np.median(np.array(list(boxes)), axis=0)
    return float(x1), float(y1), float(x2), float(y2)
