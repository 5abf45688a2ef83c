"""``classpulse seats create``: propose a seat plan from a still of the room."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option
from classpulse.cli.output import create_output_folder, print_path
from classpulse.config.policy import require_policy
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message
from classpulse.errors import FileAlreadyExists
from classpulse.formatting import english_count
from classpulse.services.seat_plans.csv_file import format_plan
from classpulse.services.seat_plans.drawing import render_anonymised_plan
from classpulse.services.seat_plans.editor import capture_still, detect_seats, require_no_opt_outs
from monitor.seating.classroom import load_classroom
from reports.rendering.atomic_write import atomic_write


@click.command("create")
@click.argument("still")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the plan."
)
@click.option("--at", "at_s", type=click.FloatRange(0), help="Use the frame at this second.")
@click.option("--opted-out-absent", is_flag=True, help="No opted-out student is in the image.")
@click.option("--from-back", is_flag=True, help="Row A is the last row instead of the nearest to the camera.")
@click.option("--force", is_flag=True, help="Replace an existing plan.csv.")
@json_option
@click.pass_obj
def seats_create_command(
    config_path: Path,
    still: str,
    out: Path,
    at_s: float | None,
    opted_out_absent: bool,
    from_back: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Propose a seat for each face in STILL: an image, a video, or a camera as in 'start --source'.

    Writes plan.csv for editing and plan.png, an anonymised image of it. Nothing else is stored.
    """
    config = read_config(config_path)
    require_policy(config.settings.policy, config.file_name)
    if not opted_out_absent:
        room = load_classroom(config.database_url, config.settings.class_.name)
        require_no_opt_outs(
            room,
            "Take a still without these students, pass --opted-out-absent and add their seats to plan.csv "
            "by hand.",
        )
    table, image = out / "plan.csv", out / "plan.png"
    if table.exists() and not force:
        raise FileAlreadyExists(table, "Edit it, or replace it with --force.")
    image_bgr = capture_still(still, at_s, config.settings.capture)
    seats = detect_seats(image_bgr, config.settings.detection, from_back=from_back)
    create_output_folder(out)
    atomic_write(table, format_plan(seats).encode("utf-8"))
    atomic_write(image, render_anonymised_plan(image_bgr, seats))
    if as_json:
        print_json({"plan": table, "image": image, "seats": [vars(seat) for seat in seats]})
        return 0
    print_message(
        f"{english_count(len(seats), 'seat')} proposed; add missing seats to plan.csv, in pixels of the still"
    )
    print_message(f"next: 'classpulse seats apply {table} --still {still}'")
    print_path("plan", table)
    print_path("png", image)
    return 0
