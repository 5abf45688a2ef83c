"""Summaries of sessions: stored, pending, deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from db.errors import Conflict, InvalidValue
from db.mapping import STUDENT_SUMMARIES
from db.records import (
    Correction,
    CorrectionKind,
    SessionStatus,
    SessionSummary,
    ShareEstimate,
    StudentSummary,
)
from db.schema import SessionRow, SessionSummaryRow, StudentRow, StudentSummaryRow
from db.sessions import get_session
from db.summaries import (
    list_pending_summaries,
    load_session_summaries,
    select_student_summaries,
)

PROBABILITIES = (0.0, 0.0, 0.0, 0.5, 0.25, 0.0, 0.25)
SESSION = SessionSummary(0, 1, 2, 0.75, 0.5, None, PROBABILITIES)
ONE = StudentSummary(
    0, 600.0, 450.0, 300.0, 700, 400.0, 0.5, 0.125, PROBABILITIES, ShareEstimate(0.5, 0.25, 0.75), None
)


def save(store, session_id, students, rules_version=1) -> None:
    with store.unit_of_work() as unit:
        summary = replace(SESSION, session_id=session_id, rules_version=rules_version)
        unit.save_summaries(summary, [ONE._replace(student_id=student_id) for student_id in students])
        unit.commit()


def end(store, *sessions) -> None:
    with store.unit_of_work() as unit:
        for session in sessions:
            unit.end_session(session, SessionStatus.FINISHED, store._clock(), "end of the file")
        unit.commit()


def stored(engine, session_id):
    with engine.connect() as connection:
        of_session = StudentSummaryRow.session_id == session_id
        rows = connection.execute(select_student_summaries().where(of_session)).all()
        return load_session_summaries(connection, [session_id]), [
            STUDENT_SUMMARIES.from_row(row) for row in rows
        ]


def test_save_summaries_replaces_earlier_ones(store, session_id, student_ids) -> None:
    save(store, session_id, student_ids)
    session_summaries, students = stored(store.engine, session_id)
    assert session_summaries == {session_id: replace(SESSION, session_id=session_id)}
    assert students == [ONE._replace(student_id=student_id) for student_id in student_ids]
    save(store, session_id, student_ids[:1], rules_version=2)
    session_summaries, students = stored(store.engine, session_id)
    assert (session_summaries[session_id].rules_version, len(students)) == (2, 1)


def test_summary_of_an_unreadable_student_has_no_shares(store, session_id, student_ids) -> None:
    unreadable = StudentSummary(student_ids[0], 600.0, 0.0, 0.0, 0, 0.0, None, None, None)
    with store.unit_of_work() as unit:
        unit.save_summaries(SessionSummary(session_id, 1, 0, None, None, None, None), [unreadable])
        unit.commit()
    assert stored(store.engine, session_id)[1] == [unreadable]
    assert unreadable.coverage == 0.0
    assert ONE.coverage == 0.75


@pytest.mark.parametrize(
    "changes",
    [{"seen_s": -1.0}, {"facing_share": 1.5}, {"sad": ShareEstimate(0.5, -0.1, 0.6)}, {"usable_samples": -1}],
)
def test_save_invalid_summary_raises_conflict(store, session_id, student_ids, changes) -> None:
    invalid = ONE._replace(student_id=student_ids[0], **changes)
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.save_summaries(replace(SESSION, session_id=session_id), [invalid])


def test_save_summary_with_two_probabilities_raises_invalid_value(store, session_id) -> None:
    with store.unit_of_work() as unit, pytest.raises(InvalidValue):
        unit.save_summaries(replace(SESSION, session_id=session_id, probabilities=(0.5, 0.5)), [])


def test_list_pending_summaries_oldest_first(store, session_id, new_session) -> None:
    start = new_session().started_at
    with store.unit_of_work() as unit:
        later = unit.start_session(new_session(started_at=start + timedelta(days=1)))
        oldest = unit.start_session(new_session(started_at=start - timedelta(days=1)))
        unit.commit()
    end(store, later, oldest)
    assert list_pending_summaries(store.engine, 1) == [oldest, later]  # the third one is running
    save(store, oldest, [])
    assert list_pending_summaries(store.engine, 1) == [later]
    assert list_pending_summaries(store.engine, 2) == [oldest, later]  # rules changed


def test_erased_student_makes_summaries_pending(store, session_id, student_ids) -> None:
    save(store, session_id, student_ids)
    end(store, session_id)
    assert list_pending_summaries(store.engine, 1) == []
    with store.engine.begin() as connection:
        connection.execute(delete(StudentRow).where(StudentRow.id == student_ids[0]))
    assert [student.student_id for student in stored(store.engine, session_id)[1]] == list(student_ids[1:])
    assert list_pending_summaries(store.engine, 1) == [session_id]


def test_summaries_are_deleted_with_the_session(store, session_id, student_ids) -> None:
    save(store, session_id, student_ids)
    with store.engine.begin() as connection:
        connection.execute(delete(SessionRow).where(SessionRow.id == session_id))
        assert connection.execute(select(SessionSummaryRow.session_id)).all() == []
        assert connection.execute(select(StudentSummaryRow.id)).all() == []


def test_list_pending_summaries_before_a_session(store, session_id, new_session) -> None:
    start = new_session().started_at
    with store.unit_of_work() as unit:
        earlier = unit.start_session(new_session(started_at=start - timedelta(days=1)))
        other = unit.start_session(new_session("8a", started_at=start - timedelta(days=1)))
        unit.commit()
    end(store, session_id, earlier, other)
    assert list_pending_summaries(store.engine, 1, get_session(store.engine, session_id)) == [earlier]
    assert list_pending_summaries(store.engine, 1, get_session(store.engine, earlier)) == []


def test_correction_makes_later_sessions_of_roster_students_pending(store, new_session) -> None:
    """The first of three sessions is corrected; the second has Mia, the third only students known by a
    seat."""
    start = new_session().started_at
    with store.unit_of_work() as unit:
        first, second, third = (
            unit.start_session(new_session(started_at=start + timedelta(days=day))) for day in range(3)
        )
        student, seat_only = unit.add_student(first, "Student 1"), unit.add_student(third, "Student 1")
        mia = unit.add_unrecorded_student(first, "Mia", to_roster=True)
        unit.commit()
    end(store, first, second, third)
    for session, student_id in ((first, student), (second, mia), (third, seat_only)):
        save(store, session, [student_id])
    assert list_pending_summaries(store.engine, 1) == []
    with store.unit_of_work() as unit:
        unit.add_correction(first, Correction(CorrectionKind.NAME, student, mia), start)
        unit.commit()
    assert list_pending_summaries(store.engine, 1) == [first, second]


def test_late_analysis_of_an_earlier_session_makes_later_ones_pending(store, new_session) -> None:
    start = new_session().started_at
    with store.unit_of_work() as unit:
        late, first, second = (
            unit.start_session(new_session(started_at=start + timedelta(days=day))) for day in range(3)
        )
        mia = unit.add_unrecorded_student(first, "Mia", to_roster=True)
        unit.commit()
    end(store, first, second)
    for session in (first, second):
        save(store, session, [mia])
    assert list_pending_summaries(store.engine, 1) == []
    end(store, late)
    assert list_pending_summaries(store.engine, 1) == [late, first, second]
