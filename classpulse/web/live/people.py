"""Rows of the students on the live page. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.session.status import LiveStudent
from reports.text.formatting import natural_sort_key


@dataclass(frozen=True)
class SeatOccupant:
    """The student on a seat as stored; ``name`` is None if none is stored."""

    pseudonym: str
    name: str | None


@dataclass(frozen=True)
class LiveStudentRow:
    """One student on the live page. ``name`` is empty if none is stored, ``pseudonym`` until the student is
    in the database."""

    name: str
    pseudonym: str
    status: LiveStudent

    @property
    def head(self) -> str:
        """The head direction as a band of the chart: front, turned, unreadable or unseen."""
        if not self.status.seen:
            return "unseen"
        return {True: "front", False: "turned", None: "unreadable"}[self.status.facing]

    @property
    def expression(self) -> str:
        """The expression as a band of the chart."""
        if not self.status.seen:
            return "unseen"
        return self.status.expression or "unreadable"


def live_student_rows(
    students: Sequence[LiveStudent], occupants: Mapping[str, SeatOccupant]
) -> list[LiveStudentRow]:
    """The rows in natural order of the names. ``occupants``: by seat label."""
    rows = [_row(student, occupants.get(student.label)) for student in students]
    return sorted(rows, key=lambda row: (not row.pseudonym, natural_sort_key(row.name or row.pseudonym)))


def band_counts(rows: Sequence[LiveStudentRow]) -> dict[str, Mapping[str, int]]:
    """The number of students per band of each chart."""
    return {"heads": Counter(row.head for row in rows), "faces": Counter(row.expression for row in rows)}


def _row(student: LiveStudent, occupant: SeatOccupant | None) -> LiveStudentRow:
    if occupant is None:
        return LiveStudentRow("", student.label, student)
    return LiveStudentRow(occupant.name or "", occupant.pseudonym, student)
