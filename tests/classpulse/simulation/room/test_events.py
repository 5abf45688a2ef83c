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


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    assert plan_events(20, 600.0, ROW, 1) == plan_events(20, 600.0, ROW, 1)
    assert plan_events(20, 600.0, ROW, 1) != plan_events(20, 600.0, ROW, 2)


def test_as_much_happens_as_was_asked_for_in_order_and_within_the_film() -> None:
    happenings = plan_events(20, 600.0, ROW, 3)
    assert len(happenings) == 20
    assert [one.start_s for one in happenings] == sorted(one.start_s for one in happenings)
    assert {one.kind for one in happenings} == set(RoomEventKind)
    for one in happenings:
        shortest, longest = EVENT_LENGTHS_S[one.kind]
        assert shortest - 0.1 <= one.end_s - one.start_s <= longest + 0.1
        assert one.start_s >= QUIET_START_S
        assert one.end_s <= 600.0 - QUIET_START_S + 0.1


def test_nobody_is_in_two_things_at_once() -> None:
    for seed in range(5):
        busy = [one for one in plan_events(25, 900.0, ROW, seed) if one.kind is not RoomEventKind.PASS]
        for one, other in combinations(busy, 2):
            if set(one.people) & set(other.people):
                assert one.end_s + QUIET_START_S <= other.start_s


def test_only_neighbours_swap_and_visitors_are_numbered() -> None:
    happenings = plan_events(27, 1800.0, ROW, 4)
    for one in happenings:
        if one.kind is RoomEventKind.SWAP:
            first, second = one.people
            assert abs(first - second) * 100 <= MAX_SWAP_DISTANCE * 40
    visitors = [one.visitor for one in happenings if one.kind is RoomEventKind.VISIT]
    assert sorted(visitors) == list(range(len(visitors)))
    assert all(one.visitor is None for one in happenings if one.kind is not RoomEventKind.VISIT)


def test_what_takes_too_long_for_a_short_film_does_not_happen_in_it() -> None:
    kinds = {one.kind for one in plan_events(8, 40.0, ROW, 5)}
    assert kinds
    assert all(EVENT_LENGTHS_S[kind][0] <= 40.0 - 2 * QUIET_START_S for kind in kinds)


def test_too_much_for_the_film_is_refused() -> None:
    with pytest.raises(SimulationError, match="200 events do not fit into 60 s with 2 people"):
        plan_events(200, 60.0, ROW[:2], 1)


def test_nothing_may_happen() -> None:
    assert plan_events(0, 30.0, ROW, 1) == ()
