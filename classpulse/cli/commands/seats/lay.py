"""``classpulse seats lay``: a plan over a still of the room, to be edited."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.cli.output import create_output_folder, print_path
from classpulse.config.policy import require_policy
from classpulse.config.settings import read_config
from classpulse.errors import UserError
from classpulse.formatting import english_count
from classpulse.services.seat_plans.csv_file import format_plan
from classpulse.services.seat_plans.drawing import render_anonymised_plan
from classpulse.services.seat_plans.editor import capture_still, detect_seats, require_no_opt_outs
from monitor.seating.classroom import load_classroom
from reports.rendering.atomic_write import atomic_write


@click.command()
@click.argument("still")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the plan."
)
@click.option("--at", "at_s", type=click.FloatRange(0), help="Take the picture after so many seconds.")
@click.option("--stepped-aside", is_flag=True, help="Nobody who opted out is in the picture.")
@click.option("--from-back", is_flag=True, help="Row A is the last one, not the one nearest to the camera.")
@click.option("--force", is_flag=True, help="Replace a plan.csv that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def seats_create_command(
    config_path: Path,
    still: str,
    out: Path,
    at_s: float | None,
    stepped_aside: bool,
    from_back: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Propose a seat for each face in STILL: a picture, a recording, or a camera as 'start' takes it.

    Writes plan.csv, to be edited, and plan.png, on which nobody can be recognised. Nothing else is stored.
    """
    config = read_config(config_path)
    require_policy(config.settings.policy, config.file_name)
    if not stepped_aside:
        room = load_classroom(config.database_url, config.settings.class_.name)
        require_no_opt_outs(
            room,
            "let them step aside for it, say so with --stepped-aside, and add their seats to "
            "plan.csv by hand",
        )
    table, picture = out / "plan.csv", out / "plan.png"
    if table.exists() and not force:
        raise UserError(f"{table} exists already; edit it, or replace it with --force")
    image_bgr = capture_still(still, at_s, config.settings.capture)
    seats = detect_seats(image_bgr, config.settings.detection, from_back=from_back)
    create_output_folder(out)
    atomic_write(table, format_plan(seats).encode("utf-8"))
    atomic_write(picture, render_anonymised_plan(image_bgr, seats))
    if as_json:
        print_json({"plan": table, "picture": picture, "seats": [vars(seat) for seat in seats]})
        return 0
    print_message(
        f"{english_count(len(seats), 'seat')} proposed; add what is missing to plan.csv, in pixels of the still"
    )
    print_message(f"next: 'classpulse seats use {table} --still {still}'")
    print_path("plan", table)
    print_path("png", picture)
    return 0
