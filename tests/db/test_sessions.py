"""The reads: order, filters, what is not there, and how many statements they take."""

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
    """Every statement that reaches the database, transactions' own left out."""
    seen: list[str] = []

    def note(connection, cursor, statement, parameters, context, executemany) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def year(store: Store, new_session, a_bin) -> list[int]:
    """Six lectures, two of 8a and four of 7b, oldest first; Student 1 and 2 in each, both in 7b's flags."""
    numbers = []
    start = new_session().started_at
    with store.unit_of_work() as unit:
        for week, class_name in enumerate(["7b", "8a", "7b", "7b", "8a", "7b"]):
            number = unit.start_session(new_session(class_name, start + timedelta(weeks=week)))
            for name in ("Student 1", "Student 2"):
                student = unit.add_student(number, name)
                bins = [a_bin(student, 0.0, sad=1.0, usable=1), a_bin(student, 5.0, sad=0.5, usable=3)]
                unit.write_bins(number, [*bins, a_bin(student, 10.0, sad=None, usable=0)])
                unit.save_flags([FlagRecord(number, student, "sad", "flagged", {"week": week})])
            numbers.append(number)
        unit.end_session(numbers[0], SessionStatus.FINISHED, start, "end of the file")
        unit.commit()
    return numbers


def test_sessions_come_newest_first(store, year) -> None:
    assert [record.id for record in queries.list_sessions(store.engine)] == year[::-1]


def test_sessions_are_filtered(store, year) -> None:
    engine = store.engine
    assert [record.id for record in queries.list_sessions(engine, class_name="8a")] == [year[4], year[1]]
    assert [record.id for record in queries.list_sessions(engine, status=SessionStatus.FINISHED)] == [year[0]]
    assert [record.id for record in queries.list_sessions(engine, class_name="7b", limit=2)] == [
        year[5],
        year[3],
    ]
    assert queries.list_sessions(engine, class_name="9z") == []


def test_the_latest_session(store, year) -> None:
    assert queries.get_latest_session(store.engine).id == year[-1]
    assert queries.get_latest_session(store.engine, class_name="8a").id == year[4]
    with pytest.raises(NotFound, match="no session of class '9z' is recorded yet"):
        queries.get_latest_session(store.engine, class_name="9z")


def test_an_unknown_session_is_an_error_that_names_the_newest(store, year) -> None:
    with pytest.raises(NotFound) as caught:
        queries.get_session(store.engine, 1000000)
    assert str(caught.value) == f"there is no session 1000000; the newest are {year[5]}, {year[4]}, {year[3]}"


READS = [
    queries.list_students,
    queries.load_bins,
    queries.list_seats,
    queries.list_tracks,
    queries.list_markers,
    queries.list_flags,
]


@pytest.mark.parametrize("read", READS)
def test_parts_of_an_unknown_session_are_an_error(store, read) -> None:
    with pytest.raises(NotFound, match="there is no session 1000000; none is recorded yet"):
        read(store.engine, 10**6)


@pytest.mark.parametrize("read", READS)
def test_parts_of_an_empty_session_are_empty(store, session_id, read) -> None:
    assert read(store.engine, session_id) == []


@pytest.mark.parametrize("read", [queries.list_students, queries.load_bins, queries.list_flags])
def test_parts_take_two_statements(store, year, read) -> None:
    """One of them asks who is who."""
    with statements(store.engine) as seen:
        assert read(store.engine, year[0])
    assert len(seen) == 2


def test_bins_come_by_student_and_time(store, session_id, people, a_bin) -> None:
    wanted = [a_bin(None, 0.0), a_bin(None, 5.0)]
    wanted += [a_bin(student, start_s) for student in people for start_s in (0.0, 5.0, 10.0)]
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, wanted[::-1])
        unit.commit()
    assert queries.load_bins(store.engine, session_id) == wanted


def test_a_history_is_ordered_and_has_what_was_summed_up(store, year) -> None:
    number = year[0]
    first = queries.list_students(store.engine, number)[0]
    summary = StudentSummary(
        first.id, 15.0, 12.0, 6.0, 4, 0.0, None, None, None, ShareEstimate(0.5, 0.25, 0.75)
    )
    with store.unit_of_work() as unit:
        unit.save_summaries(SessionSummary(number, 1, 1, 0.8, None, None, None), [summary])
        unit.commit()
    history = student_history(store.engine, "Student 1")
    assert [entry.session.id for entry in history] == year
    assert [entry.summary for entry in history] == [summary, *[None] * 5]
    for week, entry in enumerate(history):
        assert [flag.numbers for flag in entry.flags] == [{"week": week}]
        assert entry.student.pseudonym == "Student 1"
    # Whoever is not among the summed up was nobody in that session.
    assert [entry.session.id for entry in student_history(store.engine, "Student 2")] == year[1:]


def test_a_history_of_one_class(store, year) -> None:
    history = student_history(store.engine, "Student 2", class_name="8a")
    assert [entry.session.id for entry in history] == [year[1], year[4]]


def test_a_history_takes_as_many_statements_for_six_sessions_as_for_one(store, year, new_session) -> None:
    with store.unit_of_work() as unit:
        unit.add_student(unit.start_session(new_session()), "Student 99")
        unit.commit()
    with statements(store.engine) as one:
        student_history(store.engine, "Student 99")
    with statements(store.engine) as six:
        student_history(store.engine, "Student 1")
    assert len(one) == len(six) == 7


def test_a_student_without_bins_is_in_their_running_session(store, session_id, people) -> None:
    (entry,) = student_history(store.engine, "Student 3")
    assert (entry.session.id, entry.summary, entry.flags) == (session_id, None, ())


def test_an_unknown_student_is_an_error_with_the_nearest(store, session_id, people) -> None:
    with pytest.raises(NotFound) as caught:
        student_history(store.engine, "student 22")
    assert str(caught.value).startswith("there is no student 'student 22'; the nearest are Student 2, ")
    with pytest.raises(NotFound, match=r"in class '8a'; nobody is recorded there yet"):
        student_history(store.engine, "Student 1", class_name="8a")


def test_nearest_pseudonyms(store, session_id, people) -> None:
    engine = store.engine
    assert closest_pseudonyms(engine, "STUDENT 3")[0] == "Student 3"
    assert len(closest_pseudonyms(engine, "zzz")) == 3
    assert len(closest_pseudonyms(engine, "Student 1", limit=2)) == 2
    assert closest_pseudonyms(engine, "Student 1", class_name="8a") == ()
