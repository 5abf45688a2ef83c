"""The form of the seats page: what was sent of it, and what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from classpulse.csv_table import CsvRow
from db.records import PlannedSeat
from monitor.seating.classroom import Classroom

MAX_SEATS = 120
"""Four fields each, and a form has at most 500."""


def form_rows(form: Mapping[str, Any]) -> list[CsvRow]:
    """The rows of the form's table that are not left out, numbered as it shows them."""
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
) -> tuple[dict[int, str | None], list[str]]:
    """Who of the roster sits where, nobody being left out who was asked, and what is wrong with it."""
    asked = {str(one.student_id): one for one in room.entries if one.consent is not None}
    labels = {seat.label for seat in seats}
    sitting: dict[int, str | None] = {one.student_id: None for one in asked.values()}
    problems = []
    for row in rows:
        who, label = row.cells["student"], row.cells["label"]
        if not who or label not in labels:
            continue
        entry = asked.get(who)
        if entry is None:
            problems.append(f"line {row.line}: this is nobody of the class who was asked for consent")
        elif sitting[entry.student_id] is not None:
            problems.append(
                f"line {row.line}: {entry.pseudonym} is on seat {sitting[entry.student_id]} already"
            )
        else:
            sitting[entry.student_id] = label
    return sitting, problems


def seat_view_data(
    room: Classroom,
    seats: Sequence[PlannedSeat],
    rows: Sequence[CsvRow] | None,
    names_by_id: Mapping[int, str],
) -> list[dict[str, Any]]:
    """The seats of the page: those of the form that was sent, where it must be mended."""
    people = {str(one.student_id): one for one in room.entries if one.consent is not None}
    if rows is None:
        on = {one.seat_label.casefold(): key for key, one in people.items() if one.seat_label is not None}
        told = [(one.label, one.box_xyxy, on.get(one.label.casefold(), "")) for one in seats]
    else:
        told = [(row.cells["label"], _parse_box(row), row.cells["student"]) for row in rows]
    drawn = []
    for label, (x1, y1, x2, y2), who in told:
        one = people.get(who)
        name = names_by_id[one.student_id] if one else ""
        opted_out = one is not None and one.consent is False
        box = f"{x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f}"
        values = {"label": label, "x1": x1, "y1": y1, "x2": x2, "y2": y2, "box": box}
        drawn.append(values | {"student": who if one else "", "name": name, "opted_out": opted_out})
    return drawn


def visible_area(
    seats: Sequence[Mapping[str, Any]], seat_px: float, size: tuple[int, int]
) -> tuple[int, ...]:
    """The part of the picture that has seats, as left, top, width and height; all of it where none has."""
    if not seats:
        return (0, 0, *size)
    margin = 2 * seat_px
    left, top = min(one["x1"] for one in seats) - margin, min(one["y1"] for one in seats) - margin
    right, low = max(one["x2"] for one in seats) + margin, max(one["y2"] for one in seats) + margin
    return round(left), round(top), round(right - left), round(low - top)


def _parse_box(row: CsvRow) -> tuple[float, float, float, float]:
    """As far as it can be read; what is wrong with it is said elsewhere."""
    edges = []
    for name in ("x1", "y1", "x2", "y2"):
        try:
            edge = float(row.cells[name])
        except ValueError:
            edge = 0.0
        edges.append(edge if abs(edge) < 1e6 else 0.0)
    return edges[0], edges[1], edges[2], edges[3]
