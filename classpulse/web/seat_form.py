"""The form of the seats page: parsing of the submitted rows, and the seats to display."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classpulse.csv_table import CsvRow, RowError
from db.records import PlannedSeat
from monitor.seating.classroom import Classroom

MAX_SEATS = 120
"""A seat has four fields, a form at most 500."""


def form_rows(form: Mapping[str, Any]) -> list[CsvRow]:
    """The submitted rows that are not marked as removed, with their line numbers."""
    rows = []
    for number in range(1, MAX_SEATS + 1):
        if f"label-{number}" not in form or form.get(f"removed-{number}"):
            continue
        box = str(form.get(f"box-{number}", "")).replace(",", " ").split()
        cells = dict(zip(("x1", "y1", "x2", "y2"), [*box, "", "", "", ""][:4], strict=True))
        cells["label"] = str(form[f"label-{number}"]).strip()
        cells["student"] = str(form.get(f"student-{number}", ""))
        if cells["label"] or box:
            rows.append(CsvRow(number, cells))
    return rows


def form_assignments(
    room: Classroom, seats: Sequence[PlannedSeat], rows: Sequence[CsvRow]
) -> tuple[dict[int, str | None], list[RowError]]:
    """The submitted seat label per student of the roster who was asked for consent (None without a seat), and
    the errors."""
    students = {str(entry.student_id): entry for entry in room.entries if entry.consent is not None}
    labels = {seat.label for seat in seats}
    assignments: dict[int, str | None] = {entry.student_id: None for entry in students.values()}
    errors = []
    for row in rows:
        student_id, label = row.cells["student"], row.cells["label"]
        if not student_id or label not in labels:
            continue
        entry = students.get(student_id)
        if entry is None:
            errors.append(RowError(row.line, "the student is not on the roster or was not asked for consent"))
        elif assignments[entry.student_id] is not None:
            seat = assignments[entry.student_id]
            errors.append(RowError(row.line, f"{entry.pseudonym} is already on seat {seat}"))
        else:
            assignments[entry.student_id] = label
    return assignments, errors


def seat_view_data(
    room: Classroom,
    seats: Sequence[PlannedSeat],
    rows: Sequence[CsvRow] | None,
    names_by_id: Mapping[int, str],
) -> list[dict[str, Any]]:
    """The seats to display: the submitted ``rows`` if they have errors, else the stored ``seats``."""
    students = {str(entry.student_id): entry for entry in room.entries if entry.consent is not None}
    if rows is None:
        by_label = {
            entry.seat_label.casefold(): key
            for key, entry in students.items()
            if entry.seat_label is not None
        }
        values = [(seat.label, seat.box_xyxy, by_label.get(seat.label.casefold(), "")) for seat in seats]
    else:
        values = [(row.cells["label"], _parse_box(row), row.cells["student"]) for row in rows]
    return [
        {
            "label": label, "x1": x1, "y1": y1, "x2": x2, "y2": y2,
            "box": f"{x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f}",
            "student": student_id if student_id in students else "",
            "name": names_by_id[students[student_id].student_id] if student_id in students else "",
            "opted_out": student_id in students and students[student_id].consent is False,
        }
        for label, (x1, y1, x2, y2), student_id in values
    ]  # fmt: skip


@dataclass(frozen=True)
class SeatDrawing:
    """The geometry of the seat drawing, pixels of the still or plan: size of the whole, the visible area as
    (left, top, width, height), width of a seat, font size and stroke width."""

    size: tuple[int, int]
    view: tuple[int, ...]
    seat_px: float
    font_px: float
    stroke_px: float


def seat_drawing(seats: Sequence[Mapping[str, Any]], size: tuple[int, int], *, whole: bool) -> SeatDrawing:
    """The geometry for the seats to display; ``whole``: show the whole image, not only the area with seats."""
    widths = [seat["x2"] - seat["x1"] for seat in seats if seat["x2"] > seat["x1"]] or [size[0] / 25]
    seat_px = statistics.median(widths)
    view = (0, 0, *size) if whole or not seats else _area_with_seats(seats, 2 * seat_px)
    return SeatDrawing(
        size,
        view,
        seat_px,
        font_px=max(6.0, min(seat_px * 0.42, size[0] / 60)),
        stroke_px=max(1.0, min(seat_px / 24, size[0] / 500)),
    )


def _area_with_seats(seats: Sequence[Mapping[str, Any]], margin: float) -> tuple[int, ...]:
    left, top = min(seat["x1"] for seat in seats) - margin, min(seat["y1"] for seat in seats) - margin
    right, bottom = max(seat["x2"] for seat in seats) + margin, max(seat["y2"] for seat in seats) + margin
    return round(left), round(top), round(right - left), round(bottom - top)


def _parse_box(row: CsvRow) -> tuple[float, float, float, float]:
    """The box with 0 for invalid edges, which ``parse_seats`` reports."""
    edges = []
    for name in ("x1", "y1", "x2", "y2"):
        try:
            edge = float(row.cells[name])
        except ValueError:
            edge = 0.0
        edges.append(edge if abs(edge) < 1e6 else 0.0)
    return edges[0], edges[1], edges[2], edges[3]
