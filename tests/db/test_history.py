"""Counts of students and flags per session."""

from __future__ import annotations

from db.history import SessionCounts, session_counts
from db.records import FlagRecord, SeatRecord


def test_session_counts_students_and_flags(store, session_id, student_ids, new_session) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(new_session())
        empty = unit.start_session(new_session())
        other_student = unit.add_student(other, "Student 1")
        for session, students in ((session_id, student_ids), (other, (other_student,))):
            unit.save_seats(
                session, [SeatRecord(one, "row 1", (0.0, 0.0, 9.0, 9.0), 1280, 720) for one in students]
            )
        outcomes = [("sadness", "flagged"), ("away", "flagged"), ("lost", "not_flagged")]
        unit.save_flags(
            [FlagRecord(session_id, student_ids[0], kind, outcome, {}) for kind, outcome in outcomes]
        )
        unit.save_flags([FlagRecord(session_id, student_ids[1], "sadness", "insufficient_data", {})])
        unit.commit()
    counts = session_counts(store.engine)
    assert counts == {session_id: SessionCounts(3, 1, 1), other: SessionCounts(1, 0)}
    assert empty not in counts


def test_session_counts_without_sessions_is_empty(engine) -> None:
    assert session_counts(engine) == {}
