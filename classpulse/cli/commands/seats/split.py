"""``classpulse seats split``: from some moment on a student was somebody else."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option, media_time, new_option
from classpulse.errors import UserError
from classpulse.formatting import clock
from classpulse.services.corrections import open_desk, tell_correction
from reports.narrative.corrections import told


@click.command()
@click.argument("session")
@click.argument("student")
@click.option(
    "--at", "at_s", required=True, callback=media_time, metavar="TIME", help="When: m:ss, h:mm:ss or seconds."
)
@click.option(
    "--as", "pseudonym", help="Who it was then, of the session or the roster; otherwise the next 'Student N'."
)
@new_option
@json_option
@click.pass_obj
def split(
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
    with open_desk(config_path, session) as desk:
        register = desk.register
        other = None if pseudonym is None else register.anybody(pseudonym, new=new)
        record = desk.split(register.student(student), at_s, other)
    border_s, bin_s = register.border_s(at_s), register.session.bin_s
    within = f"{clock(at_s)} lies in the bin from {clock(border_s)} to {clock(border_s + bin_s)}"
    note = "" if at_s == border_s else f" ({within}; all of it is counted as {record.person}'s)"
    return tell_correction(record, told(record) + note, as_json=as_json)
