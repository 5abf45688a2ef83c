"""``classpulse seats use``: a plan for the class."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.formatting import english_count
from classpulse.services.seat_plans.csv_file import read_plan_csv
from classpulse.services.seat_plans.editor import capture_still, create_plan, plan_warnings, save_plan
from db.records import PlannedSeat
from monitor.types import ImageBGR


@click.command()
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--still", required=True, help="What the plan was laid over.")
@click.option("--at", "at_s", type=click.FloatRange(0), help="Take the picture after so many seconds.")
@click.option("--class", "class_name", help="Another class than that of config.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def seats_apply_command(
    config_path: Path, plan_file: Path, still: str, at_s: float | None, class_name: str | None, as_json: bool
) -> int:
    """Take PLAN, a plan.csv of 'seats lay', for the class; it replaces the plan before.

    Of the still, points of walls and furniture are stored, to tell the view again, and no picture.
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
        raise UserError(
            f"{path.name} has {english_count(len(problems), 'problem')}; nothing was stored: mend it"
        )
    if not seats:
        raise UserError(f"{path.name} has no seat; expected a line for each below the headings")
    return seats
