"""``classpulse students import``: a roster from a CSV file."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.formatting import english_count
from classpulse.services.roster import (
    ImportResult,
    RosterFile,
    import_roster,
    masking_problem,
    read_roster_file,
    seat_conflicts,
)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def students_import_command(config_path: Path, file: Path, as_json: bool) -> int:
    """Read the roster in FILE, a CSV with the columns name, pseudonym, group, seat and consent.

    An empty group is the class of config.yaml. One wrong row, and nothing is imported.
    """
    config = read_config(config_path)
    read = read_roster_file(file, config.settings.class_.name)
    with open_configured_database(config) as engine:
        _require_no_problems(file.name, [*read.problems, *seat_conflicts(engine, read.rows)])
        if not read.rows:
            raise UserError(f"{file.name} has no student; expected a line for each below the headings")
        done = import_roster(engine, read.rows, datetime.now(UTC))
        _print_warnings(engine, read, config.settings.class_.name)
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(_import_summary(done))
    return 0


def _require_no_problems(name: str, problems: list[str]) -> None:
    if not problems:
        return
    for problem in problems:
        print_message(f"{name}, {problem}")
    raise UserError(
        f"{name} has {english_count(len(problems), 'problem')}; nothing was imported: mend the file"
    )


def _print_warnings(engine: Engine, read: RosterFile, own_class: str) -> None:
    """What is not wrong, but should be known; ``own_class`` is the class of config.yaml."""
    if read.ignored_columns:
        print_message(
            f"not read, and not stored: {', '.join(name or '(no heading)' for name in read.ignored_columns)}"
        )
    groups = sorted({one.row.group for one in read.rows})
    if own_class not in groups:
        print_message(
            f"sessions are of class {own_class!r} (class.name in config.yaml), of whom nobody is in the file"
        )
    for group in groups:
        if problem := masking_problem(engine, group):
            print_message(problem)


def _import_summary(done: ImportResult) -> str:
    line = f"{done.new} new, {done.changed} changed, {done.unchanged} unchanged"
    return line + (
        f"; {english_count(done.not_in_file, 'student')} not in the file, kept as before"
        if done.not_in_file
        else ""
    )
