"""Seat plans, and the seats that a session masked."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, delete, insert, select

from db.records import PlannedSeat, SeatPlan
from db.schema import ClassGroupRow, OptedOutRow, PlannedSeatRow, PlanRow
from db.sql import rows
from db.unit_of_work import Unit


def seat_plan(engine: Engine, class_name: str) -> SeatPlan | None:
    """The plan of a class, its seats in the order in which they were laid; None if it has none."""
    of_class = select(PlanRow).join(ClassGroupRow, ClassGroupRow.id == PlanRow.class_group_id)
    columns = of_class.with_only_columns(*PlanRow.__table__.columns).where(ClassGroupRow.name == class_name)
    with engine.connect() as connection:
        plan = connection.execute(columns).one_or_none()
        if plan is None:
            return None
        laid = select(*PlannedSeatRow.__table__.columns).where(PlannedSeatRow.plan_id == plan.id)
        seats = connection.execute(laid.order_by(PlannedSeatRow.id)).all()
    return SeatPlan(
        class_name,
        plan.picture_width,
        plan.picture_height,
        plan.made_at,
        tuple(PlannedSeat(seat.label, (seat.x1, seat.y1, seat.x2, seat.y2)) for seat in seats),
        plan.landmarks,
    )


def save_seat_plan(unit: Unit, plan: SeatPlan) -> None:
    """Store the plan of a class; it replaces the one before. ``Conflict`` where two seats have one label."""
    group = unit.class_group(plan.class_name)
    unit.connection.execute(delete(PlanRow).where(PlanRow.class_group_id == group))
    laid = {
        "class_group_id": group,
        "picture_width": plan.picture_width,
        "picture_height": plan.picture_height,
        "made_at": plan.made_at,
        "landmarks": plan.landmarks,
    }
    key = unit.connection.execute(insert(PlanRow).values(**laid)).inserted_primary_key
    assert key is not None  # it is, for a single row
    for seat in plan.seats:
        x1, y1, x2, y2 = seat.box_xyxy
        box = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        values = {"plan_id": key[0], "label": seat.label} | box
        unit.connection.execute(insert(PlannedSeatRow).values(**values))


def save_opted_out(unit: Unit, session_id: int, labels: Iterable[str]) -> None:
    """Store which seats a session masks; nothing else is stored of who sits there."""
    values = [{"session_id": session_id, "label": label} for label in labels]
    if values:
        unit.connection.execute(insert(OptedOutRow), values)


def opted_out(engine: Engine, session_id: int) -> tuple[str, ...]:
    """The labels of the seats that a session masked, in order."""
    statement = select(OptedOutRow.label).where(OptedOutRow.session_id == session_id)
    return tuple(row.label for row in rows(engine, statement.order_by(OptedOutRow.label)))
