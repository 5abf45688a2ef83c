from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from classpulse.simulation.ground_truth import SimulationError
from classpulse.simulation.room.events import (
    EVENT_LENGTHS_S,
    MAX_SWAP_DISTANCE,
    QUIET_START_S,
    RoomEventKind,
    plan_events,
)

ROW = np.array([[100.0 * i, 50.0, 100.0 * i + 40, 100.0] for i in range(12)])


def test_plan_events_is_determined_by_the_seed() -> None:
    assert plan_events(20, 600.0, ROW, 1) == plan_events(20, 600.0, ROW, 1)
    assert plan_events(20, 600.0, ROW, 1) != plan_events(20, 600.0, ROW, 2)


def test_plan_events_count_order_and_limits() -> None:
    events = plan_events(20, 600.0, ROW, 3)
    assert len(events) == 20
    assert [event.start_s for event in events] == sorted(event.start_s for event in events)
    assert {event.kind for event in events} == set(RoomEventKind)
    for event in events:
        shortest, longest = EVENT_LENGTHS_S[event.kind]
        assert shortest - 0.1 <= event.end_s - event.start_s <= longest + 0.1
        assert event.start_s >= QUIET_START_S
        assert event.end_s <= 600.0 - QUIET_START_S + 0.1


def test_plan_events_no_person_has_two_events_at_once() -> None:
    for seed in range(5):
        busy = [event for event in plan_events(25, 900.0, ROW, seed) if event.kind is not RoomEventKind.PASS]
        for one, other in combinations(busy, 2):
            if set(one.people) & set(other.people):
                assert one.end_s + QUIET_START_S <= other.start_s


def test_plan_events_neighbours_swap_and_visitors_are_numbered() -> None:
    events = plan_events(27, 1800.0, ROW, 4)
    for event in events:
        if event.kind is RoomEventKind.SWAP:
            first, second = event.people
            assert abs(first - second) * 100 <= MAX_SWAP_DISTANCE * 40
    visitors = [event.visitor for event in events if event.kind is RoomEventKind.VISIT]
    assert sorted(visitors) == list(range(len(visitors)))
    assert all(event.visitor is None for event in events if event.kind is not RoomEventKind.VISIT)


def test_plan_events_short_video_omits_long_kinds() -> None:
    kinds = {event.kind for event in plan_events(8, 40.0, ROW, 5)}
    assert kinds
    assert all(EVENT_LENGTHS_S[kind][0] <= 40.0 - 2 * QUIET_START_S for kind in kinds)


def test_plan_events_too_many_raises() -> None:
    with pytest.raises(SimulationError, match="200 events do not fit into 60 s with 2 students"):
        plan_events(200, 60.0, ROW[:2], 1)


def test_plan_events_none() -> None:
    assert plan_events(0, 30.0, ROW, 1) == ()
