"""The numbers beside each session in a list."""

from __future__ import annotations

from db.history import SessionCounts, session_counts
from db.records import FlagRecord, SeatRecord


def test_people_and_flags_are_counted_by_session(store, session_id, people, new_session) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(new_session())
        nobody = unit.start_session(new_session())
        stranger = unit.add_student(other, "Student 1")
        for number, students in ((session_id, people), (other, (stranger,))):
            unit.save_seats(
                number, [SeatRecord(who, "row 1", (0.0, 0.0, 9.0, 9.0), 1280, 720) for who in students]
            )
        outcomes = [("sad", "flagged"), ("away", "flagged"), ("lost", "not_flagged")]
        unit.save_flags([FlagRecord(session_id, people[0], kind, outcome, {}) for kind, outcome in outcomes])
        unit.save_flags([FlagRecord(session_id, people[1], "sad", "insufficient_data", {})])
        unit.commit()
    counts = session_counts(store.engine)
    assert counts == {session_id: SessionCounts(3, 1, 1), other: SessionCounts(1, 0)}
    assert nobody not in counts


def test_nothing_recorded_nothing_counted(engine) -> None:
    assert session_counts(engine) == {}
