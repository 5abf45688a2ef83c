"""``classpulse seats name``: a student of a session is somebody of the roster."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option, new_student_option
from classpulse.services.corrections import open_corrections, print_correction
from reports.narrative.corrections import describe_correction


@click.command()
@click.argument("session")
@click.argument("student")
@click.argument("pseudonym")
@new_student_option
@json_option
@click.pass_obj
def seats_assign_command(
    config_path: Path, session: str, student: str, pseudonym: str, new: bool, as_json: bool
) -> int:
    """Say that STUDENT of SESSION ("Student 3", or 3) is PSEUDONYM of the class's roster."""
    with open_corrections(config_path, session) as desk:
        record = desk.assign(
            desk.people.find_student(student), desk.people.find_in_roster(pseudonym, new=new)
        )
    return print_correction(record, describe_correction(record), as_json=as_json)
