"""``classpulse seats use``: a plan for the class."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.classroom import covered_notes, read_classroom
from classpulse.console import count, print_json, say
from classpulse.errors import UserError
from classpulse.planfile import read_plan
from classpulse.settings import Config, read_config
from classpulse.stills import take_still
from classpulse.watching import open_record
from db.plans import save_seat_plan
from db.records import PlannedSeat, SeatPlan
from db.store import Store
from monitor.domain import ImageBGR
from monitor.landmarks import landmarks
from monitor.plan import person_area


@click.command()
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--still", required=True, help="What the plan was laid over.")
@click.option("--at", "at_s", type=click.FloatRange(0), help="Take the picture after so many seconds.")
@click.option("--class", "class_name", help="Another class than that of config.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def use(
    config_path: Path, plan_file: Path, still: str, at_s: float | None, class_name: str | None, as_json: bool
) -> int:
    """Take PLAN, a plan.csv of 'seats lay', for the class; it replaces the plan before.

    Of the still, points of walls and furniture are stored, to tell the view again, and no picture.
    """
    config = read_config(config_path)
    image_bgr = take_still(still, at_s, config.settings.capture)
    seats = _seats(plan_file, image_bgr)
    plan = _plan(config, class_name, seats, image_bgr)
    with open_record(config) as engine:
        with Store(engine).unit() as unit:
            save_seat_plan(unit, plan)
            unit.audit("seat plan", f"class {plan.class_name}", plan.made_at, count(len(seats), "seat"))
            unit.commit()
        remarks = _remarks(engine, plan)
    for remark in remarks:
        say(remark)
    if as_json:
        print_json({"class": plan.class_name, "seats": len(seats), "remarks": remarks})
    else:
        click.echo(f"class {plan.class_name!r} has a plan of {count(len(seats), 'seat')}")
    return 0


def _seats(path: Path, image_bgr: ImageBGR) -> list[PlannedSeat]:
    height, width = image_bgr.shape[:2]
    seats, problems = read_plan(path, width, height)
    for problem in problems:
        say(f"{path.name}, {problem}")
    if problems:
        raise UserError(f"{path.name} has {count(len(problems), 'problem')}; nothing was stored: mend it")
    if not seats:
        raise UserError(f"{path.name} has no seat; expected a line for each below the headings")
    return seats


def _plan(config: Config, class_name: str | None, seats: list[PlannedSeat], image_bgr: ImageBGR) -> SeatPlan:
    height, width = image_bgr.shape[:2]
    marks = landmarks(image_bgr, [person_area(seat.box_xyxy) for seat in seats])
    name = class_name or config.settings.class_.name
    return SeatPlan(name, width, height, datetime.now(UTC), tuple(seats), marks.to_bytes())


def _remarks(engine: Engine, plan: SeatPlan) -> list[str]:
    """What is not wrong with the plan, but should be known."""
    room = read_classroom(engine, plan.class_name)
    elsewhere = [entry for entry in room.entries if entry.seat and entry.seat not in room.labels]
    told = [
        f"{entry.pseudonym} of the roster is on seat {entry.seat}, not on the plan" for entry in elsewhere
    ]
    try:
        room.require_masks()
    except UserError as error:
        told.append(str(error))
    return [*told, *covered_notes(plan.seats, [entry.seat or "" for entry in room.opted_out])]
