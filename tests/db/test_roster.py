"""The roster and students' names."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete

import db
from db import sessions as queries
from db.errors import Conflict, NotFound
from db.records import FlagRecord, RosterEntry, SeatRecord, TrackRecord
from db.roster import list_roster, load_student_names, save_roster_entry, save_student_names, set_consent
from db.schema import StudentRow


def save(
    store, clock, pseudonym: str, seat: str | None = None, consent: bool = True, class_name: str = "7b"
) -> int:
    with store.unit_of_work() as unit:
        student_id = save_roster_entry(unit, class_name, pseudonym, seat, consent, clock())
        unit.commit()
    return student_id


def test_save_roster_entry_replaces_it_under_its_id(store, engine, clock) -> None:
    student_id = save(store, clock, "Ada", "A1")
    again = save(store, clock, "Ada", None, consent=False)
    assert student_id == again
    assert list_roster(engine, "7b") == [RosterEntry(student_id, "7b", "Ada", None, False, clock.now)]


def test_pseudonym_may_exist_in_two_classes(store, engine, clock) -> None:
    first, second = save(store, clock, "Ada"), save(store, clock, "Ada", class_name="6a")
    assert [(e.student_id, e.class_name) for e in list_roster(engine)] == [
        (second, "6a"),
        (first, "7b"),
    ]
    assert [entry.student_id for entry in list_roster(engine, "6a")] == [second]
    assert list_roster(engine, "9z") == []


def test_list_roster_excludes_students_of_a_session(store, engine, session_id, student_ids, clock) -> None:
    student_id = save(store, clock, "Student 1")
    assert student_id not in student_ids
    assert [entry.student_id for entry in list_roster(engine)] == [student_id]


def test_set_consent_requires_a_known_student(store, engine, clock) -> None:
    student_id = save(store, clock, "Ada")
    with store.unit_of_work() as unit:
        set_consent(unit, student_id, False, clock())
        unit.commit()
    (entry,) = list_roster(engine)
    assert (entry.consent, entry.changed_at) == (False, clock.now)
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        set_consent(unit, student_id + 1, False, clock())


def test_save_student_names_stores_replaces_and_deletes(store, engine, clock) -> None:
    first, second = save(store, clock, "Ada"), save(store, clock, "Bo")
    for names in ({first: "Ann", second: "Bob"}, {first: "Anna", second: None}):
        with store.unit_of_work() as unit:
            save_student_names(unit, names)
            unit.commit()
    assert load_student_names(engine, [first, second]) == {first: "Anna"}
    assert load_student_names(engine, []) == {}


def test_deleted_student_loses_entry_and_name(store, engine, clock) -> None:
    student_id = save(store, clock, "Ada")
    with store.unit_of_work() as unit:
        save_student_names(unit, {student_id: "Ann"})
        unit.commit()
    with engine.begin() as connection:
        connection.execute(delete(StudentRow).where(StudentRow.id == student_id))
    assert list_roster(engine) == []
    assert load_student_names(engine, [student_id]) == {}


def test_only_roster_module_uses_the_table_of_names() -> None:
    folder = Path(db.__file__).parent
    users = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if "NameRow" in path.read_text("utf-8") or "student_names" in path.read_text("utf-8")
    }
    assert users == {
        "schema/__init__.py",
        "schema/students.py",
        "roster.py",
        "migrations/versions/0001_initial_schema.py",
    }


class TestReassignToRosterStudent:
    @pytest.fixture
    def recorded(self, store, session_id, student_ids, make_bin) -> int:
        """The first student of the session has a row in every table."""
        first = student_ids[0]
        with store.unit_of_work() as unit:
            unit.write_bins(
                session_id, [make_bin(first, 0.0), make_bin(first, 5.0), make_bin(student_ids[1], 0.0)]
            )
            unit.save_seats(session_id, [SeatRecord(first, "Student 1", (0, 0, 9, 9), 1280, 720)])
            unit.save_tracks(session_id, [TrackRecord(first, 1, 0.0, 5.0, 9)])
            unit.save_flags([FlagRecord(session_id, first, "sadness", "flagged", {})])
            unit.commit()
        return first

    def test_reassign_moves_all_rows(self, store, engine, session_id, student_ids, clock, recorded) -> None:
        ada = save(store, clock, "Ada")
        with store.unit_of_work() as unit:
            unit.reassign_to_roster_student(session_id, recorded, ada)
            unit.commit()
        assert [b.student_id for b in queries.load_bins(engine, session_id)] == [student_ids[1], ada, ada]
        (seat,), (track,), (flag,) = (
            read(engine, session_id) for read in (queries.list_seats, queries.list_tracks, queries.list_flags)
        )
        assert {seat.student_id, track.student_id, flag.student_id} == {ada}
        assert {s.id for s in queries.list_students(engine, session_id)} == {*student_ids[1:], ada}

    def test_reassign_to_student_with_same_times_raises_conflict(
        self, store, engine, session_id, clock, recorded, make_bin
    ) -> None:
        ada = save(store, clock, "Ada")
        with store.unit_of_work() as unit:
            unit.write_bins(session_id, [make_bin(ada, 5.0)])
            unit.commit()
        with store.unit_of_work() as unit, pytest.raises(Conflict):
            unit.reassign_to_roster_student(session_id, recorded, ada)
        assert len(queries.load_bins(engine, session_id)) == 4

    def test_reassign_requires_a_student_of_the_session(self, store, session_id, clock) -> None:
        ada = save(store, clock, "Ada")
        with store.unit_of_work() as unit, pytest.raises(NotFound):
            unit.reassign_to_roster_student(session_id, ada, ada)


def test_student_added_by_a_correction_has_no_consent(store, engine, session_id, student_ids, clock) -> None:
    with store.unit_of_work() as unit:
        student_id = unit.add_unrecorded_student(session_id, "Gnu", to_roster=True)
        unit.commit()
    assert list_roster(engine) == [
        RosterEntry(student_id, list_roster(engine)[0].class_name, "Gnu", None, None, None)
    ]
    with store.unit_of_work() as unit:
        set_consent(unit, student_id, False, clock())
        unit.commit()
    assert [(entry.seat_label, entry.consent) for entry in list_roster(engine)] == [(None, False)]
