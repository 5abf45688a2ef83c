"""Every write of a unit of work."""

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


def test_start_session_round_trip(store, session_id, new_session) -> None:
    record = queries.get_session(store.engine, session_id)
    new = new_session()
    for field in dataclasses.fields(NewSession):
        assert getattr(record, field.name) == getattr(new, field.name), field.name
    assert record.status is SessionStatus.RUNNING
    assert record.ended_at is None
    assert (record.end_s, record.watched_s, record.frames_sampled, record.frames_dropped) == (0, 0, 0, 0)


def test_start_session_stores_a_class_once(store, session_id, new_session) -> None:
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.start_session(new_session(class_name="8a"))
        unit.commit()
    assert count(store.engine, ClassGroupRow) == 2
    assert [record.class_name for record in queries.list_sessions(store.engine)] == ["8a", "7b", "7b"]


def test_save_progress_replaces_earlier_progress(store, session_id) -> None:
    for end_s in (5.0, 10.0):
        with store.unit_of_work() as unit:
            unit.save_progress(session_id, SessionProgress(end_s, end_s - 1, int(end_s) * 2, 3))
            unit.commit()
    record = queries.get_session(store.engine, session_id)
    assert (record.end_s, record.watched_s, record.frames_sampled, record.frames_dropped) == (10, 9, 20, 3)


def test_bins_set_last_written_at_and_markers_do_not(store, session_id, student_ids, make_bin, clock) -> None:
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [make_bin(student_ids[0], 0.0)])
        unit.commit()
        written_at = clock.now
        clock()
        unit.add_marker(session_id, 2.0, "quiz announced")
        unit.commit()
    assert queries.get_session(store.engine, session_id).last_written_at == written_at
    with store.unit_of_work() as unit:
        unit.add_marker(session_id, 3.0, "quiz handed out")
        unit.save_flags([FlagRecord(session_id, student_ids[0], "sadness", "flagged", {})])
        unit.commit()
    assert queries.get_session(store.engine, session_id).last_written_at == written_at


def test_recording_writes_set_last_written_at(store, session_id, student_ids, clock) -> None:
    writes = [
        lambda unit: unit.add_student(session_id, "Student 9"),
        lambda unit: unit.rename_students(session_id, {student_ids[0]: "Student 8"}),
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


def test_end_session_stores_status_and_reason(store, session_id, clock) -> None:
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


def test_add_student_joins_the_class_of_the_session(store, session_id, student_ids) -> None:
    assert queries.list_students(store.engine, session_id) == [
        StudentRecord(student_ids[n], f"Student {n + 1}", "7b", session_id) for n in range(3)
    ]


def test_add_student_with_a_taken_pseudonym_raises_conflict(store, session_id, student_ids) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.add_student(session_id, "Student 1")


@pytest.mark.parametrize("order", [(1, 0, 2), (1, 2, 0), (2, 1, 0), (0, 1, 2)])
def test_rename_students_may_swap(store, session_id, student_ids, order) -> None:
    names = {student_ids[n]: f"Student {order[n] + 1}" for n in range(3)}
    with store.unit_of_work() as unit:
        unit.rename_students(session_id, names)
        unit.commit()
    assert {
        student.id: student.pseudonym for student in queries.list_students(store.engine, session_id)
    } == names


def test_rename_students_leaves_the_others(store, session_id, student_ids) -> None:
    with store.unit_of_work() as unit:
        unit.rename_students(session_id, {student_ids[2]: "Student 7"})
        unit.rename_students(session_id, {})
        unit.commit()
    names = [student.pseudonym for student in queries.list_students(store.engine, session_id)]
    assert names == ["Student 1", "Student 2", "Student 7"]


def test_rename_students_to_a_taken_pseudonym_raises_conflict(store, session_id, student_ids) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.rename_students(session_id, {student_ids[0]: "Student 2"})
    assert queries.list_students(store.engine, session_id)[0].pseudonym == "Student 1"


def test_rename_students_of_another_session_raises_not_found(
    store, session_id, student_ids, new_session
) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(new_session())
        other_student = unit.add_student(other, "Student 1")
        unit.commit()
        with pytest.raises(NotFound) as caught:
            unit.rename_students(session_id, {student_ids[0]: "Student 2", other_student: "Student 1"})
    assert (caught.value.kind, caught.value.key) == ("student", other_student)


def test_write_bins_replaces_a_bin(store, session_id, student_ids, make_bin) -> None:
    replacement = dataclasses.replace(
        make_bin(student_ids[0], 5.0, sad=0.5), unreadable_reasons={}, yaw_deg=None, pitch_deg=1.0
    )
    with store.unit_of_work() as unit:
        unit.write_bins(
            session_id,
            [make_bin(student_ids[0], 0.0), make_bin(student_ids[0], 5.0), make_bin(student_ids[1], 5.0)],
        )
        unit.commit()
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [replacement])
        unit.commit()
    assert queries.load_bins(store.engine, session_id) == [
        make_bin(student_ids[0], 0.0),
        replacement,
        make_bin(student_ids[1], 5.0),
    ]


def test_write_bins_replaces_a_class_bin(store, session_id, student_ids, make_bin) -> None:
    replacement = dataclasses.replace(make_bin(None, 0.0, sad=0.75), student_count=12)
    for item in (make_bin(None, 0.0), replacement):
        with store.unit_of_work() as unit:
            unit.write_bins(session_id, [item, make_bin(student_ids[0], 0.0)])
            unit.commit()
    assert queries.load_bins(store.engine, session_id) == [replacement, make_bin(student_ids[0], 0.0)]


def test_write_bins_keeps_the_last_of_two_equal_keys(store, session_id, student_ids, make_bin) -> None:
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [make_bin(student_ids[0], 0.0), make_bin(student_ids[0], 0.0, sad=1.0)])
        unit.commit()
    assert queries.load_bins(store.engine, session_id) == [make_bin(student_ids[0], 0.0, sad=1.0)]


def test_bins_of_sessions_are_separate(store, session_id, make_bin, new_session) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(new_session())
        for session in (session_id, other):
            unit.write_bins(session, [make_bin(None, 0.0)])
        unit.commit()
    assert (
        len(queries.load_bins(store.engine, session_id)) == len(queries.load_bins(store.engine, other)) == 1
    )


def test_numpy_numbers_are_stored_as_numbers(store, session_id, student_ids, make_bin) -> None:
    numbers = {"samples": np.int64(10), "seen_s": np.float32(4.0), "start_s": np.float64(0.0)}
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [dataclasses.replace(make_bin(student_ids[0], 0.0), **numbers)])
        unit.commit()
    assert queries.load_bins(store.engine, session_id) == [make_bin(student_ids[0], 0.0)]


def test_save_seats_replaces_the_seat_of_a_student(store, session_id, student_ids) -> None:
    seats = [
        SeatRecord(student_ids[n], f"row 1, seat {n}", (0.5, 1.0, 30.0 + n, 40.0), 1280, 720) for n in (0, 1)
    ]
    moved = dataclasses.replace(seats[0], box_xyxy=(7.0, 8.0, 9.0, 10.0), label="row 2, seat 1")
    for written in (seats, [moved]):
        with store.unit_of_work() as unit:
            unit.save_seats(session_id, written)
            unit.commit()
    assert queries.list_seats(store.engine, session_id) == [moved, seats[1]]


def test_save_seat_with_empty_box_raises_conflict(store, session_id, student_ids) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.save_seats(session_id, [SeatRecord(student_ids[0], "x", (5.0, 5.0, 5.0, 9.0), 1280, 720)])


def test_save_tracks_replaces_by_track_number(store, session_id, student_ids) -> None:
    tracks = [
        TrackRecord(student_ids[0], 2, 0.0, 4.5, 9),
        TrackRecord(student_ids[1], 1, 1.0, 2.0, 3, "seat only"),
    ]
    longer = dataclasses.replace(tracks[0], last_s=60.0, hits=120)
    for written in (tracks, [longer]):
        with store.unit_of_work() as unit:
            unit.save_tracks(session_id, written)
            unit.commit()
    assert queries.list_tracks(store.engine, session_id) == [tracks[1], longer]


def test_list_markers_by_time(store, session_id) -> None:
    with store.unit_of_work() as unit:
        for at_s, text in ((90.0, "quiz collected"), (30.0, "quiz handed out")):
            unit.add_marker(session_id, at_s, text)
        unit.commit()
    assert [(m.at_s, m.text) for m in queries.list_markers(store.engine, session_id)] == [
        (30.0, "quiz handed out"),
        (90.0, "quiz collected"),
    ]


def test_save_flags_keeps_the_review(store, session_id, student_ids, clock) -> None:
    first = FlagRecord(
        session_id, student_ids[0], "sadness", "flagged", {"share": 0.4, "interval": [0.3, 0.5]}
    )
    reviewed = dataclasses.replace(
        first, review="dismissed", reviewed_by="the teacher", reviewed_at=clock(), note="hay fever"
    )
    repeated = dataclasses.replace(first, outcome="not_flagged", numbers={"share": 0.2})
    with store.unit_of_work() as unit:
        unit.save_flags([first])
        unit.save_review(reviewed)
        unit.commit()
    assert queries.list_flags(store.engine, session_id) == [reviewed]
    with store.unit_of_work() as unit:
        unit.save_flags([repeated])
        unit.commit()
    assert queries.list_flags(store.engine, session_id) == [
        dataclasses.replace(reviewed, outcome="not_flagged", numbers={"share": 0.2})
    ]


def test_save_review_of_unknown_flag_raises_not_found(store, session_id, student_ids) -> None:
    with store.unit_of_work() as unit, pytest.raises(NotFound) as caught:
        unit.save_review(FlagRecord(session_id, student_ids[0], "sadness", "flagged", {}, review="confirmed"))
    assert (caught.value.kind, caught.value.key) == ("flag", "sadness")


@pytest.mark.parametrize("change", [{"outcome": "sad"}, {"review": "maybe"}])
def test_save_flag_with_unknown_outcome_or_review_raises_conflict(
    store, session_id, student_ids, change
) -> None:
    flag = dataclasses.replace(FlagRecord(session_id, student_ids[0], "sadness", "flagged", {}), **change)
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.save_flags([flag])


def test_list_audit_entries_newest_first(store, clock) -> None:
    early, late = clock(), clock()
    with store.unit_of_work() as unit:
        unit.add_audit_entry("erase", "Student 3", late, "asked for it")
        unit.add_audit_entry("export", "session 1", early)
        unit.commit()
    entries = queries.list_audit_entries(store.engine)
    assert [(entry.action, entry.at) for entry in entries] == [("erase", late), ("export", early)]
    assert queries.list_audit_entries(store.engine, limit=1) == entries[:1]


def test_empty_batch_writes_nothing(store: Store, session_id: int) -> None:
    with store.unit_of_work() as unit:
        empty: list[TimelineBin] = []
        unit.write_bins(session_id, empty)
        unit.save_flags([])
        unit.commit()
    assert count(store.engine, TimelineBinRow) == 0
