"""``classpulse sessions``: the past sessions."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.settings import read_config
from classpulse.watching import open_record
from db import queries
from db.records import SessionStatus


@click.command()
@click.option("--class", "class_name", help="Only this class.")
@click.option(
    "--status", type=click.Choice([s.value for s in SessionStatus]), help="Only those that ended so."
)
@click.option("--limit", type=click.IntRange(1), help="Only the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def sessions(
    config_path: Path, class_name: str | None, status: str | None, limit: int | None, as_json: bool
) -> int:
    """List the past sessions, the newest first."""
    config = read_config(config_path)
    found = queries.sessions(
        open_record(config), class_name, SessionStatus(status) if status else None, limit
    )
    return 0
