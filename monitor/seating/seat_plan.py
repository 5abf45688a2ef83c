"""The seats of a plan in the room of a session: which area each takes up, and who of those followed sits on
which.

Pure. A plan is drawn over a still; ``to_reference`` is the similarity from the still's pixels to those of the
session's first frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from db.records import PlannedSeat
from monitor.assignment import assign
from monitor.geometry import Matrix, Seat, expand_box, scale_factor, transform_points
from monitor.seating.assigner import SeatingSettings, seat_distance
from monitor.types import Box, SeatOwner

MASK_MARGIN_SIDE, MASK_MARGIN_ABOVE, MASK_MARGIN_BELOW = 1.0, 2.5, 1.0
"""How far a masked area reaches beyond the face of a planned seat: to each side in widths of the face, up
and down in its heights. To the side for leaning over; down for a bowed head; up because who stands up has
the eyes some 45 cm higher than who sits, and a face is 19 cm high. Not tuned: generous on purpose, since
what is seen of a masked student cannot be unseen, and a neighbour who is hidden by it is named
(``occluded_seats``)."""

PERSON_MARGINS = (0.5, 0.5, 0.5, 1.5)
"""What belongs to the person on a seat, beyond the face on the left, above, on the right (in its widths and
heights) and below: hair, shoulders and chest, which are gone when the seat is empty."""

MAX_OCCLUDED_SHARE = 0.5
_GRID = 20

MIN_CONSECUTIVE_MATCHES = 3
"""So many times in a row must a student be found on the same planned seat before they are taken for its
owner. The recorder asks every few seconds: who walks past a seat is not on it for ten of them."""


def masked_area(box: Box) -> Box:
    """What is masked of somebody who opted out, from the face's box of their planned seat."""
    return expand_box(box, (MASK_MARGIN_SIDE, MASK_MARGIN_ABOVE, MASK_MARGIN_SIDE, MASK_MARGIN_BELOW))


def person_area(box: Box) -> Box:
    """Where whoever sits on a planned seat is to be seen."""
    return expand_box(box, PERSON_MARGINS)


def project_seats(seats: Iterable[PlannedSeat], to_reference: Matrix) -> list[PlannedSeat]:
    """The seats in pixels of the room; their boxes stay upright."""
    return [PlannedSeat(seat.label, _projected_box(seat.box_xyxy, to_reference)) for seat in seats]


def occluded_seats(seats: Sequence[PlannedSeat], opted_out: Iterable[str]) -> list[str]:
    """The labels of other seats of which more than ``MAX_OCCLUDED_SHARE`` lies in the masked areas of
    ``opted_out``."""
    labels = set(opted_out)
    areas = np.array([masked_area(seat.box_xyxy) for seat in seats if seat.label in labels]).reshape(-1, 4)
    others = [seat for seat in seats if seat.label not in labels]
    return [seat.label for seat in others if _occluded_share(seat.box_xyxy, areas) > MAX_OCCLUDED_SHARE]


class SeatOwnerResolver:
    """Says which of the followed students are people of the roster, by the planned seats they sit on.

    ``seats`` are all of the plan, in pixels of the room; ``owners`` the people by the labels of their
    seats. Who has once been taken for somebody stays them, and nobody else becomes them.
    """

    def __init__(
        self, seats: Sequence[PlannedSeat], owners: Mapping[str, int], settings: SeatingSettings | None = None
    ) -> None:
        self._seats = seats
        self._owners = owners
        self._settings = settings or SeatingSettings()
        self._resolved: dict[int, SeatOwner] = {}
        self._consecutive: dict[int, tuple[str, int]] = {}
        self._only_seat: dict[int, str | None] = {}

    def update(self, seats: Sequence[Seat], *, is_final: bool = False) -> dict[int, SeatOwner]:
        """The owners by number of student, from where all now sit; asked every few seconds.

        At the ``is_final`` time who has been on one seat whenever it was asked is taken for its owner, however
        seldom that was: a session may be shorter than it takes to be certain.
        """
        here = self._match_seats([seat for seat in seats if seat.student not in self._resolved])
        for seat in seats:
            label = here.get(seat.student)
            before, times = self._consecutive.get(seat.student, (label, 0))
            self._only_seat[seat.student] = (
                label if self._only_seat.get(seat.student, label) == label else None
            )
            if label is None:
                self._consecutive.pop(seat.student, None)
                continue
            times = times + 1 if before == label else 1
            self._consecutive[seat.student] = (label, times)
            certain = times >= MIN_CONSECUTIVE_MATCHES or (
                is_final and self._only_seat[seat.student] == label
            )
            if certain and label in self._owners:
                self._resolved[seat.student] = SeatOwner(self._owners[label], label)
        return dict(self._resolved)

    def erased_students(self, seats: Sequence[Seat]) -> frozenset[int]:
        """The numbers of those of whom nothing may be kept, and what was kept is to be erased."""
        return frozenset()

    def _match_seats(self, seats: Sequence[Seat]) -> dict[int, str]:
        """Labels by student, each student on one planned seat that nobody is on yet, at the least
        distance."""
        taken = {owner.label for owner in self._resolved.values()}
        free = [seat for seat in self._seats if seat.label not in taken]
        away = [
            [seat_distance(one.box_xyxy, seat.box_xyxy, self._settings) for seat in free] for one in seats
        ]
        pairs = assign(np.array(away, np.float64).reshape(len(seats), len(free)))
        return {seats[row].student: free[column].label for row, column in pairs.items()}


def _projected_box(box: Box, to_reference: Matrix) -> Box:
    x1, y1, x2, y2 = box
    ((x, y),) = transform_points(to_reference, np.array([((x1 + x2) / 2, (y1 + y2) / 2)]))
    factor = scale_factor(to_reference) / 2
    half_width, half_height = factor * (x2 - x1), factor * (y2 - y1)
    return float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height)


def _occluded_share(box: Box, areas: NDArray[np.float64]) -> float:
    """How much of a box lies in the areas (N, 4), counted at the points of a grid."""
    x1, y1, x2, y2 = box
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(x1 + steps * (x2 - x1), y1 + steps * (y2 - y1))
    inside = [(x >= a) & (x <= c) & (y >= b) & (y <= d) for a, b, c, d in areas]
    return float(np.mean(np.any(inside, axis=0))) if inside else 0.0
