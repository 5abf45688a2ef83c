"""Gaps of a session."""

from __future__ import annotations

import pytest

from db import sessions as queries
from db.errors import Conflict, NotFound
from db.records import GapRecord, SessionProgress
from db.unit_of_work import Store


def save(store: Store, session_id: int, *gaps: GapRecord) -> None:
    with store.unit_of_work() as unit:
        unit.save_gaps(session_id, gaps)
        unit.commit()


def test_list_gaps_by_time(store, session_id) -> None:
    later, earlier = GapRecord(60.0, 75.5, "no signal"), GapRecord(0.0, 0.0, "paused")
    assert queries.list_gaps(store.engine, session_id) == []
    save(store, session_id, later, earlier)
    assert queries.list_gaps(store.engine, session_id) == [earlier, later]


def test_save_gaps_replaces_a_shorter_gap(store, session_id, clock) -> None:
    save(store, session_id, GapRecord(60.0, 61.0, "no signal"))
    save(store, session_id, GapRecord(60.0, 90.0, "black frame"), GapRecord(100.0, 101.0, "paused"))
    assert queries.list_gaps(store.engine, session_id) == [
        GapRecord(60.0, 90.0, "black frame"),
        GapRecord(100.0, 101.0, "paused"),
    ]
    assert queries.get_session(store.engine, session_id).last_written_at == clock.now


def test_gaps_of_sessions_are_separate(store, session_id, new_session) -> None:
    with store.unit_of_work() as unit:
        other = unit.start_session(new_session())
        unit.save_progress(other, SessionProgress(1.0, 1.0, 1, 0))
        unit.commit()
    save(store, session_id, GapRecord(1.0, 2.0, "paused"))
    save(store, other, GapRecord(1.0, 3.0, "no signal"))
    assert queries.list_gaps(store.engine, session_id) == [GapRecord(1.0, 2.0, "paused")]


@pytest.mark.parametrize(
    "gap",
    [GapRecord(-1.0, 2.0, "paused"), GapRecord(3.0, 2.0, "paused"), GapRecord(1.0, 2.0, "")],
    ids=["before the start", "backwards", "without a reason"],
)
def test_save_invalid_gap_raises_conflict(store, session_id, gap) -> None:
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        unit.save_gaps(session_id, [gap])


def test_list_gaps_unknown_session(store) -> None:
    with pytest.raises(NotFound):
        queries.list_gaps(store.engine, 10**6)
