"""``classpulse seats undo``: take the last correction back."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option
from classpulse.services.corrections import open_corrections, print_correction
from reports.narrative.corrections import describe_correction


@click.command()
@click.argument("session")
@json_option
@click.pass_obj
def seats_undo_command(config_path: Path, session: str, as_json: bool) -> int:
    """Take back the last correction of SESSION; again for the one before."""
    with open_corrections(config_path, session) as desk:
        record = desk.undo()
    return print_correction(record, f"taken back: {describe_correction(record)}", as_json=as_json)
