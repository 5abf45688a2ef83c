"""``classpulse seats show``: who sits where."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message, print_table
from classpulse.cli.output import print_path
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from db.records import RosterEntry, SeatPlan
from monitor.seating.classroom import Classroom, read_classroom
from reports.rendering.atomic_write import atomic_write


@click.command()
@click.option("--class", "class_name", help="Another class than that of config.yaml.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Draw it: a .svg or .png file.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def seats_show_command(config_path: Path, class_name: str | None, out: Path | None, as_json: bool) -> int:
    """Show the seats of the class with the pseudonym and the consent of who sits there."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        room = read_classroom(engine, class_name or config.settings.class_.name)
    plan = room.plan
    if plan is None:
        raise UserError(f"class {room.name!r} has no seat plan; lay one with 'classpulse seats lay'")
    sitting = {entry.seat_label: entry for entry in room.entries if entry.seat_label is not None}
    if out is not None:
        _draw(out, plan, sitting)
    if as_json:
        print_json([_as_json(seat.label, seat.box_xyxy, sitting.get(seat.label)) for seat in plan.seats])
        return 0
    rows = [(seat.label, *_cells(sitting.get(seat.label))) for seat in plan.seats]
    print_table(f"Seats of class {room.name}", ("seat", "pseudonym", "consent"), rows)
    if seatless := _students_without_seat(room):
        print_message(f"on the roster and not on the plan: {', '.join(seatless)}")
    if out is not None:
        print_path(out.suffix.lstrip("."), out)
    return 0


def _draw(out: Path, plan: SeatPlan, students_by_seat: dict[str, RosterEntry]) -> None:
    # Here and not above: the table needs no drawing library, which takes long to import.
    from classpulse.services.seat_plans.drawing import render_plan_png, render_plan_svg

    drawn = {".svg": render_plan_svg, ".png": render_plan_png}.get(out.suffix.lower())
    if drawn is None:
        raise UserError(f"{out.name} is neither .svg nor .png; expected one of them for --out")
    atomic_write(out, drawn(plan, students_by_seat))


def _students_without_seat(room: Classroom) -> list[str]:
    return [entry.pseudonym for entry in room.entries if entry.seat_label not in room.labels]


def _cells(entry: RosterEntry | None) -> tuple[str, str]:
    return ("", "") if entry is None else (entry.pseudonym, "yes" if entry.consent else "no: masked")


def _as_json(label: str, box: tuple[float, ...], entry: RosterEntry | None) -> dict[str, object]:
    known = (None, None) if entry is None else (entry.pseudonym, entry.consent)
    return {"seat": label, "box_xyxy": box, "pseudonym": known[0], "consent": known[1]}
