"""``classpulse seats merge``: two students of a session were one person."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option
from classpulse.services.corrections import open_corrections, print_correction
from reports.narrative.corrections import describe_correction


@click.command()
@click.argument("session")
@click.argument("student")
@click.argument("other")
@json_option
@click.pass_obj
def seats_merge_command(config_path: Path, session: str, student: str, other: str, as_json: bool) -> int:
    """Say that OTHER of SESSION was STUDENT all along; STUDENT remains."""
    with open_corrections(config_path, session) as desk:
        remains, goes = desk.people.find_student(student), desk.people.find_student(other)
        record = desk.merge(remains, goes)
    return print_correction(record, describe_correction(record), as_json=as_json)
