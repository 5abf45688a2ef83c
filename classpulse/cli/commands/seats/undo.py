"""``classpulse seats undo``: take the last correction back."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option
from classpulse.services.corrections import open_desk, tell_correction
from reports.narrative.corrections import told


@click.command()
@click.argument("session")
@json_option
@click.pass_obj
def undo(config_path: Path, session: str, as_json: bool) -> int:
    """Take back the last correction of SESSION; again for the one before."""
    with open_desk(config_path, session) as desk:
        record = desk.take_back()
    return tell_correction(record, f"taken back: {told(record)}", as_json=as_json)
