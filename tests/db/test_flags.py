from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.flags import list_flagged_students
from db.records import Correction, CorrectionKind, FlagRecord, SessionStatus

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def told(engine, **of) -> list[tuple[int, str, str, str]]:
    return [
        (one.session.id, one.student.pseudonym, one.flag.kind, one.flag.review)
        for one in list_flagged_students(engine, **of)
    ]


@pytest.fixture
def flagged(store, session_id, people) -> int:
    """Student 1 has two flags, 2 a dismissed one, 3 none; the session has ended."""
    one, two, three = people
    with store.unit_of_work() as unit:
        unit.save_flags(
            [
                FlagRecord(session_id, two, "sadness", "flagged", {}),
                FlagRecord(session_id, one, "sadness", "flagged", {}),
                FlagRecord(session_id, one, "attention", "flagged", {}),
                FlagRecord(session_id, three, "sadness", "not_flagged", {}),
                FlagRecord(session_id, three, "attention", "insufficient_data", {}),
            ]
        )
        unit.save_review(FlagRecord(session_id, two, "sadness", "", {}, "dismissed", "Ms Ono", NOON))
        unit.end_session(session_id, SessionStatus.FINISHED, NOON, "")
        unit.commit()
    return session_id


def test_only_what_was_raised(store, flagged):
    assert told(store.engine) == [
        (flagged, "Student 1", "attention", "open"),
        (flagged, "Student 1", "sadness", "open"),
        (flagged, "Student 2", "sadness", "dismissed"),
    ]


def test_of_one_class_or_session_the_newest_first(store, flagged, new_session):
    with store.unit_of_work() as unit:
        later = unit.start_session(new_session("8a", started_at=NOON + timedelta(days=1)))
        who = unit.add_student(later, "Student 1")
        unit.save_flags([FlagRecord(later, who, "attention", "flagged", {})])
        unit.commit()
    assert [number for number, *_ in told(store.engine)] == [later, flagged, flagged, flagged]
    assert told(store.engine, class_name="8a") == [(later, "Student 1", "attention", "open")]
    assert {number for number, *_ in told(store.engine, session_id=flagged)} == {flagged}
    assert told(store.engine, class_name="9c") == []


def test_after_corrections_it_is_the_persons(store, flagged, people):
    """Student 2 is Mia, judged anew under that name: the review moves along, the old row is nobody's."""
    with store.unit_of_work() as unit:
        mia = unit.add_unrecorded_student(flagged, "Mia", to_roster=True)
        unit.add_correction(flagged, Correction(CorrectionKind.NAME, people[1], mia), NOON + timedelta(hours=1))
        unit.save_flags([FlagRecord(flagged, mia, "sadness", "flagged", {})])
        unit.commit()
    assert told(store.engine)[-1] == (flagged, "Mia", "sadness", "dismissed")
    assert len(told(store.engine)) == 3


def test_a_review_may_have_been_of_what_is_raised_by_now(store, flagged, people):
    """A flag that was not raised was reviewed under one name and is raised under another."""
    with store.unit_of_work() as unit:
        given = FlagRecord(flagged, people[2], "sadness", "", {}, "confirmed", "Ms Ono", NOON)
        unit.save_review(given)
        mia = unit.add_unrecorded_student(flagged, "Mia", to_roster=True)
        unit.add_correction(flagged, Correction(CorrectionKind.NAME, people[2], mia), NOON + timedelta(hours=1))
        unit.save_flags([replace(given, student_id=mia, outcome="flagged")])
        unit.commit()
    assert (flagged, "Mia", "sadness", "confirmed") in told(store.engine)
