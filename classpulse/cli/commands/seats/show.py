"""``classpulse seats show``: the seats of the class and their students."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import class_option, json_option
from classpulse.cli.output import print_path
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message, print_table
from classpulse.database import open_configured_database
from classpulse.errors import InvalidOption, UserError
from db.records import RosterEntry, SeatPlan
from monitor.seating.classroom import Classroom, read_classroom
from reports.rendering.atomic_write import atomic_write


@click.command("show")
@class_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Also draw it, as .svg or .png.")
@json_option
@click.pass_obj
def seats_show_command(config_path: Path, class_name: str | None, out: Path | None, as_json: bool) -> int:
    """Show each seat of the class with the pseudonym and the consent of its student."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        room = read_classroom(engine, class_name or config.settings.class_.name)
    plan = room.plan
    if plan is None:
        raise UserError(
            f"Class {room.name!r} has no seat plan.", "Create one with 'classpulse seats create'."
        )
    students_by_seat = {entry.seat_label: entry for entry in room.entries if entry.seat_label is not None}
    if out is not None:
        _draw(out, plan, students_by_seat)
    if as_json:
        print_json(
            [_seat_data(seat.label, seat.box_xyxy, students_by_seat.get(seat.label)) for seat in plan.seats]
        )
        return 0
    rows = [(seat.label, *_cells(students_by_seat.get(seat.label))) for seat in plan.seats]
    print_table(f"Seats of class {room.name}", ("seat", "pseudonym", "consent"), rows)
    if seatless := _students_without_seat(room):
        print_message(f"on the roster but not on the plan: {', '.join(seatless)}")
    if out is not None:
        print_path(out.suffix.lstrip("."), out)
    return 0


def _draw(out: Path, plan: SeatPlan, students_by_seat: dict[str, RosterEntry]) -> None:
    # Imported late: the table needs no drawing library, which takes long to import.
    from classpulse.services.seat_plans.drawing import render_plan_png, render_plan_svg

    render = {".svg": render_plan_svg, ".png": render_plan_png}.get(out.suffix.lower())
    if render is None:
        raise InvalidOption(
            f"{out.name} is neither a .svg nor a .png file.", "Use --out FILE.svg.", option="--out"
        )
    atomic_write(out, render(plan, students_by_seat))


def _students_without_seat(room: Classroom) -> list[str]:
    return [entry.pseudonym for entry in room.entries if entry.seat_label not in room.labels]


def _cells(entry: RosterEntry | None) -> tuple[str, str]:
    return ("", "") if entry is None else (entry.pseudonym, "yes" if entry.consent else "no: masked")


def _seat_data(label: str, box_xyxy: tuple[float, ...], entry: RosterEntry | None) -> dict[str, object]:
    pseudonym, consent = (None, None) if entry is None else (entry.pseudonym, entry.consent)
    return {"seat": label, "box_xyxy": box_xyxy, "pseudonym": pseudonym, "consent": consent}
