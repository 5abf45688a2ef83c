"""Students and the roster. Names are in ``db.roster`` alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class StudentRecord:
    """A student of a class. ``pseudonym`` ("Student 3") is shown everywhere. ``session_id`` is set for a
    student known only by the seat in one session."""

    id: int
    pseudonym: str
    class_name: str
    session_id: int | None


@dataclass(frozen=True)
class RosterEntry:
    """A student of the roster. ``seat_label`` refers to the seat plan, None without a seat. A student with
    ``consent`` False is masked; ``consent`` and ``changed_at`` are None if consent was never asked for."""

    student_id: int
    class_name: str
    pseudonym: str
    seat_label: str | None
    consent: bool | None
    changed_at: datetime | None
