"""Counts per session, and shares in earlier sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.errors import NotFound
from db.history import SessionCounts, load_earlier_shares, session_counts
from db.records import (
    EarlierShare,
    FlagRecord,
    SeatRecord,
    SessionSummary,
    ShareEstimate,
    StudentSummary,
)


def test_session_counts_students_and_flags(store, session_id, student_ids, new_session) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(new_session())
        empty = unit.start_session(new_session())
        other_student = unit.add_student(other, "Student 1")
        for session, students in ((session_id, student_ids), (other, (other_student,))):
            unit.save_seats(
                session,
                [SeatRecord(student_id, "row 1", (0.0, 0.0, 9.0, 9.0), 1280, 720) for student_id in students],
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


@pytest.fixture
def term(store, new_session, make_bin):
    """Three sessions, a week apart, of the roster student Mia and of a student known by the seat."""
    start, sessions, mia = new_session().started_at, [], 0
    with store.unit_of_work() as unit:
        for week in range(3):
            session = unit.start_session(new_session(started_at=start + timedelta(weeks=week)))
            sessions.append(session)
            mia = mia or unit.add_unrecorded_student(session, "Mia", to_roster=True)
            other = unit.add_student(session, "Student 1")
            unit.write_bins(session, [make_bin(mia, 0.0), make_bin(other, 0.0)])
            sad, away = ShareEstimate(week / 4, 0.0, 0.75), ShareEstimate(0.5, 0.5, 0.5) if week else None
            rows = [StudentSummary(w, 5, 5, 5, 9, 0, None, None, None, sad, away) for w in (mia, other)]
            unit.save_summaries(SessionSummary(session, 1, 2, None, None, None, None), rows)
            kinds = [("sadness", "not_flagged"), ("attention", "flagged"), ("another", "flagged")]
            unit.save_flags([FlagRecord(session, w, k, o, {}) for w in (mia, other) for k, o in kinds])
            unit.save_review(FlagRecord(session, mia, "attention", "", {}, "dismissed", "Ms Ono", start))
        unit.commit()
    return sessions, mia


def test_load_earlier_shares_of_roster_students(store, term, new_session) -> None:
    (first, second, third), mia = term
    start = new_session().started_at
    later = start + timedelta(weeks=1)
    assert load_earlier_shares(store.engine, third) == [
        EarlierShare(mia, first, start, "sadness", ShareEstimate(0.0, 0.0, 0.75), "not_flagged"),
        EarlierShare(mia, second, later, "attention", ShareEstimate(0.5, 0.5, 0.5), "flagged", "dismissed"),
        EarlierShare(mia, second, later, "sadness", ShareEstimate(0.25, 0.0, 0.75), "not_flagged"),
    ]
    assert load_earlier_shares(store.engine, first) == []


def test_load_earlier_shares_unknown_session(store) -> None:
    with pytest.raises(NotFound) as caught:
        load_earlier_shares(store.engine, 10**6)
    assert (caught.value.kind, caught.value.key) == ("session", 10**6)
