"""A first seat plan: a seat where each face of a still is, labelled by rows."""

from __future__ import annotations

import string
from collections.abc import Sequence

from db.records import PlannedSeat
from monitor.domain import Box
from monitor.seating import Seat, rows_of


def proposed(boxes: Sequence[Box], *, from_back: bool = False) -> list[PlannedSeat]:
    """A seat for each face's box: A1, A2, ... in the front row (the lowest of the picture), B1 behind it;
    with ``from_back`` A is the last row. Numbers run from the left of the picture."""
    rows = rows_of(Seat(number, box) for number, box in enumerate(boxes))
    ordered = rows if from_back else rows[::-1]
    return [
        PlannedSeat(f"{row_name(index)}{place}", seat.box_xyxy)
        for index, row in enumerate(ordered)
        for place, seat in enumerate(row, 1)
    ]


def row_name(index: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    letters = string.ascii_uppercase
    return (row_name(index // 26 - 1) if index >= 26 else "") + letters[index % 26]
