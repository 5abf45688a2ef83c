"""Tracks become students by where they sit.

A track ends when its face is lost for long; a student does not. A seat is learnt from where a
track's face stays (the median of its recent boxes), and a new track that begins at a seat whose
student is not in view is that student again. Identity comes from the seat, not from a biometric
template, so somebody else on the seat would be taken for its owner: the report says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from monitor.assignment import FORBIDDEN, assign
from monitor.domain import Box, Track

_BOXES_REMEMBERED = 240  # two minutes at the default two samples a second; bounds the memory of a seat


@dataclass(frozen=True)
class SeatingSettings:
    """``reach``: how far from a free seat, in face widths, a new face is still its student's.
    1.25 allows for sitting down differently. In the lecture hall photograph that the project tests with,
    2 of 24 faces have a neighbour nearer than that, who keeps their seat as long as they are seen.
    ``max_size_ratio``: how much nearer or further the face may have come."""

    reach: Annotated[float, Gt(0), Le(5)] = 1.25
    max_size_ratio: Annotated[float, Gt(1), Le(5)] = 1.8


@dataclass(frozen=True)
class Seat:
    """Where student number ``student`` sits: the median face box, pixels of the frame."""

    student: int
    box_xyxy: Box


class Seating:
    """Gives each confirmed track its student, and remembers where everyone sits."""

    def __init__(self, settings: SeatingSettings | None = None, *, confirm_hits: int = 3) -> None:
        self._settings = settings or SeatingSettings()
        self._confirm_hits = confirm_hits
        self._student_of: dict[int, int] = {}
        self._boxes: list[deque[Box]] = []

    def update(self, tracks: Sequence[Track]) -> dict[int, int]:
        """Take all live tracks of one sample; return ``{track_id: student}`` for those seen in it.

        Students are numbered from 0 in the order they were first confirmed. No two tracks of one
        sample have the same student.
        """
        seen = [t for t in tracks if t.face is not None and t.hits >= self._confirm_hits]
        live = {t.track_id for t in tracks}
        self._student_of = {k: v for k, v in self._student_of.items() if k in live}
        students: dict[int, int] = {}
        for track in sorted((t for t in seen if t.track_id in self._student_of), key=lambda t: t.track_id):
            # A lost track may come back after its seat was given to a newer one: the newer stays.
            if self._student_of[track.track_id] not in students.values():
                students[track.track_id] = self._student_of[track.track_id]
        newcomers = [t for t in seen if t.track_id not in students]
        students |= self._seat(newcomers, taken=set(students.values()))
        self._student_of |= students
        for track in seen:
            self._boxes[students[track.track_id]].append(track.box_xyxy)
        return students

    @property
    def student_count(self) -> int:
        """How many students are known; they are numbered from 0."""
        return len(self._boxes)

    @property
    def seats(self) -> list[Seat]:
        """One seat per student, by number."""
        return [Seat(number, _median_box(boxes)) for number, boxes in enumerate(self._boxes)]

    def _seat(self, newcomers: list[Track], taken: set[int]) -> dict[int, int]:
        """Known students for the newcomers at free seats, new numbers for the rest."""
        free = [seat for seat in self.seats if seat.student not in taken] if newcomers else []
        given = self._nearest_free(newcomers, free)
        for track in newcomers:
            if track.track_id not in given:
                given[track.track_id] = len(self._boxes)
                self._boxes.append(deque(maxlen=_BOXES_REMEMBERED))
        return given

    def _nearest_free(self, newcomers: list[Track], free: list[Seat]) -> dict[int, int]:
        if not newcomers or not free:
            return {}
        cost = np.array(
            [[self._distance(track.box_xyxy, seat.box_xyxy) for seat in free] for track in newcomers]
        )
        return {newcomers[r].track_id: free[c].student for r, c in assign(cost).items()}

    def _distance(self, face_xyxy: Box, seat_xyxy: Box) -> float:
        """Centre distance in seat face widths, or forbidden beyond reach or size."""
        width = seat_xyxy[2] - seat_xyxy[0]
        ratio = (face_xyxy[2] - face_xyxy[0]) / width
        away = (
            np.hypot(*(np.add(face_xyxy[:2], face_xyxy[2:]) - np.add(seat_xyxy[:2], seat_xyxy[2:])) / 2)
            / width
        )
        limit = self._settings.max_size_ratio
        fits = away <= self._settings.reach and 1 / limit <= ratio <= limit
        return float(away) if fits else FORBIDDEN


def reading_order(seats: Iterable[Seat]) -> list[int]:
    """Students in order of seat: rows from the top of the picture down, each from left to right.

    A seat opens a new row when its centre lies more than three quarters of a face height below
    the mean of the row above it.
    """
    ordered = sorted(seats, key=lambda seat: _centre_y(seat))
    rows: list[list[Seat]] = []
    for seat in ordered:
        height = seat.box_xyxy[3] - seat.box_xyxy[1]
        if rows and _centre_y(seat) - np.mean([_centre_y(s) for s in rows[-1]]) <= 0.75 * height:
            rows[-1].append(seat)
        else:
            rows.append([seat])
    return [s.student for row in rows for s in sorted(row, key=lambda s: s.box_xyxy[0] + s.box_xyxy[2])]


def _centre_y(seat: Seat) -> float:
    return (seat.box_xyxy[1] + seat.box_xyxy[3]) / 2


def _median_box(boxes: Iterable[Box]) -> Box:
    x1, y1, x2, y2 = np.median(np.array(list(boxes)), axis=0)
    return float(x1), float(y1), float(x2), float(y2)
