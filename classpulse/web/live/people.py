"""Who is present now, with the names that whoever may see the class may see. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.session.status import LiveStudent
from reports.text.formatting import natural_sort_key


@dataclass(frozen=True)
class SeatOccupant:
    """What the record knows of whoever sits on a seat."""

    pseudonym: str
    name: str | None


@dataclass(frozen=True)
class LiveStudentRow:
    """One student as the page shows them. ``name`` is empty where none is stored, ``pseudonym`` until they
    are in the record. ``head`` is front, turned, unreadable or unseen."""

    name: str
    pseudonym: str
    status: LiveStudent

    @property
    def head(self) -> str:
        """Where the head is turned, as the chart's bands are called."""
        if not self.status.seen:
            return "unseen"
        return {True: "front", False: "turned", None: "unreadable"}[self.status.facing]

    @property
    def expression(self) -> str:
        """The expression, as the chart's bands are called."""
        if not self.status.seen:
            return "unseen"
        return self.status.expression or "unreadable"


def live_student_rows(
    students: Sequence[LiveStudent], occupants: Mapping[str, SeatOccupant]
) -> list[LiveStudentRow]:
    """Everybody in the order in which people read names; ``occupants`` is by the label of the seat."""
    rows = [_row(student, occupants.get(student.label)) for student in students]
    return sorted(rows, key=lambda row: (not row.pseudonym, natural_sort_key(row.name or row.pseudonym)))


def band_counts(rows: Sequence[LiveStudentRow]) -> dict[str, Mapping[str, int]]:
    """How many there are of each band, of heads and of faces."""
    return {"heads": Counter(row.head for row in rows), "faces": Counter(row.expression for row in rows)}


def _row(student: LiveStudent, occupant: SeatOccupant | None) -> LiveStudentRow:
    if occupant is None:
        return LiveStudentRow("", student.label, student)
    return LiveStudentRow(occupant.name or "", occupant.pseudonym, student)
