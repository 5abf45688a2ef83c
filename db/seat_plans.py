"""Seat plans, and the seats that a session masked."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, delete, insert, select

from db.mapping import PLANNED_SEATS
from db.records import SeatPlan
from db.schema import ClassGroupRow, OptedOutSeatRow, PlannedSeatRow, SeatPlanRow
from db.sql import fetch_all
from db.unit_of_work import UnitOfWork


def get_seat_plan(engine: Engine, class_name: str) -> SeatPlan | None:
    """The plan of a class with its seats in the order of their creation; None if it has none."""
    statement = (
        select(
            SeatPlanRow.id,
            SeatPlanRow.frame_width,
            SeatPlanRow.frame_height,
            SeatPlanRow.created_at,
            SeatPlanRow.reference_view,
        )
        .join(ClassGroupRow, ClassGroupRow.id == SeatPlanRow.class_group_id)
        .where(ClassGroupRow.name == class_name)
    )
    with engine.connect() as connection:
        row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        planned = PLANNED_SEATS.select().where(PlannedSeatRow.plan_id == row.id).order_by(PlannedSeatRow.id)
        seats = tuple(PLANNED_SEATS.from_row(seat_row) for seat_row in connection.execute(planned))
    return SeatPlan(class_name, row.frame_width, row.frame_height, row.created_at, seats, row.reference_view)


def save_seat_plan(unit: UnitOfWork, plan: SeatPlan) -> None:
    """Store the plan of a class in place of an earlier one. Raises ``Conflict`` if two seats have the
    same label."""
    class_id = unit.get_or_create_class(plan.class_name)
    unit.connection.execute(delete(SeatPlanRow).where(SeatPlanRow.class_group_id == class_id))
    row = {
        "class_group_id": class_id,
        "frame_width": plan.frame_width,
        "frame_height": plan.frame_height,
        "created_at": plan.created_at,
        "reference_view": plan.reference_view,
    }
    plan_id = unit.insert_row(SeatPlanRow, row)
    for seat in plan.seats:
        unit.insert_row(PlannedSeatRow, PLANNED_SEATS.to_row(seat, plan_id=plan_id))


def save_opted_out_seats(unit: UnitOfWork, session_id: int, labels: Iterable[str]) -> None:
    """Store the labels of the seats that a session masks, and nothing else about the opted-out students."""
    values = [{"session_id": session_id, "label": label} for label in labels]
    if values:
        unit.connection.execute(insert(OptedOutSeatRow), values)


def list_opted_out_seats(engine: Engine, session_id: int) -> tuple[str, ...]:
    """The labels of the seats that a session masked, in order."""
    statement = select(OptedOutSeatRow.label).where(OptedOutSeatRow.session_id == session_id)
    return tuple(row.label for row in fetch_all(engine, statement.order_by(OptedOutSeatRow.label)))
