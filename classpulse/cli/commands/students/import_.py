"""``classpulse students import``: a roster from a CSV file."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.console import print_json, say
from classpulse.config.settings import read_config
from classpulse.database import open_record
from classpulse.errors import UserError
from classpulse.formatting import count
from classpulse.services.roster import (
    Imported,
    RosterFile,
    import_rows,
    mask_problem,
    read_roster,
    seat_problems,
)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def import_(config_path: Path, file: Path, as_json: bool) -> int:
    """Read the roster in FILE, a CSV with the columns name, pseudonym, group, seat and consent.

    An empty group is the class of config.yaml. One wrong row, and nothing is imported.
    """
    config = read_config(config_path)
    read = read_roster(file, config.settings.class_.name)
    with open_record(config) as engine:
        _refuse(file.name, [*read.problems, *seat_problems(engine, read.rows)])
        if not read.rows:
            raise UserError(f"{file.name} has no student; expected a line for each below the headings")
        done = import_rows(engine, read.rows, datetime.now(UTC))
        _remark(engine, read, config.settings.class_.name)
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(_told(done))
    return 0


def _refuse(name: str, problems: list[str]) -> None:
    if not problems:
        return
    for problem in problems:
        say(f"{name}, {problem}")
    raise UserError(f"{name} has {count(len(problems), 'problem')}; nothing was imported: mend the file")


def _remark(engine: Engine, read: RosterFile, own: str) -> None:
    """What is not wrong, but should be known; ``own`` is the class of config.yaml."""
    if read.ignored:
        say(f"not read, and not stored: {', '.join(name or '(no heading)' for name in read.ignored)}")
    groups = sorted({one.row.group for one in read.rows})
    if own not in groups:
        say(f"sessions are of class {own!r} (class.name in config.yaml), of whom nobody is in the file")
    for group in groups:
        if problem := mask_problem(engine, group):
            say(problem)


def _told(done: Imported) -> str:
    line = f"{done.new} new, {done.changed} changed, {done.unchanged} unchanged"
    return line + (f"; {count(done.stay, 'student')} not in the file, kept as before" if done.stay else "")
