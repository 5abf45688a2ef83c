"""The seats of a plan in a session: their areas, and which students occupy them. Pure.

``to_reference`` is the similarity from pixels of the plan's image to those of the reference frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from db.records import PlannedSeat
from monitor.assignment import assign
from monitor.geometry import Matrix, Seat, expand_box, transform_box
from monitor.seating.assigner import SeatingSettings, seat_distance
from monitor.types import Box, SeatOwner

MASK_MARGIN_SIDE, MASK_MARGIN_ABOVE, MASK_MARGIN_BELOW = 1.0, 2.5, 1.0
"""Margins of a masked area around the face of a planned seat: to the sides in face widths, above and below in
face heights. To the sides for leaning over; below for a bowed head; above because the eyes of a standing
person are some 45 cm higher, and a face is 19 cm high. Heuristic, not tuned on data: generous on purpose,
because opted-out students must never be visible; occluded neighbours are reported (``occluded_seats``)."""

PERSON_MARGINS = (0.5, 0.5, 0.5, 1.5)
"""Margins of a person around the face on the left, above, on the right and below, face widths and heights:
hair, shoulders and chest, which are absent from an empty seat."""

MAX_OCCLUDED_SHARE = 0.5
_GRID = 20
"""Points per side of a seat's box at which its occlusion is sampled."""

MIN_CONSECUTIVE_MATCHES = 3
"""The number of consecutive updates in which a student must be on the same planned seat before the seat is
assigned. The recorder updates every few seconds; a person who walks past a seat leaves it sooner."""


def masked_area(box: Box) -> Box:
    """The masked area of an opted-out seat, given its face box."""
    return expand_box(box, (MASK_MARGIN_SIDE, MASK_MARGIN_ABOVE, MASK_MARGIN_SIDE, MASK_MARGIN_BELOW))


def person_area(box: Box) -> Box:
    """The area of the person on a planned seat, given its face box."""
    return expand_box(box, PERSON_MARGINS)


def project_seats(seats: Iterable[PlannedSeat], to_reference: Matrix) -> list[PlannedSeat]:
    """The seats in pixels of the reference frame; their boxes stay upright."""
    return [PlannedSeat(seat.label, transform_box(to_reference, seat.box_xyxy)) for seat in seats]


def occluded_seats(seats: Sequence[PlannedSeat], opted_out: Iterable[str]) -> list[str]:
    """The labels of other seats that the masked areas of ``opted_out`` cover by more than
    ``MAX_OCCLUDED_SHARE``."""
    labels = set(opted_out)
    areas = np.array([masked_area(seat.box_xyxy) for seat in seats if seat.label in labels]).reshape(-1, 4)
    others = [seat for seat in seats if seat.label not in labels]
    return [seat.label for seat in others if _occluded_share(seat.box_xyxy, areas) > MAX_OCCLUDED_SHARE]


class SeatOwnerResolver:
    """Resolves students of a session to students of the roster by the planned seats they sit on.

    ``seats``: all seats of the plan, pixels of the reference frame; ``owners``: student IDs by seat label. A
    resolved student stays resolved, and no other student gets the same owner.
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
        """The owners by student number, given the present seats; called every few seconds.

        In the ``is_final`` update a student who was on the same seat in all updates is resolved even after
        fewer updates, because a session may be short.
        """
        label_of = self._match_seats([seat for seat in seats if seat.student not in self._resolved])
        for seat in seats:
            label = label_of.get(seat.student)
            previous, count = self._consecutive.get(seat.student, (label, 0))
            self._only_seat[seat.student] = (
                label if self._only_seat.get(seat.student, label) == label else None
            )
            if label is None:
                self._consecutive.pop(seat.student, None)
                continue
            count = count + 1 if previous == label else 1
            self._consecutive[seat.student] = (label, count)
            is_certain = count >= MIN_CONSECUTIVE_MATCHES or (
                is_final and self._only_seat[seat.student] == label
            )
            if is_certain and label in self._owners:
                self._resolved[seat.student] = SeatOwner(self._owners[label], label)
        return dict(self._resolved)

    def erased_students(self, seats: Sequence[Seat]) -> frozenset[int]:
        """The students whose data must be deleted: none, because opted-out seats are masked."""
        return frozenset()

    def _match_seats(self, seats: Sequence[Seat]) -> dict[int, str]:
        """The label of each student's planned seat, among seats without an owner yet, at the least total
        distance."""
        taken = {owner.label for owner in self._resolved.values()}
        free = [seat for seat in self._seats if seat.label not in taken]
        cost = [
            [seat_distance(seat.box_xyxy, planned.box_xyxy, self._settings) for planned in free]
            for seat in seats
        ]
        pairs = assign(np.array(cost, np.float64).reshape(len(seats), len(free)))
        return {seats[row].student: free[column].label for row, column in pairs.items()}


def _occluded_share(box: Box, areas: NDArray[np.float64]) -> float:
    """The share of a box that lies in areas ``(N, 4)``, estimated on a grid of points."""
    x1, y1, x2, y2 = box
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(x1 + steps * (x2 - x1), y1 + steps * (y2 - y1))
    inside = [(x >= a) & (x <= c) & (y >= b) & (y <= d) for a, b, c, d in areas]
    return float(np.mean(np.any(inside, axis=0))) if inside else 0.0
