"""``classpulse seats name``: a student of a session is somebody of the roster."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option, new_option
from classpulse.services.corrections import open_desk, tell_correction
from reports.narrative.corrections import told


@click.command()
@click.argument("session")
@click.argument("student")
@click.argument("pseudonym")
@new_option
@json_option
@click.pass_obj
def name(config_path: Path, session: str, student: str, pseudonym: str, new: bool, as_json: bool) -> int:
    """Say that STUDENT of SESSION ("Student 3", or 3) is PSEUDONYM of the class's roster."""
    with open_desk(config_path, session) as desk:
        record = desk.name(desk.register.student(student), desk.register.of_roster(pseudonym, new=new))
    return tell_correction(record, told(record), as_json=as_json)
