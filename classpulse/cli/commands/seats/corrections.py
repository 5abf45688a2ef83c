"""``classpulse seats corrections``: what was corrected of who is who."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_table, say
from classpulse.config.settings import read_config
from classpulse.database import open_record
from classpulse.services.corrections import correction_data
from classpulse.services.session_lookup import session_number
from db import sessions as queries
from reports.history.sessions import moment
from reports.narrative.corrections import told
from reports.text.dates import ReportSettings, local_time


@click.command()
@click.argument("session")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def corrections(config_path: Path, session: str, as_json: bool) -> int:
    """List the corrections of SESSION in the order they were made."""
    config = read_config(config_path)
    with open_record(config) as engine:
        number = session_number(engine, session)
        found = queries.corrections(engine, number)
    zone = ReportSettings(timezone=config.settings.output.time_zone)
    if as_json:
        print_json([correction_data(record) for record in found])
    elif found:
        rows = [
            (
                told(record),
                moment(local_time(record.made_at, zone)),
                "" if record.undone_at is None else moment(local_time(record.undone_at, zone)),
            )
            for record in found
        ]
        print_table(f"Corrections of session {number}", ("what", "made", "taken back"), rows)
    else:
        say(f"nothing was corrected in session {number}; 'classpulse seats --help' says how to")
    return 0
