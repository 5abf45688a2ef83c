"""Reads: order, filters, unknown ids, and the number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from db import sessions as queries
from db.errors import NotFound
from db.history import student_history
from db.records import FlagRecord, SessionStatus, SessionSummary, ShareEstimate, StudentSummary
from db.sql import closest_pseudonyms
from db.unit_of_work import Store


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Every executed statement except BEGIN."""
    seen: list[str] = []

    def note(connection, cursor, statement, parameters, context, executemany) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def year(store: Store, new_session, make_bin) -> list[int]:
    """Six sessions, two of 8a and four of 7b, the oldest first, each with Student 1 and 2 and a flag of
    both."""
    sessions = []
    start = new_session().started_at
    with store.unit_of_work() as unit:
        for week, class_name in enumerate(["7b", "8a", "7b", "7b", "8a", "7b"]):
            session = unit.start_session(new_session(class_name, start + timedelta(weeks=week)))
            for name in ("Student 1", "Student 2"):
                student = unit.add_student(session, name)
                bins = [make_bin(student, 0.0, sad=1.0, usable=1), make_bin(student, 5.0, sad=0.5, usable=3)]
                unit.write_bins(session, [*bins, make_bin(student, 10.0, sad=None, usable=0)])
                unit.save_flags([FlagRecord(session, student, "sadness", "flagged", {"week": week})])
            sessions.append(session)
        unit.end_session(sessions[0], SessionStatus.FINISHED, start, "end of the file")
        unit.commit()
    return sessions


def test_list_sessions_newest_first(store, year) -> None:
    assert [record.id for record in queries.list_sessions(store.engine)] == year[::-1]


def test_list_sessions_filters(store, year) -> None:
    engine = store.engine
    assert [record.id for record in queries.list_sessions(engine, class_name="8a")] == [year[4], year[1]]
    assert [record.id for record in queries.list_sessions(engine, status=SessionStatus.FINISHED)] == [year[0]]
    assert [record.id for record in queries.list_sessions(engine, class_name="7b", limit=2)] == [
        year[5],
        year[3],
    ]
    assert queries.list_sessions(engine, class_name="9z") == []


def test_get_latest_session(store, year) -> None:
    assert queries.get_latest_session(store.engine).id == year[-1]
    assert queries.get_latest_session(store.engine, class_name="8a").id == year[4]
    with pytest.raises(NotFound) as caught:
        queries.get_latest_session(store.engine, class_name="9z")
    assert caught.value.kind == "session"


def test_get_session_unknown_offers_the_newest(store, year) -> None:
    with pytest.raises(NotFound) as caught:
        queries.get_session(store.engine, 1000000)
    error = caught.value
    assert (error.kind, error.key, error.nearest) == ("session", 1000000, (year[5], year[4], year[3]))


READS = [
    queries.list_students,
    queries.load_bins,
    queries.list_seats,
    queries.list_tracks,
    queries.list_markers,
    queries.list_flags,
]


@pytest.mark.parametrize("read", READS)
def test_reads_of_an_unknown_session_raise_not_found(store, read) -> None:
    with pytest.raises(NotFound) as caught:
        read(store.engine, 10**6)
    assert (caught.value.kind, caught.value.key, caught.value.nearest) == ("session", 10**6, ())


@pytest.mark.parametrize("read", READS)
def test_reads_of_an_empty_session_are_empty(store, session_id, read) -> None:
    assert read(store.engine, session_id) == []


@pytest.mark.parametrize("read", [queries.list_students, queries.load_bins, queries.list_flags])
def test_reads_take_two_statements(store, year, read) -> None:
    """One of them reads the identity map."""
    with statements(store.engine) as seen:
        assert read(store.engine, year[0])
    assert len(seen) == 2


def test_load_bins_by_student_and_time(store, session_id, student_ids, make_bin) -> None:
    expected = [make_bin(None, 0.0), make_bin(None, 5.0)]
    expected += [make_bin(student, start_s) for student in student_ids for start_s in (0.0, 5.0, 10.0)]
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, expected[::-1])
        unit.commit()
    assert queries.load_bins(store.engine, session_id) == expected


def test_student_history_is_ordered_and_has_summaries(store, year) -> None:
    session = year[0]
    first = queries.list_students(store.engine, session)[0]
    summary = StudentSummary(
        first.id, 15.0, 12.0, 6.0, 4, 0.0, None, None, None, ShareEstimate(0.5, 0.25, 0.75)
    )
    with store.unit_of_work() as unit:
        unit.save_summaries(SessionSummary(session, 1, 1, 0.8, None, None, None), [summary])
        unit.commit()
    history = student_history(store.engine, "Student 1")
    assert [entry.session.id for entry in history] == year
    assert [entry.summary for entry in history] == [summary, *[None] * 5]
    for week, entry in enumerate(history):
        assert [flag.numbers for flag in entry.flags] == [{"week": week}]
        assert entry.student.pseudonym == "Student 1"
    # A student without a summary is not in a session that has summaries.
    assert [entry.session.id for entry in student_history(store.engine, "Student 2")] == year[1:]


def test_student_history_of_one_class(store, year) -> None:
    history = student_history(store.engine, "Student 2", class_name="8a")
    assert [entry.session.id for entry in history] == [year[1], year[4]]


def test_student_history_takes_a_fixed_number_of_statements(store, year, new_session) -> None:
    with store.unit_of_work() as unit:
        unit.add_student(unit.start_session(new_session()), "Student 99")
        unit.commit()
    with statements(store.engine) as single:
        student_history(store.engine, "Student 99")
    with statements(store.engine) as six:
        student_history(store.engine, "Student 1")
    assert len(single) == len(six) == 7


def test_student_history_includes_running_session_without_bins(store, session_id, student_ids) -> None:
    (entry,) = student_history(store.engine, "Student 3")
    assert (entry.session.id, entry.summary, entry.flags) == (session_id, None, ())


def test_student_history_unknown_student_offers_the_closest(store, session_id, student_ids) -> None:
    with pytest.raises(NotFound) as caught:
        student_history(store.engine, "student 22")
    error = caught.value
    assert (error.kind, error.key, error.nearest[0]) == ("student", "student 22", "Student 2")
    with pytest.raises(NotFound) as caught:
        student_history(store.engine, "Student 1", class_name="8a")
    assert caught.value.nearest == ()
    assert caught.value.hint


def test_closest_pseudonyms(store, session_id, student_ids) -> None:
    engine = store.engine
    assert closest_pseudonyms(engine, "STUDENT 3")[0] == "Student 3"
    assert len(closest_pseudonyms(engine, "zzz")) == 3
    assert len(closest_pseudonyms(engine, "Student 1", limit=2)) == 2
    assert closest_pseudonyms(engine, "Student 1", class_name="8a") == ()
