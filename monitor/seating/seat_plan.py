"""The seats of a plan in the room of a session: which area each takes up, and who of those followed sits on
which.

Pure. A plan is drawn over a still; ``to_room`` is the similarity from the still's pixels to those of the
session's first frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from db.records import PlannedSeat
from monitor.assignment import assign
from monitor.geometry import Matrix, Seat, grown, moved, zoom
from monitor.seating.assigner import SeatingSettings, seat_distance
from monitor.types import Box, Owner

BESIDE, ABOVE, BELOW = 1.0, 2.5, 1.0
"""How far a masked area reaches beyond the face of a planned seat: to each side in widths of the face, up
and down in its heights. To the side for leaning over; down for a bowed head; up because who stands up has
the eyes some 45 cm higher than who sits, and a face is 19 cm high. Not tuned: generous on purpose, since
what is seen of a masked student cannot be unseen, and a neighbour who is hidden by it is named
(``covered``)."""

AROUND = (0.5, 0.5, 0.5, 1.5)
"""What belongs to the person on a seat, beyond the face on the left, above, on the right (in its widths and
heights) and below: hair, shoulders and chest, which are gone when the seat is empty."""

MOST_COVERED = 0.5
_GRID = 20

CERTAIN = 3
"""So many times in a row must a student be found on the same planned seat before they are taken for its
owner. The recorder asks every few seconds: who walks past a seat is not on it for ten of them."""


def masked_area(box: Box) -> Box:
    """What is masked of somebody who opted out, from the face's box of their planned seat."""
    return grown(box, (BESIDE, ABOVE, BESIDE, BELOW))


def person_area(box: Box) -> Box:
    """Where whoever sits on a planned seat is to be seen."""
    return grown(box, AROUND)


def placed(seats: Iterable[PlannedSeat], to_room: Matrix) -> list[PlannedSeat]:
    """The seats in pixels of the room; their boxes stay upright."""
    return [PlannedSeat(seat.label, _upright(seat.box_xyxy, to_room)) for seat in seats]


def covered(seats: Sequence[PlannedSeat], opted_out: Iterable[str]) -> list[str]:
    """The labels of other seats of which more than ``MOST_COVERED`` lies in the masked areas of
    ``opted_out``."""
    labels = set(opted_out)
    areas = np.array([masked_area(seat.box_xyxy) for seat in seats if seat.label in labels]).reshape(-1, 4)
    others = [seat for seat in seats if seat.label not in labels]
    return [seat.label for seat in others if _hidden_share(seat.box_xyxy, areas) > MOST_COVERED]


class Attribution:
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
        self._found: dict[int, Owner] = {}
        self._in_a_row: dict[int, tuple[str, int]] = {}
        self._always: dict[int, str | None] = {}

    def update(self, seats: Sequence[Seat], *, last: bool = False) -> dict[int, Owner]:
        """The owners by number of student, from where all now sit; asked every few seconds.

        At the ``last`` time who has been on one seat whenever it was asked is taken for its owner, however
        seldom that was: a session may be shorter than it takes to be certain.
        """
        here = self._matched([seat for seat in seats if seat.student not in self._found])
        for seat in seats:
            label = here.get(seat.student)
            before, times = self._in_a_row.get(seat.student, (label, 0))
            self._always[seat.student] = label if self._always.get(seat.student, label) == label else None
            if label is None:
                self._in_a_row.pop(seat.student, None)
                continue
            times = times + 1 if before == label else 1
            self._in_a_row[seat.student] = (label, times)
            certain = times >= CERTAIN or (last and self._always[seat.student] == label)
            if certain and label in self._owners:
                self._found[seat.student] = Owner(self._owners[label], label)
        return dict(self._found)

    def erased(self, seats: Sequence[Seat]) -> frozenset[int]:
        """The numbers of those of whom nothing may be kept, and what was kept is to be erased."""
        return frozenset()

    def _matched(self, seats: Sequence[Seat]) -> dict[int, str]:
        """Labels by student, each student on one planned seat that nobody is on yet, at the least
        distance."""
        taken = {owner.label for owner in self._found.values()}
        free = [seat for seat in self._seats if seat.label not in taken]
        away = [
            [seat_distance(one.box_xyxy, seat.box_xyxy, self._settings) for seat in free] for one in seats
        ]
        pairs = assign(np.array(away, np.float64).reshape(len(seats), len(free)))
        return {seats[row].student: free[column].label for row, column in pairs.items()}


def _upright(box: Box, to_room: Matrix) -> Box:
    x1, y1, x2, y2 = box
    ((x, y),) = moved(to_room, np.array([((x1 + x2) / 2, (y1 + y2) / 2)]))
    factor = zoom(to_room) / 2
    half_width, half_height = factor * (x2 - x1), factor * (y2 - y1)
    return float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height)


def _hidden_share(box: Box, areas: NDArray[np.float64]) -> float:
    """How much of a box lies in the areas (N, 4), counted at the points of a grid."""
    x1, y1, x2, y2 = box
    steps = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(x1 + steps * (x2 - x1), y1 + steps * (y2 - y1))
    inside = [(x >= a) & (x <= c) & (y >= b) & (y <= d) for a, b, c, d in areas]
    return float(np.mean(np.any(inside, axis=0))) if inside else 0.0
