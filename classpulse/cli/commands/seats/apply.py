"""``classpulse seats apply``: store a seat plan for the class."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.options import class_option, json_option
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message
from classpulse.database import open_configured_database
from classpulse.errors import InvalidFile
from classpulse.formatting import english_count
from classpulse.services.seat_plans.csv_file import read_plan_csv
from classpulse.services.seat_plans.editor import capture_still, create_plan, plan_warnings, save_plan
from db.records import PlannedSeat
from monitor.types import ImageBGR


@click.command("apply")
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--still", required=True, help="The still that the plan was created from.")
@click.option("--at", "at_s", type=click.FloatRange(0), help="Use the frame at this second.")
@class_option
@json_option
@click.pass_obj
def seats_apply_command(
    config_path: Path, plan_file: Path, still: str, at_s: float | None, class_name: str | None, as_json: bool
) -> int:
    """Store PLAN, a plan.csv of 'seats create', as the plan of the class; it replaces the previous one.

    Of the still, only keypoints of walls and furniture are stored, to recognise the camera view.
    """
    config = read_config(config_path)
    image_bgr = capture_still(still, at_s, config.settings.capture)
    seats = _read_seats(plan_file, image_bgr)
    plan = create_plan(image_bgr, class_name or config.settings.class_.name, seats, datetime.now(UTC))
    with open_configured_database(config) as engine:
        save_plan(engine, plan)
        remarks = plan_warnings(engine, plan)
    for remark in remarks:
        print_message(remark)
    if as_json:
        print_json({"class": plan.class_name, "seats": len(seats), "remarks": remarks})
    else:
        click.echo(f"class {plan.class_name!r} has a plan of {english_count(len(seats), 'seat')}")
    return 0


def _read_seats(path: Path, image_bgr: ImageBGR) -> list[PlannedSeat]:
    height, width = image_bgr.shape[:2]
    seats, problems = read_plan_csv(path, width, height)
    for problem in problems:
        print_message(f"{path.name}, {problem}")
    if problems:
        raise InvalidFile(
            f"{path.name} has {english_count(len(problems), 'invalid row')}. Nothing was stored.",
            "Correct the rows above and apply the plan again.",
            file=path.name,
            row_errors=problems,
        )
    if not seats:
        raise InvalidFile(
            f"{path.name} has no seat.", "Add a line per seat below the headings.", file=path.name
        )
    return seats
