"""Commit and rollback, and sessions left running by a crash."""

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
    """A failure within a unit of work."""


def crash_in_unit(store: Store, *steps) -> None:
    with store.unit_of_work() as unit:
        for step in steps:
            step(unit)
        raise Crash


def test_unit_without_commit_writes_nothing(store, new_session) -> None:
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
    assert queries.list_sessions(store.engine) == []


def test_exception_rolls_back(store, new_session) -> None:
    with pytest.raises(Crash):
        crash_in_unit(store, lambda unit: unit.start_session(new_session()))
    assert queries.list_sessions(store.engine) == []


def test_exception_keeps_earlier_commits(store, session_id, student_ids, make_bin) -> None:
    with pytest.raises(Crash):
        crash_in_unit(
            store,
            lambda unit: unit.write_bins(session_id, [make_bin(student_ids[0], 0.0)]),
            lambda unit: unit.commit(),
            lambda unit: unit.write_bins(session_id, [make_bin(student_ids[0], 5.0)]),
        )
    assert queries.load_bins(store.engine, session_id) == [make_bin(student_ids[0], 0.0)]


def test_rejected_row_discards_its_batch(store, session_id, student_ids, make_bin) -> None:
    good, bad = (
        make_bin(student_ids[0], 0.0),
        dataclasses.replace(make_bin(student_ids[0], 5.0), student_count=-1),
    )
    with pytest.raises(Conflict):
        crash_in_unit(
            store,
            lambda unit: unit.write_bins(session_id, [good, bad]),
            lambda unit: unit.commit(),
        )
    assert queries.load_bins(store.engine, session_id) == []


def test_unit_after_a_failed_one_works(store, session_id, student_ids, make_bin) -> None:
    with pytest.raises(Crash):
        crash_in_unit(store)
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [make_bin(student_ids[0], 0.0)])
        unit.commit()
    assert len(queries.load_bins(store.engine, session_id)) == 1


def test_default_clock_is_aware_utc() -> None:
    assert now_utc().utcoffset() == timedelta(0)


def test_interrupt_abandoned_sessions_ends_them_at_their_last_write(
    store, session_id, student_ids, make_bin, clock
) -> None:
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [make_bin(student_ids[0], 0.0)])
        unit.save_progress(session_id, SessionProgress(5.0, 5.0, 10, 0))
        unit.commit()
    last_written_at = clock.now
    now = last_written_at + timedelta(days=2)
    assert interrupt_abandoned_sessions(store, lambda record: False, now) == [session_id]
    record = queries.get_session(store.engine, session_id)
    assert record.status is SessionStatus.INTERRUPTED
    assert record.ended_at == record.last_written_at == last_written_at
    assert "ended without closing the session (found 2026-03-04" in record.status_reason
    assert queries.load_bins(store.engine, session_id) == [make_bin(student_ids[0], 0.0)]
    (entry,) = queries.list_audit_entries(store.engine)
    assert (entry.subject, entry.at, entry.detail) == (f"session {session_id}", now, record.status_reason)


def test_interrupt_abandoned_sessions_skips_live_and_ended_ones(store, new_session, clock) -> None:
    with store.unit_of_work() as unit:
        live = unit.start_session(new_session(pid=1))
        abandoned = unit.start_session(new_session(pid=2))
        ended = unit.start_session(new_session(pid=2))
        unit.end_session(ended, SessionStatus.FINISHED, clock(), "end of the file")
        unit.commit()
    checked: list[int] = []

    def is_running(record) -> bool:
        checked.append(record.id)
        return record.pid == 1

    assert interrupt_abandoned_sessions(store, is_running, clock()) == [abandoned]
    assert sorted(checked) == [live, abandoned]
    assert interrupt_abandoned_sessions(store, is_running, clock()) == []
    assert queries.get_session(store.engine, ended).status_reason == "end of the file"


def test_interrupt_abandoned_sessions_keeps_a_session_that_just_ended(store, session_id, clock) -> None:
    def ends_now(record) -> bool:
        with store.unit_of_work() as unit:
            unit.end_session(record.id, SessionStatus.FINISHED, clock(), "end of the file")
            unit.commit()
        return False

    assert interrupt_abandoned_sessions(store, ends_now, clock()) == []
    assert queries.get_session(store.engine, session_id).status is SessionStatus.FINISHED
    assert queries.list_audit_entries(store.engine) == []


def test_interrupt_abandoned_sessions_in_an_empty_database(store: Store, clock) -> None:
    assert interrupt_abandoned_sessions(store, lambda record: False, clock()) == []
    with pytest.raises(NotFound) as caught:
        queries.get_latest_session(store.engine)
    assert caught.value.kind == "session"


def test_session_end_is_not_before_its_start_if_the_clock_was_set_back(store, new_session, clock) -> None:
    started_at = clock.now
    with store.unit_of_work() as unit:
        abandoned, ended = (unit.start_session(new_session(started_at=started_at)) for _ in range(2))
        unit.commit()
    clock.now -= timedelta(hours=1)
    with store.unit_of_work() as unit:
        unit.save_progress(abandoned, SessionProgress(5.0, 5.0, 10, 0))
        unit.end_session(ended, SessionStatus.FINISHED, clock(), "")
        unit.commit()
    assert interrupt_abandoned_sessions(store, lambda record: False, clock()) == [abandoned]
    for session in (abandoned, ended):
        assert queries.get_session(store.engine, session).ended_at >= started_at
    # The time of the last write is that of the clock.
    assert queries.get_session(store.engine, abandoned).last_written_at < started_at
