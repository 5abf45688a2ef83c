"""``classpulse seats merge``: two students of a session were one person."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option
from classpulse.services.corrections import open_desk, tell_correction
from reports.narrative.corrections import told


@click.command()
@click.argument("session")
@click.argument("student")
@click.argument("other")
@json_option
@click.pass_obj
def merge(config_path: Path, session: str, student: str, other: str, as_json: bool) -> int:
    """Say that OTHER of SESSION was STUDENT all along; STUDENT remains."""
    with open_desk(config_path, session) as desk:
        remains, goes = desk.register.student(student), desk.register.student(other)
        record = desk.merge(remains, goes)
    return tell_correction(record, told(record), as_json=as_json)
