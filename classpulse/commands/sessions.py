"""``classpulse sessions``: the past sessions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from classpulse.console import print_json, print_table, say
from classpulse.settings import read_config
from classpulse.watching import open_record
from db import queries
from db.counts import SessionCounts, session_counts
from db.records import SessionStatus
from reports.history import SESSION_HEADINGS, session_lines
from reports.report import ReportSettings


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
    with open_record(config) as engine:
        found = queries.sessions(engine, class_name, SessionStatus(status) if status else None, limit)
        counts = session_counts(engine)
    lines = session_lines(found, ReportSettings(timezone=config.settings.output.time_zone))
    of = [counts.get(line.session_id, SessionCounts()) for line in lines]
    if as_json:
        print_json([asdict(line) | asdict(count) for line, count in zip(lines, of, strict=True)])
    elif lines:
        rows = [(*line.cells, str(c.students), str(c.flagged)) for line, c in zip(lines, of, strict=True)]
        print_table("Sessions", (*SESSION_HEADINGS, "students", "flagged"), rows)
    else:
        say("no session yet: 'classpulse analyze VIDEO' or 'classpulse start' records one")
    return 0
