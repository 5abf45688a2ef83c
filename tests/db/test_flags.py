"""Raised flags of many sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.flags import list_flagged_students
from db.records import Correction, CorrectionKind, FlagRecord, SessionStatus

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def flag_rows(engine, **filters) -> list[tuple[int, str, str, str]]:
    return [
        (flagged.session.id, flagged.student.pseudonym, flagged.flag.kind, flagged.flag.review)
        for flagged in list_flagged_students(engine, **filters)
    ]


@pytest.fixture
def flagged(store, session_id, student_ids) -> int:
    """Student 1 has two flags, 2 a dismissed one, 3 none; the session has ended."""
    first, second, third = student_ids
    with store.unit_of_work() as unit:
        unit.save_flags(
            [
                FlagRecord(session_id, second, "sadness", "flagged", {}),
                FlagRecord(session_id, first, "sadness", "flagged", {}),
                FlagRecord(session_id, first, "attention", "flagged", {}),
                FlagRecord(session_id, third, "sadness", "not_flagged", {}),
                FlagRecord(session_id, third, "attention", "insufficient_data", {}),
            ]
        )
        unit.save_review(FlagRecord(session_id, second, "sadness", "", {}, "dismissed", "Ms Ono", NOON))
        unit.end_session(session_id, SessionStatus.FINISHED, NOON, "")
        unit.commit()
    return session_id


def test_list_flagged_students_has_raised_flags_only(store, flagged):
    assert flag_rows(store.engine) == [
        (flagged, "Student 1", "attention", "open"),
        (flagged, "Student 1", "sadness", "open"),
        (flagged, "Student 2", "sadness", "dismissed"),
    ]


def test_list_flagged_students_filters_and_orders_newest_first(store, flagged, new_session):
    with store.unit_of_work() as unit:
        later = unit.start_session(new_session("8a", started_at=NOON + timedelta(days=1)))
        student = unit.add_student(later, "Student 1")
        unit.save_flags([FlagRecord(later, student, "attention", "flagged", {})])
        unit.commit()
    assert [session for session, *_ in flag_rows(store.engine)] == [later, flagged, flagged, flagged]
    assert flag_rows(store.engine, class_name="8a") == [(later, "Student 1", "attention", "open")]
    assert {session for session, *_ in flag_rows(store.engine, session_id=flagged)} == {flagged}
    assert flag_rows(store.engine, class_name="9c") == []


def test_correction_moves_review_to_the_person(store, flagged, student_ids):
    """Student 2 is named Mia and reassessed: the review moves to Mia, the old row belongs to no person."""
    with store.unit_of_work() as unit:
        mia = unit.add_unrecorded_student(flagged, "Mia", to_roster=True)
        unit.add_correction(
            flagged, Correction(CorrectionKind.NAME, student_ids[1], mia), NOON + timedelta(hours=1)
        )
        unit.save_flags([FlagRecord(flagged, mia, "sadness", "flagged", {})])
        unit.commit()
    assert flag_rows(store.engine)[-1] == (flagged, "Mia", "sadness", "dismissed")
    assert len(flag_rows(store.engine)) == 3


def test_review_of_a_decision_that_is_raised_later_is_kept(store, flagged, student_ids):
    """A decision that was not raised is reviewed for one student and raised for the person."""
    with store.unit_of_work() as unit:
        reviewed = FlagRecord(flagged, student_ids[2], "sadness", "", {}, "confirmed", "Ms Ono", NOON)
        unit.save_review(reviewed)
        mia = unit.add_unrecorded_student(flagged, "Mia", to_roster=True)
        unit.add_correction(
            flagged, Correction(CorrectionKind.NAME, student_ids[2], mia), NOON + timedelta(hours=1)
        )
        unit.save_flags([replace(reviewed, student_id=mia, outcome="flagged")])
        unit.commit()
    assert (flagged, "Mia", "sadness", "confirmed") in flag_rows(store.engine)
