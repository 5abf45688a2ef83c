"""Seat plans, and the seats that a session masked."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, delete, insert, select

from db.records import PlannedSeat, SeatPlan
from db.schema import ClassGroupRow, OptedOutSeatRow, PlannedSeatRow, SeatPlanRow
from db.sql import fetch_all
from db.unit_of_work import UnitOfWork


def get_seat_plan(engine: Engine, class_name: str) -> SeatPlan | None:
    """The plan of a class, its seats in the order in which they were laid; None if it has none."""
    of_class = select(SeatPlanRow).join(ClassGroupRow, ClassGroupRow.id == SeatPlanRow.class_group_id)
    columns = of_class.with_only_columns(*SeatPlanRow.__table__.columns).where(
        ClassGroupRow.name == class_name
    )
    with engine.connect() as connection:
        plan = connection.execute(columns).one_or_none()
        if plan is None:
            return None
        laid = select(*PlannedSeatRow.__table__.columns).where(PlannedSeatRow.plan_id == plan.id)
        seats = connection.execute(laid.order_by(PlannedSeatRow.id)).all()
    return SeatPlan(
        class_name,
        plan.frame_width,
        plan.frame_height,
        plan.created_at,
        tuple(PlannedSeat(seat.label, (seat.x1, seat.y1, seat.x2, seat.y2)) for seat in seats),
        plan.reference_view,
    )


def save_seat_plan(unit: UnitOfWork, plan: SeatPlan) -> None:
    """Store the plan of a class; it replaces the one before. ``Conflict`` where two seats have one label."""
    group = unit.get_or_create_class(plan.class_name)
    unit.connection.execute(delete(SeatPlanRow).where(SeatPlanRow.class_group_id == group))
    laid = {
        "class_group_id": group,
        "frame_width": plan.frame_width,
        "frame_height": plan.frame_height,
        "created_at": plan.created_at,
        "reference_view": plan.reference_view,
    }
    key = unit.connection.execute(insert(SeatPlanRow).values(**laid)).inserted_primary_key
    assert key is not None  # it is, for a single row
    for seat in plan.seats:
        x1, y1, x2, y2 = seat.box_xyxy
        box = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        values = {"plan_id": key[0], "label": seat.label} | box
        unit.connection.execute(insert(PlannedSeatRow).values(**values))


def save_opted_out_seats(unit: UnitOfWork, session_id: int, labels: Iterable[str]) -> None:
    """Store which seats a session masks; nothing else is stored of who sits there."""
    values = [{"session_id": session_id, "label": label} for label in labels]
    if values:
        unit.connection.execute(insert(OptedOutSeatRow), values)


def list_opted_out_seats(engine: Engine, session_id: int) -> tuple[str, ...]:
    """The labels of the seats that a session masked, in order."""
    statement = select(OptedOutSeatRow.label).where(OptedOutSeatRow.session_id == session_id)
    return tuple(row.label for row in fetch_all(engine, statement.order_by(OptedOutSeatRow.label)))
