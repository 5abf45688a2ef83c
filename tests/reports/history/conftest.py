"""Sessions of a class as literals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from db.records import (
    ClassHistory,
    ClassSession,
    FlagRecord,
    SessionSummary,
    ShareEstimate,
    StudentRecord,
    StudentSummary,
)
from reports.history.summaries import RULES_VERSION, summarise_class

CLASS = "Physics 10b"


class Terms:
    """Builders of weekly sessions; students are ``{ID: share of sadness}``."""

    def summary(self, student: int, sad: float | None = 0.1, **changes: Any) -> StudentSummary:
        """A student seen for 90 % of the time. ``sad`` None: not enough data."""
        level = None if sad is None else ShareEstimate(sad, max(0.0, sad - 0.05), min(1.0, sad + 0.05))
        rest = 1.0 - (sad or 0.0)
        chances = None if sad is None else (0.0, 0.0, 0.0, rest / 4, sad, 0.0, 3 * rest / 4)
        one = StudentSummary(student, 3000.0, 2700.0, 2000.0, 4000, 2500.0, 0.75, None, chances, level)
        return one._replace(**changes)

    def absent(self, student: int) -> StudentSummary:
        return StudentSummary(student, 3000.0, 0.0, 0.0, 0, 0.0, None, None, None)

    def lesson(
        self,
        lessons: Any,
        number: int,
        students: Mapping[int, float | None],
        flags: tuple[FlagRecord, ...] = (),
        week: float | None = None,
        **changes: Any,
    ) -> ClassSession:
        started_at = lessons.started_at + timedelta(weeks=number - 1 if week is None else week)
        session = lessons.session(600, id=number, started_at=started_at, **changes)
        rows = tuple(self.summary(one, sad) for one, sad in students.items())
        if session.mode == "aggregate":
            whole = SessionSummary(
                number, RULES_VERSION, 12, 0.8, 0.6, None, (0.0, 0.0, 0.0, 0.5, 0.25, 0.0, 0.25)
            )
            return ClassSession(session, whole)
        return ClassSession(session, summarise_class(number, rows), rows, flags)

    def person(self, number: int, session_id: int | None = None) -> StudentRecord:
        return StudentRecord(number, f"Student {number}", CLASS, session_id)

    def history(self, *lessons: ClassSession, by_seat: frozenset[int] = frozenset()) -> ClassHistory:
        numbers = {student.student_id for lesson in lessons for student in lesson.students}
        return ClassHistory(
            lessons,
            {number: self.person(number, 1 if number in by_seat else None) for number in sorted(numbers)},
        )

    def flag(self, session: int, student: int, review: str = "open", **changes: Any) -> FlagRecord:
        return FlagRecord(session, student, "sadness", "flagged", {}, review, **changes)


@pytest.fixture(scope="session")
def terms() -> Terms:
    return Terms()
