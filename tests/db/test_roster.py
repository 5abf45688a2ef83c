"""The roster, and names apart from it."""

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


def put(store, clock, pseudonym: str, seat: str | None = None, consent: bool = True, of: str = "7b") -> int:
    with store.unit_of_work() as unit:
        number = save_roster_entry(unit, of, pseudonym, seat, consent, clock())
        unit.commit()
    return number


def test_an_entry_comes_back_and_is_replaced_under_its_number(store, engine, clock) -> None:
    number = put(store, clock, "Ada", "A1")
    again = put(store, clock, "Ada", None, consent=False)
    assert number == again
    assert list_roster(engine, "7b") == [RosterEntry(number, "7b", "Ada", None, False, clock.now)]


def test_a_pseudonym_may_be_used_in_two_classes(store, engine, clock) -> None:
    first, second = put(store, clock, "Ada"), put(store, clock, "Ada", of="6a")
    assert [(e.student_id, e.class_name) for e in list_roster(engine)] == [
        (second, "6a"),
        (first, "7b"),
    ]
    assert [entry.student_id for entry in list_roster(engine, "6a")] == [second]
    assert list_roster(engine, "9z") == []


def test_a_student_of_a_session_is_not_of_the_roster(store, engine, session_id, people, clock) -> None:
    number = put(store, clock, "Student 1")
    assert number not in people
    assert [entry.student_id for entry in list_roster(engine)] == [number]


def test_consent_is_changed_for_one_who_is_there(store, engine, clock) -> None:
    number = put(store, clock, "Ada")
    with store.unit_of_work() as unit:
        set_consent(unit, number, False, clock())
        unit.commit()
    (entry,) = list_roster(engine)
    assert (entry.consent, entry.changed_at) == (False, clock.now)
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        set_consent(unit, number + 1, False, clock())


def test_names_are_kept_replaced_and_forgotten(store, engine, clock) -> None:
    first, second = put(store, clock, "Ada"), put(store, clock, "Bo")
    for given in ({first: "Ann", second: "Bob"}, {first: "Anna", second: None}):
        with store.unit_of_work() as unit:
            save_student_names(unit, given)
            unit.commit()
    assert load_student_names(engine, [first, second]) == {first: "Anna"}
    assert load_student_names(engine, []) == {}


def test_a_student_goes_with_entry_and_name(store, engine, clock) -> None:
    number = put(store, clock, "Ada")
    with store.unit_of_work() as unit:
        save_student_names(unit, {number: "Ann"})
        unit.commit()
    with engine.begin() as connection:
        connection.execute(delete(StudentRow).where(StudentRow.id == number))
    assert list_roster(engine) == []
    assert load_student_names(engine, [number]) == {}


def test_one_module_alone_knows_the_table_of_names() -> None:
    folder = Path(db.__file__).parent
    users = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if "NameRow" in path.read_text("utf-8") or "student_names" in path.read_text("utf-8")
    }
    assert users == {"schema.py", "roster.py", "migrations/versions/0001_initial_schema.py"}


class TestAttribution:
    @pytest.fixture
    def filled(self, store, session_id, people, a_bin) -> int:
        """The first student of the session has a row in every table."""
        first = people[0]
        with store.unit_of_work() as unit:
            unit.write_bins(session_id, [a_bin(first, 0.0), a_bin(first, 5.0), a_bin(people[1], 0.0)])
            unit.save_seats(session_id, [SeatRecord(first, "Student 1", (0, 0, 9, 9), 1280, 720)])
            unit.save_tracks(session_id, [TrackRecord(first, 1, 0.0, 5.0, 9)])
            unit.save_flags([FlagRecord(session_id, first, "sad", "flagged", {})])
            unit.commit()
        return first

    def test_everything_is_handed_over_and_nothing_is_left(
        self, store, engine, session_id, people, clock, filled
    ) -> None:
        ada = put(store, clock, "Ada")
        with store.unit_of_work() as unit:
            unit.reassign_to_roster_student(session_id, filled, ada)
            unit.commit()
        assert [b.student_id for b in queries.load_bins(engine, session_id)] == [people[1], ada, ada]
        (seat,), (track,), (flag,) = (
            read(engine, session_id) for read in (queries.list_seats, queries.list_tracks, queries.list_flags)
        )
        assert {seat.student_id, track.student_id, flag.student_id} == {ada}
        assert {s.id for s in queries.list_students(engine, session_id)} == {*people[1:], ada}

    def test_one_who_is_there_already_is_refused(
        self, store, engine, session_id, clock, filled, a_bin
    ) -> None:
        ada = put(store, clock, "Ada")
        with store.unit_of_work() as unit:
            unit.write_bins(session_id, [a_bin(ada, 5.0)])
            unit.commit()
        with store.unit_of_work() as unit, pytest.raises(Conflict):
            unit.reassign_to_roster_student(session_id, filled, ada)
        assert len(queries.load_bins(engine, session_id)) == 4

    def test_only_a_student_of_the_session_is_handed_over(self, store, session_id, clock) -> None:
        ada = put(store, clock, "Ada")
        with store.unit_of_work() as unit, pytest.raises(NotFound):
            unit.reassign_to_roster_student(session_id, ada, ada)


def test_who_was_put_on_the_roster_by_a_correction_has_not_been_asked(
    store, engine, session_id, people, clock
) -> None:
    with store.unit_of_work() as unit:
        number = unit.add_unrecorded_student(session_id, "Gnu", to_roster=True)
        unit.commit()
    assert list_roster(engine) == [
        RosterEntry(number, list_roster(engine)[0].class_name, "Gnu", None, None, None)
    ]
    with store.unit_of_work() as unit:
        set_consent(unit, number, False, clock())
        unit.commit()
    assert [(entry.seat_label, entry.consent) for entry in list_roster(engine)] == [(None, False)]
