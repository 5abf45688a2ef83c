"""``classpulse seats split``: from some moment on a student was somebody else."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option, media_time_callback, new_student_option
from classpulse.errors import UserError
from classpulse.formatting import media_clock
from classpulse.services.corrections import open_corrections, print_correction
from reports.narrative.corrections import describe_correction


@click.command()
@click.argument("session")
@click.argument("student")
@click.option(
    "--at",
    "at_s",
    required=True,
    callback=media_time_callback,
    metavar="TIME",
    help="When: m:ss, h:mm:ss or seconds.",
)
@click.option(
    "--as", "pseudonym", help="Who it was then, of the session or the roster; otherwise the next 'Student N'."
)
@new_student_option
@json_option
@click.pass_obj
def seats_split_command(
    config_path: Path,
    session: str,
    student: str,
    at_s: float,
    pseudonym: str | None,
    new: bool,
    as_json: bool,
) -> int:
    """Say that STUDENT of SESSION was somebody else from a moment on."""
    if new and pseudonym is None:
        raise UserError("--new says who is new on the roster with --as PSEUDONYM; give both or neither")
    with open_corrections(config_path, session) as desk:
        register = desk.people
        other = None if pseudonym is None else register.find_anyone(pseudonym, new=new)
        record = desk.split(register.find_student(student), at_s, other)
    border_s, bin_s = register.bin_start_s(at_s), register.session.bin_s
    within = (
        f"{media_clock(at_s)} lies in the bin from {media_clock(border_s)} to {media_clock(border_s + bin_s)}"
    )
    note = "" if at_s == border_s else f" ({within}; all of it is counted as {record.person_pseudonym}'s)"
    return print_correction(record, describe_correction(record) + note, as_json=as_json)
