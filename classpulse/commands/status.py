"""``classpulse status``: what is being recorded now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from classpulse.console import clock, count, print_json
from classpulse.settings import read_config
from classpulse.watching import open_record
from db import queries
from db.records import SessionRecord
from monitor.control import read_live


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def status(config_path: Path, as_json: bool) -> int:
    """Say whether a session is live, how long it has run and what it has seen."""
    config = read_config(config_path)
    live = read_live(config.data_folder)
    if live is None or not live.running:
        if as_json:
            print_json({"recording": False})
        else:
            click.echo("nothing is being recorded")
        return 0
    with open_record(config) as engine:
        session = queries.session(engine, live.session_id)
        students = len(queries.students(engine, session.id))
    if as_json:
        print_json(_as_json(session, students))
    else:
        click.echo(
            f"recording session {session.id} of {session.class_name} from {session.source}: "
            f"{clock(session.end_s)} so far, {count(students, 'student')}"
        )
    return 0


def _as_json(session: SessionRecord, students: int) -> dict[str, Any]:
    return {
        "recording": True,
        "session": session.id,
        "class": session.class_name,
        "source": session.source,
        "recorded_s": session.end_s,
        "watched_s": session.watched_s,
        "students": students,
        "last_written_at": session.last_written_at,
    }
