"""What sessions hold, summed up: kept, found wanting, gone with whom it is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from db.errors import Conflict, InvalidValue
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
    student_summary_from_row,
)

CHANCES = (0.0, 0.0, 0.0, 0.5, 0.25, 0.0, 0.25)
WHOLE = SessionSummary(0, 1, 2, 0.75, 0.5, None, CHANCES)
ONE = StudentSummary(
    0, 600.0, 450.0, 300.0, 700, 400.0, 0.5, 0.125, CHANCES, ShareEstimate(0.5, 0.25, 0.75), None
)


def save(store, session_id, students, made_with=1) -> None:
    with store.unit_of_work() as unit:
        summary = replace(WHOLE, session_id=session_id, rules_version=made_with)
        unit.save_summaries(summary, [ONE._replace(student_id=who) for who in students])
        unit.commit()


def end(store, *sessions) -> None:
    with store.unit_of_work() as unit:
        for number in sessions:
            unit.end_session(number, SessionStatus.FINISHED, store._clock(), "end of the file")
        unit.commit()


def stored(engine, session_id):
    with engine.connect() as connection:
        of_session = StudentSummaryRow.session_id == session_id
        rows = connection.execute(select_student_summaries().where(of_session)).all()
        return load_session_summaries(connection, [session_id]), [
            student_summary_from_row(row) for row in rows
        ]


def test_they_come_back_as_they_were(store, session_id, people) -> None:
    save(store, session_id, people)
    whole, students = stored(store.engine, session_id)
    assert whole == {session_id: replace(WHOLE, session_id=session_id)}
    assert students == [ONE._replace(student_id=who) for who in people]
    save(store, session_id, people[:1], made_with=2)
    whole, students = stored(store.engine, session_id)
    assert (whole[session_id].rules_version, len(students)) == (2, 1)


def test_who_was_never_read_has_no_numbers(store, session_id, people) -> None:
    nothing = StudentSummary(people[0], 600.0, 0.0, 0.0, 0, 0.0, None, None, None)
    with store.unit_of_work() as unit:
        unit.save_summaries(SessionSummary(session_id, 1, 0, None, None, None, None), [nothing])
        unit.commit()
    assert stored(store.engine, session_id)[1] == [nothing]
    assert nothing.coverage == 0.0
    assert ONE.coverage == 0.75


@pytest.mark.parametrize(
    "changes",
    [{"seen_s": -1.0}, {"facing_share": 1.5}, {"sad": ShareEstimate(0.5, -0.1, 0.6)}, {"usable_samples": -1}],
)
def test_what_cannot_be_is_refused(store, session_id, people, changes) -> None:
    wrong = ONE._replace(student_id=people[0], **changes)
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.save_summaries(replace(WHOLE, session_id=session_id), [wrong])


def test_probabilities_are_seven(store, session_id) -> None:
    with (
        store.unit_of_work() as unit,
        pytest.raises(InvalidValue, match="a summary has 2 probabilities; expected 7"),
    ):
        unit.save_summaries(replace(WHOLE, session_id=session_id, probabilities=(0.5, 0.5)), [])


def test_ended_sessions_without_one_are_found_the_oldest_first(store, session_id, new_session) -> None:
    start = new_session().started_at
    with store.unit_of_work() as unit:
        later = unit.start_session(new_session(started_at=start + timedelta(days=1)))
        oldest = unit.start_session(new_session(started_at=start - timedelta(days=1)))
        unit.commit()
    end(store, later, oldest)
    assert list_pending_summaries(store.engine, 1) == [oldest, later]  # and not the running one
    save(store, oldest, [])
    assert list_pending_summaries(store.engine, 1) == [later]
    assert list_pending_summaries(store.engine, 2) == [oldest, later]  # other rules since


def test_an_erasure_is_noticed(store, session_id, people) -> None:
    save(store, session_id, people)
    end(store, session_id)
    assert list_pending_summaries(store.engine, 1) == []
    with store.engine.begin() as connection:
        connection.execute(delete(StudentRow).where(StudentRow.id == people[0]))
    assert [one.student_id for one in stored(store.engine, session_id)[1]] == list(people[1:])
    assert list_pending_summaries(store.engine, 1) == [session_id]


def test_they_go_with_the_session(store, session_id, people) -> None:
    save(store, session_id, people)
    with store.engine.begin() as connection:
        connection.execute(delete(SessionRow).where(SessionRow.id == session_id))
        assert connection.execute(select(SessionSummaryRow.session_id)).all() == []
        assert connection.execute(select(StudentSummaryRow.id)).all() == []


def test_only_of_the_class_and_before(store, session_id, new_session) -> None:
    start = new_session().started_at
    with store.unit_of_work() as unit:
        earlier = unit.start_session(new_session(started_at=start - timedelta(days=1)))
        other = unit.start_session(new_session("8a", started_at=start - timedelta(days=1)))
        unit.commit()
    end(store, session_id, earlier, other)
    assert list_pending_summaries(store.engine, 1, get_session(store.engine, session_id)) == [earlier]
    assert list_pending_summaries(store.engine, 1, get_session(store.engine, earlier)) == []


def test_a_correction_leaves_later_sessions_of_the_roster_to_be_summed_up_again(store, new_session) -> None:
    """Of three lessons the first is corrected; Mia is in the second, the third knows people by the seat."""
    start = new_session().started_at
    with store.unit_of_work() as unit:
        first, second, third = (
            unit.start_session(new_session(started_at=start + timedelta(days=day))) for day in range(3)
        )
        known, stranger = unit.add_student(first, "Student 1"), unit.add_student(third, "Student 1")
        mia = unit.add_unrecorded_student(first, "Mia", to_roster=True)
        unit.commit()
    end(store, first, second, third)
    for number, who in ((first, known), (second, mia), (third, stranger)):
        save(store, number, [who])
    assert list_pending_summaries(store.engine, 1) == []
    with store.unit_of_work() as unit:
        unit.add_correction(first, Correction(CorrectionKind.NAME, known, mia), start)
        unit.commit()
    assert list_pending_summaries(store.engine, 1) == [first, second]


def test_so_does_an_earlier_lesson_that_is_analysed_later(store, new_session) -> None:
    start = new_session().started_at
    with store.unit_of_work() as unit:
        late, first, second = (
            unit.start_session(new_session(started_at=start + timedelta(days=day))) for day in range(3)
        )
        mia = unit.add_unrecorded_student(first, "Mia", to_roster=True)
        unit.commit()
    end(store, first, second)
    for number in (first, second):
        save(store, number, [mia])
    assert list_pending_summaries(store.engine, 1) == []
    end(store, late)
    assert list_pending_summaries(store.engine, 1) == [late, first, second]
