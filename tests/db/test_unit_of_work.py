"""The unit of work as a whole, and sessions left open by a crash."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from db import sessions as queries
from db.clock import now_utc
from db.errors import Conflict, NotFound
from db.records import SessionProgress, SessionStatus
from db.unit_of_work import Store, interrupt_abandoned_sessions


class Crash(Exception):
    """Something that goes wrong in the middle of a unit."""


def crash_in_a_unit(store: Store, *steps) -> None:
    with store.unit_of_work() as unit:
        for step in steps:
            step(unit)
        raise Crash


def test_without_a_commit_nothing_is_kept(store, new_session) -> None:
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
    assert queries.list_sessions(store.engine) == []


def test_an_exception_rolls_back(store, new_session) -> None:
    with pytest.raises(Crash):
        crash_in_a_unit(store, lambda unit: unit.start_session(new_session()))
    assert queries.list_sessions(store.engine) == []


def test_what_was_committed_before_the_exception_stays(store, session_id, people, a_bin) -> None:
    with pytest.raises(Crash):
        crash_in_a_unit(
            store,
            lambda unit: unit.write_bins(session_id, [a_bin(people[0], 0.0)]),
            lambda unit: unit.commit(),
            lambda unit: unit.write_bins(session_id, [a_bin(people[0], 5.0)]),
        )
    assert queries.load_bins(store.engine, session_id) == [a_bin(people[0], 0.0)]


def test_a_refused_row_takes_its_batch_with_it(store, session_id, people, a_bin) -> None:
    good, bad = a_bin(people[0], 0.0), dataclasses.replace(a_bin(people[0], 5.0), student_count=-1)
    with pytest.raises(Conflict):
        crash_in_a_unit(
            store,
            lambda unit: unit.write_bins(session_id, [good, bad]),
            lambda unit: unit.commit(),
        )
    assert queries.load_bins(store.engine, session_id) == []


def test_a_unit_after_a_failed_one_works(store, session_id, people, a_bin) -> None:
    with pytest.raises(Crash):
        crash_in_a_unit(store)
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [a_bin(people[0], 0.0)])
        unit.commit()
    assert len(queries.load_bins(store.engine, session_id)) == 1


def test_the_default_clock_is_aware_utc() -> None:
    assert now_utc().utcoffset() == timedelta(0)


def test_abandoned_sessions_are_closed_when_they_last_wrote(store, session_id, people, a_bin, clock) -> None:
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [a_bin(people[0], 0.0)])
        unit.save_progress(session_id, SessionProgress(5.0, 5.0, 10, 0))
        unit.commit()
    last_written_at = clock.now
    now = last_written_at + timedelta(days=2)
    assert interrupt_abandoned_sessions(store, lambda record: False, now) == [session_id]
    record = queries.get_session(store.engine, session_id)
    assert record.status is SessionStatus.INTERRUPTED
    assert record.ended_at == record.last_written_at == last_written_at
    assert "ended without closing the session (found 2026-03-04" in record.status_reason
    assert queries.load_bins(store.engine, session_id) == [a_bin(people[0], 0.0)]
    (entry,) = queries.list_audit_entries(store.engine)
    assert (entry.subject, entry.at, entry.detail) == (f"session {session_id}", now, record.status_reason)


def test_only_running_sessions_whose_process_is_gone_are_closed(store, new_session, clock) -> None:
    with store.unit_of_work() as unit:
        alive = unit.start_session(new_session(pid=1))
        gone = unit.start_session(new_session(pid=2))
        ended = unit.start_session(new_session(pid=2))
        unit.end_session(ended, SessionStatus.FINISHED, clock(), "end of the file")
        unit.commit()
    asked: list[int] = []

    def is_running(record) -> bool:
        asked.append(record.id)
        return record.pid == 1

    assert interrupt_abandoned_sessions(store, is_running, clock()) == [gone]
    assert sorted(asked) == [alive, gone]
    assert interrupt_abandoned_sessions(store, is_running, clock()) == []
    assert queries.get_session(store.engine, ended).status_reason == "end of the file"


def test_a_session_that_ends_while_it_is_looked_at_keeps_its_own_end(store, session_id, clock) -> None:
    def ends_just_now(record) -> bool:
        with store.unit_of_work() as unit:
            unit.end_session(record.id, SessionStatus.FINISHED, clock(), "end of the file")
            unit.commit()
        return False

    assert interrupt_abandoned_sessions(store, ends_just_now, clock()) == []
    assert queries.get_session(store.engine, session_id).status is SessionStatus.FINISHED
    assert queries.list_audit_entries(store.engine) == []


def test_a_store_without_sessions_has_none_abandoned(store: Store, clock) -> None:
    assert interrupt_abandoned_sessions(store, lambda record: False, clock()) == []
    with pytest.raises(NotFound, match="no session is recorded yet"):
        queries.get_latest_session(store.engine)


def test_no_session_ends_before_it_starts_though_the_clock_was_set_back(store, new_session, clock) -> None:
    started_at = clock.now
    with store.unit_of_work() as unit:
        left, closed = (unit.start_session(new_session(started_at=started_at)) for _ in range(2))
        unit.commit()
    clock.now -= timedelta(hours=1)
    with store.unit_of_work() as unit:
        unit.save_progress(left, SessionProgress(5.0, 5.0, 10, 0))
        unit.end_session(closed, SessionStatus.FINISHED, clock(), "")
        unit.commit()
    assert interrupt_abandoned_sessions(store, lambda record: False, clock()) == [left]
    for number in (left, closed):
        assert queries.get_session(store.engine, number).ended_at >= started_at
    # When it was written is what the clock said.
    assert queries.get_session(store.engine, left).last_written_at < started_at
