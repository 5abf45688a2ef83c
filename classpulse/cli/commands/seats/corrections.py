"""``classpulse seats corrections``: what was corrected of who is who."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message, print_table
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.services.corrections import correction_data
from classpulse.services.session_lookup import resolve_session
from db import sessions as queries
from reports.history.sessions import format_started_at
from reports.narrative.corrections import describe_correction
from reports.text.dates import ReportSettings, local_time


@click.command()
@click.argument("session")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def seats_corrections_command(config_path: Path, session: str, as_json: bool) -> int:
    """List the corrections of SESSION in the order they were made."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        number = resolve_session(engine, session)
        found = queries.list_corrections(engine, number)
    zone = ReportSettings(timezone=config.settings.output.time_zone)
    if as_json:
        print_json([correction_data(record) for record in found])
    elif found:
        rows = [
            (
                describe_correction(record),
                format_started_at(local_time(record.created_at, zone)),
                "" if record.undone_at is None else format_started_at(local_time(record.undone_at, zone)),
            )
            for record in found
        ]
        print_table(f"Corrections of session {number}", ("what", "made", "taken back"), rows)
    else:
        print_message(f"nothing was corrected in session {number}; 'classpulse seats --help' says how to")
    return 0
