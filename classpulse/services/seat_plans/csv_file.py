"""A seat plan as a file: a row for each seat, its box in pixels of the still."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from classpulse.csv_table import CsvRow, read_csv_table
from db.records import PlannedSeat
from monitor.types import Box

PLAN_COLUMNS = ("label", "x1", "y1", "x2", "y2")

MAX_LABEL_LENGTH = 20

SAME_SEAT_IOU = 0.5
"""Two boxes that share more than this, as intersection over union, are one seat laid twice."""


def format_plan(seats: Sequence[PlannedSeat]) -> str:
    """The file: whole pixels, because a decimal point is a comma in some spreadsheets."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(PLAN_COLUMNS)
    for seat in seats:
        x1, y1, x2, y2 = seat.box_xyxy
        writer.writerow((seat.label, math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2)))
    return buffer.getvalue()


def read_plan_csv(path: Path, width: int, height: int) -> tuple[list[PlannedSeat], list[str]]:
    """The seats of a plan over a picture of so many pixels, and one line about each row that is wrong.
    Raises ``UserError`` as ``read_csv_table`` does."""
    sheet = read_csv_table(path, PLAN_COLUMNS)
    seats, problems = parse_seats(sheet.rows, width, height)
    return seats, [*sheet.problems, *problems]


def parse_seats(rows: Iterable[CsvRow], width: int, height: int) -> tuple[list[PlannedSeat], list[str]]:
    """The seats of rows with the cells ``PLAN_COLUMNS``, and one line about each that is wrong."""
    problems, seats, lines = [], [], []
    for row in rows:
        try:
            seats.append(_parse_seat(row, width, height))
            lines.append(row.line)
        except ValueError as error:
            problems.append(f"line {row.line}: {error}")
    return seats, problems + _duplicate_seats(seats, lines)


def seat_iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, across) * max(0.0, down)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (one, other)]
    return shared / (sum(areas) - shared)


def _parse_seat(row: CsvRow, width: int, height: int) -> PlannedSeat:
    label = row.cells["label"]
    if not label or len(label) > MAX_LABEL_LENGTH or not label.isprintable():
        raise ValueError(f"the label is {label!r}; expected 1 to {MAX_LABEL_LENGTH} letters such as A1")
    x1, y1, x2, y2 = (_parse_pixels(name, row.cells[name]) for name in PLAN_COLUMNS[1:])
    box = f"{x1:g}, {y1:g}, {x2:g}, {y2:g}"
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f"the box of seat {label} is empty ({box}); expected x2 > x1 and y2 > y1")
    if x1 < 0 or y1 < 0 or x2 > width or y2 > height:
        raise ValueError(f"seat {label} lies outside the picture of {width} x {height} ({box})")
    return PlannedSeat(label, (x1, y1, x2, y2))


def _parse_pixels(name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} is {cell!r}; expected a number of pixels")
    return value


def _duplicate_seats(seats: Sequence[PlannedSeat], lines: Sequence[int]) -> list[str]:
    """One line for each label that is given twice, and each two boxes that are one seat."""
    problems = []
    for (first, at), (second, line) in itertools.combinations(zip(seats, lines, strict=True), 2):
        if first.label.casefold() == second.label.casefold():
            problems.append(f"line {line}: seat {second.label} is on line {at} already")
        elif seat_iou(first.box_xyxy, second.box_xyxy) > SAME_SEAT_IOU:
            problems.append(f"line {line}: seat {second.label} lies on seat {first.label} of line {at}")
    return problems
