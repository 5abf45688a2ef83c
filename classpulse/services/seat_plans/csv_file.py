"""The CSV file of a seat plan: a row per seat, with its box in pixels of the still."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from classpulse.csv_table import CsvRow, RowError, in_line_order, read_csv_table
from db.records import PlannedSeat
from monitor.types import Box

PLAN_COLUMNS = ("label", "x1", "y1", "x2", "y2")

MAX_LABEL_LENGTH = 20

SAME_SEAT_IOU = 0.5
"""Two boxes with a larger intersection over union are the same seat."""


def format_plan(seats: Sequence[PlannedSeat]) -> str:
    """The CSV text, in whole pixels, because some spreadsheets use a decimal comma."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(PLAN_COLUMNS)
    for seat in seats:
        x1, y1, x2, y2 = seat.box_xyxy
        writer.writerow((seat.label, math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2)))
    return buffer.getvalue()


def read_plan_csv(path: Path, width: int, height: int) -> tuple[list[PlannedSeat], list[RowError]]:
    """The seats of a plan for an image of ``width`` x ``height`` pixels, and the errors of the invalid rows.
    Raises InvalidFile as ``read_csv_table``."""
    table = read_csv_table(path, PLAN_COLUMNS)
    seats, problems = parse_seats(table.rows, width, height)
    return seats, in_line_order([*table.problems, *problems])


def parse_seats(rows: Iterable[CsvRow], width: int, height: int) -> tuple[list[PlannedSeat], list[RowError]]:
    """The seats of rows with the cells ``PLAN_COLUMNS``, and the errors of the invalid rows."""
    problems: list[RowError] = []
    seats: list[PlannedSeat] = []
    lines: list[int] = []
    for row in rows:
        try:
            seats.append(_parse_seat(row, width, height))
            lines.append(row.line)
        except ValueError as error:
            problems.append(RowError(row.line, str(error)))
    return seats, problems + _duplicate_seats(seats, lines)


def seat_iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    intersection = max(0.0, width) * max(0.0, height)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (one, other)]
    return intersection / (sum(areas) - intersection)


def _parse_seat(row: CsvRow, width: int, height: int) -> PlannedSeat:
    label = row.cells["label"]
    if not label or len(label) > MAX_LABEL_LENGTH or not label.isprintable():
        raise ValueError(f"the label is {label!r}; use 1 to {MAX_LABEL_LENGTH} characters, such as A1")
    x1, y1, x2, y2 = (_parse_pixels(name, row.cells[name]) for name in PLAN_COLUMNS[1:])
    box = f"{x1:g}, {y1:g}, {x2:g}, {y2:g}"
    if not (x2 > x1 and y2 > y1):
        raise ValueError(
            f"the box of seat {label} is empty ({box}); x2 must exceed x1, and y2 must exceed y1"
        )
    if x1 < 0 or y1 < 0 or x2 > width or y2 > height:
        raise ValueError(f"seat {label} lies outside the image of {width} x {height} pixels ({box})")
    return PlannedSeat(label, (x1, y1, x2, y2))


def _parse_pixels(name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} is {cell!r}; use a number of pixels")
    return value


def _duplicate_seats(seats: Sequence[PlannedSeat], lines: Sequence[int]) -> list[RowError]:
    """An error for each repeated label and each pair of boxes of the same seat."""
    problems = []
    for (first, at), (second, line) in itertools.combinations(zip(seats, lines, strict=True), 2):
        if first.label.casefold() == second.label.casefold():
            problems.append(RowError(line, f"seat {second.label} is already on line {at}"))
        elif seat_iou(first.box_xyxy, second.box_xyxy) > SAME_SEAT_IOU:
            problems.append(RowError(line, f"seat {second.label} overlaps seat {first.label} of line {at}"))
    return problems
