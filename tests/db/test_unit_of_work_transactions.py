"""Every write of a unit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from db import sessions as queries
from db.errors import Conflict, NotFound
from db.records import (
    FlagRecord,
    NewSession,
    SeatRecord,
    SessionProgress,
    SessionStatus,
    StudentRecord,
    TimelineBin,
    TrackRecord,
)
from db.schema import ClassGroupRow, TimelineBinRow
from db.unit_of_work import Store


def count(engine: Engine, table: type) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_a_session_comes_back_as_it_was_started(store, session_id, new_session) -> None:
    record = queries.get_session(store.engine, session_id)
    new = new_session()
    for field in dataclasses.fields(NewSession):
        assert getattr(record, field.name) == getattr(new, field.name), field.name
    assert record.status is SessionStatus.RUNNING
    assert record.ended_at is None
    assert (record.end_s, record.watched_s, record.frames_sampled, record.frames_dropped) == (0, 0, 0, 0)


def test_sessions_of_one_class_share_it(store, session_id, new_session) -> None:
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.start_session(new_session(class_name="8a"))
        unit.commit()
    assert count(store.engine, ClassGroupRow) == 2
    assert [record.class_name for record in queries.list_sessions(store.engine)] == ["8a", "7b", "7b"]


def test_progress_replaces_progress(store, session_id) -> None:
    for end_s in (5.0, 10.0):
        with store.unit_of_work() as unit:
            unit.save_progress(session_id, SessionProgress(end_s, end_s - 1, int(end_s) * 2, 3))
            unit.commit()
    record = queries.get_session(store.engine, session_id)
    assert (record.end_s, record.watched_s, record.frames_sampled, record.frames_dropped) == (10, 9, 20, 3)


def test_recording_moves_last_written_and_remarks_do_not(store, session_id, people, a_bin, clock) -> None:
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [a_bin(people[0], 0.0)])
        unit.commit()
        written_at = clock.now
        clock()
        unit.add_marker(session_id, 2.0, "quiz announced")
        unit.commit()
    assert queries.get_session(store.engine, session_id).last_written_at == written_at
    with store.unit_of_work() as unit:
        unit.add_marker(session_id, 3.0, "quiz handed out")
        unit.save_flags([FlagRecord(session_id, people[0], "sad", "flagged", {})])
        unit.commit()
    assert queries.get_session(store.engine, session_id).last_written_at == written_at


def test_each_recording_write_counts_as_one(store, session_id, people, clock) -> None:
    writes = [
        lambda unit: unit.add_student(session_id, "Student 9"),
        lambda unit: unit.rename_students(session_id, {people[0]: "Student 8"}),
        lambda unit: unit.save_seats(session_id, []),
        lambda unit: unit.save_tracks(session_id, []),
        lambda unit: unit.save_progress(session_id, SessionProgress(1, 1, 1, 1)),
    ]
    for write in writes:
        before = queries.get_session(store.engine, session_id).last_written_at
        with store.unit_of_work() as unit:
            write(unit)
            unit.commit()
        assert queries.get_session(store.engine, session_id).last_written_at > before


def test_an_ended_session_says_how(store, session_id, clock) -> None:
    ended_at = clock()
    with store.unit_of_work() as unit:
        unit.end_session(session_id, SessionStatus.FINISHED, ended_at, "end of the file")
        unit.commit()
    record = queries.get_session(store.engine, session_id)
    assert (record.status, record.ended_at, record.status_reason) == (
        SessionStatus.FINISHED,
        ended_at,
        "end of the file",
    )


def test_students_belong_to_the_class_of_their_session(store, session_id, people) -> None:
    assert queries.list_students(store.engine, session_id) == [
        StudentRecord(people[n], f"Student {n + 1}", "7b", session_id) for n in range(3)
    ]


def test_a_pseudonym_is_given_once_in_a_session(store, session_id, people) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.add_student(session_id, "Student 1")


@pytest.mark.parametrize("order", [(1, 0, 2), (1, 2, 0), (2, 1, 0), (0, 1, 2)])
def test_students_swap_their_names(store, session_id, people, order) -> None:
    names = {people[n]: f"Student {order[n] + 1}" for n in range(3)}
    with store.unit_of_work() as unit:
        unit.rename_students(session_id, names)
        unit.commit()
    assert {who.id: who.pseudonym for who in queries.list_students(store.engine, session_id)} == names


def test_some_are_renamed_and_the_others_left(store, session_id, people) -> None:
    with store.unit_of_work() as unit:
        unit.rename_students(session_id, {people[2]: "Student 7"})
        unit.rename_students(session_id, {})
        unit.commit()
    names = [who.pseudonym for who in queries.list_students(store.engine, session_id)]
    assert names == ["Student 1", "Student 2", "Student 7"]


def test_a_name_that_stays_taken_is_refused(store, session_id, people) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.rename_students(session_id, {people[0]: "Student 2"})
    assert queries.list_students(store.engine, session_id)[0].pseudonym == "Student 1"


def test_only_the_session_s_own_students_are_renamed(store, session_id, people, new_session) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(new_session())
        stranger = unit.add_student(other, "Student 1")
        unit.commit()
        with pytest.raises(NotFound, match=f"no student {stranger}$"):
            unit.rename_students(session_id, {people[0]: "Student 2", stranger: "Student 1"})


def test_writing_a_bin_again_replaces_it(store, session_id, people, a_bin) -> None:
    again = dataclasses.replace(a_bin(people[0], 5.0, sad=0.5), unreadable_reasons={}, yaw_deg=None, pitch_deg=1.0)
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [a_bin(people[0], 0.0), a_bin(people[0], 5.0), a_bin(people[1], 5.0)])
        unit.commit()
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [again])
        unit.commit()
    assert queries.load_bins(store.engine, session_id) == [
        a_bin(people[0], 0.0),
        again,
        a_bin(people[1], 5.0),
    ]


def test_a_whole_class_bin_is_replaced_too(store, session_id, people, a_bin) -> None:
    again = dataclasses.replace(a_bin(None, 0.0, sad=0.75), student_count=12)
    for item in (a_bin(None, 0.0), again):
        with store.unit_of_work() as unit:
            unit.write_bins(session_id, [item, a_bin(people[0], 0.0)])
            unit.commit()
    assert queries.load_bins(store.engine, session_id) == [again, a_bin(people[0], 0.0)]


def test_the_last_of_two_equal_bins_in_one_batch_stays(store, session_id, people, a_bin) -> None:
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [a_bin(people[0], 0.0), a_bin(people[0], 0.0, sad=1.0)])
        unit.commit()
    assert queries.load_bins(store.engine, session_id) == [a_bin(people[0], 0.0, sad=1.0)]


def test_sessions_do_not_share_bins(store, session_id, a_bin, new_session) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(new_session())
        for session in (session_id, other):
            unit.write_bins(session, [a_bin(None, 0.0)])
        unit.commit()
    assert (
        len(queries.load_bins(store.engine, session_id)) == len(queries.load_bins(store.engine, other)) == 1
    )


def test_numpy_s_numbers_are_stored_as_numbers(store, session_id, people, a_bin) -> None:
    numbers = {"samples": np.int64(10), "seen_s": np.float32(4.0), "start_s": np.float64(0.0)}
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [dataclasses.replace(a_bin(people[0], 0.0), **numbers)])
        unit.commit()
    assert queries.load_bins(store.engine, session_id) == [a_bin(people[0], 0.0)]


def test_seats_are_kept_one_each(store, session_id, people) -> None:
    seats = [SeatRecord(people[n], f"row 1, seat {n}", (0.5, 1.0, 30.0 + n, 40.0), 1280, 720) for n in (0, 1)]
    moved = dataclasses.replace(seats[0], box_xyxy=(7.0, 8.0, 9.0, 10.0), label="row 2, seat 1")
    for written in (seats, [moved]):
        with store.unit_of_work() as unit:
            unit.save_seats(session_id, written)
            unit.commit()
    assert queries.list_seats(store.engine, session_id) == [moved, seats[1]]


def test_an_empty_box_is_no_seat(store, session_id, people) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.save_seats(session_id, [SeatRecord(people[0], "x", (5.0, 5.0, 5.0, 9.0), 1280, 720)])


def test_tracks_are_kept_by_number(store, session_id, people) -> None:
    tracks = [TrackRecord(people[0], 2, 0.0, 4.5, 9), TrackRecord(people[1], 1, 1.0, 2.0, 3, "seat only")]
    longer = dataclasses.replace(tracks[0], last_s=60.0, hits=120)
    for written in (tracks, [longer]):
        with store.unit_of_work() as unit:
            unit.save_tracks(session_id, written)
            unit.commit()
    assert queries.list_tracks(store.engine, session_id) == [tracks[1], longer]


def test_markers_come_by_time(store, session_id) -> None:
    with store.unit_of_work() as unit:
        for at_s, text in ((90.0, "quiz collected"), (30.0, "quiz handed out")):
            unit.add_marker(session_id, at_s, text)
        unit.commit()
    assert [(m.at_s, m.text) for m in queries.list_markers(store.engine, session_id)] == [
        (30.0, "quiz handed out"),
        (90.0, "quiz collected"),
    ]


def test_a_verdict_made_again_keeps_its_review(store, session_id, people, clock) -> None:
    first = FlagRecord(session_id, people[0], "sad", "flagged", {"share": 0.4, "interval": [0.3, 0.5]})
    reviewed = dataclasses.replace(
        first, review="dismissed", reviewed_by="the teacher", reviewed_at=clock(), note="hay fever"
    )
    again = dataclasses.replace(first, outcome="not_flagged", numbers={"share": 0.2})
    with store.unit_of_work() as unit:
        unit.save_flags([first])
        unit.save_review(reviewed)
        unit.commit()
    assert queries.list_flags(store.engine, session_id) == [reviewed]
    with store.unit_of_work() as unit:
        unit.save_flags([again])
        unit.commit()
    assert queries.list_flags(store.engine, session_id) == [
        dataclasses.replace(reviewed, outcome="not_flagged", numbers={"share": 0.2})
    ]


def test_a_flag_that_is_not_there_cannot_be_reviewed(store, session_id, people) -> None:
    with store.unit_of_work() as unit, pytest.raises(NotFound, match=r"no 'sad' of student"):
        unit.save_review(FlagRecord(session_id, people[0], "sad", "flagged", {}, review="confirmed"))


@pytest.mark.parametrize("change", [{"outcome": "sad"}, {"review": "maybe"}])
def test_outcome_and_review_are_of_the_lists(store, session_id, people, change) -> None:
    flag = dataclasses.replace(FlagRecord(session_id, people[0], "sad", "flagged", {}), **change)
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.save_flags([flag])


def test_the_audit_is_newest_first(store, clock) -> None:
    early, late = clock(), clock()
    with store.unit_of_work() as unit:
        unit.add_audit_entry("erase", "Student 3", late, "asked for it")
        unit.add_audit_entry("export", "session 1", early)
        unit.commit()
    trail = queries.list_audit_entries(store.engine)
    assert [(entry.action, entry.at) for entry in trail] == [("erase", late), ("export", early)]
    assert queries.list_audit_entries(store.engine, limit=1) == trail[:1]


def test_nothing_is_written_for_an_empty_batch(store: Store, session_id: int) -> None:
    with store.unit_of_work() as unit:
        empty: list[TimelineBin] = []
        unit.write_bins(session_id, empty)
        unit.save_flags([])
        unit.commit()
    assert count(store.engine, TimelineBinRow) == 0
