"""``classpulse status``: what is being recorded now."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.console import clock, print_json
from classpulse.settings import read_config
from db import queries
from db.engine import open_database
from db.errors import DatabaseMissing
from monitor.control import read_live


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def status(config_path: Path, as_json: bool) -> int:
    """Say whether a session is live, how long it has run and what it has seen."""
    config = read_config(config_path)
    live = read_live(config.data_folder)
    running = live is not None and live.running
    answer: dict[str, object] = {"recording": running}
    if live is not None and running:
        try:
            engine = open_database(config.database_url, create=False)
        except DatabaseMissing:
            running = False
        else:
            session = queries.session(engine, live.session_id)
            answer |= {
                "session": session.id,
                "class": session.class_name,
                "source": session.source,
                "recorded_s": session.end_s,
                "watched_s": session.watched_s,
                "students": len(queries.students(engine, session.id)),
                "last_written_at": session.last_written_at,
            }
    if as_json:
        print_json(answer)
    elif running:
        click.echo(
            f"recording session {answer['session']} of {answer['class']} from {answer['source']}: "
            f"{clock(float(str(answer['recorded_s'])))} so far, {answer['students']} students"
        )
    else:
        click.echo("nothing is being recorded")
    return 0
