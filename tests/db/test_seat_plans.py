"""Seat plans, and the seats that a session masked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete

from db.errors import Conflict
from db.records import PlannedSeat, SeatPlan
from db.schema import SessionRow
from db.seat_plans import get_seat_plan, list_opted_out_seats, save_opted_out_seats, save_seat_plan

PLAN = SeatPlan(
    "7b",
    1920,
    1080,
    datetime(2026, 9, 1, 8, 0, tzinfo=UTC),
    (PlannedSeat("B1", (10.5, 20.0, 30.0, 45.25)), PlannedSeat("A1", (50.0, 20.0, 70.0, 45.0))),
    bytes(range(256)),
)


def save(store, plan: SeatPlan) -> None:
    with store.unit_of_work() as unit:
        save_seat_plan(unit, plan)
        unit.commit()


def test_get_seat_plan_returns_the_stored_plan(store, engine) -> None:
    save(store, PLAN)
    assert get_seat_plan(engine, "7b") == PLAN
    assert get_seat_plan(engine, "6a") is None


def test_save_seat_plan_replaces_the_plan_of_its_class_only(store, engine) -> None:
    other, newer = replace(PLAN, class_name="6a"), replace(PLAN, seats=PLAN.seats[:1], reference_view=b"")
    for plan in (PLAN, other, newer):
        save(store, plan)
    assert get_seat_plan(engine, "7b") == newer
    assert get_seat_plan(engine, "6a") == other


@pytest.mark.parametrize(
    "invalid",
    [
        replace(PLAN, seats=(PLAN.seats[0], PLAN.seats[0])),
        replace(PLAN, seats=(PlannedSeat("A1", (10.0, 10.0, 10.0, 20.0)),)),
        replace(PLAN, frame_width=0),
    ],
)
def test_save_invalid_seat_plan_keeps_the_old_one(store, engine, invalid) -> None:
    save(store, PLAN)
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        save_seat_plan(unit, invalid)
    assert get_seat_plan(engine, "7b") == PLAN


def test_opted_out_seats_are_deleted_with_their_session(store, engine, session_id) -> None:
    with store.unit_of_work() as unit:
        save_opted_out_seats(unit, session_id, ["C3", "A1"])
        save_opted_out_seats(unit, session_id, [])
        unit.commit()
    assert list_opted_out_seats(engine, session_id) == ("A1", "C3")
    with store.unit_of_work() as unit, pytest.raises(Conflict):
        save_opted_out_seats(unit, session_id, ["A1"])
    with engine.begin() as connection:
        connection.execute(delete(SessionRow))
    assert list_opted_out_seats(engine, session_id) == ()
