"""``classpulse data purge``: erase what has been kept long enough."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.formatting import english_count
from classpulse.services.erasure import ErasureResult, erase_expired, find_expired


@click.command()
@click.option(
    "--older-than",
    type=click.IntRange(0, 36500),
    metavar="DAYS",
    help="Lessons that ended more than so many days ago; default: retention.keep_days.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def data_purge_command(
    config_path: Path, older_than: int | None, dry_run: bool, yes: bool, as_json: bool
) -> int:
    """Erase old lessons with everything about them, their reports, and recordings of them that were kept.

    It cannot be taken back. A lesson that is being recorded is never erased; the roster, the seat plan and
    the audit stay.
    """
    config = read_config(config_path)
    days = config.settings.retention.keep_days if older_than is None else older_than
    if days is None:
        raise UserError(
            f"{config.file_name} says no retention.keep_days, so nothing is ever old enough; "
            "set it, or say how old with --older-than DAYS"
        )
    now = datetime.now(UTC)
    with open_configured_database(config) as engine:
        found = find_expired(engine, config, now, days)
        if not dry_run and (found.sessions or found.recordings):
            # What config.yaml says is decided already; a number on the command line may be a slip.
            if older_than is not None and not yes:
                _confirm_purge(found, days)
            found = erase_expired(engine, config, now, days)
    _print_result(found, days, dry_run=dry_run, as_json=as_json)
    return 1 if found.failed else 0


def _confirm_purge(found: ErasureResult, days: int) -> None:
    what = english_count(len(found.sessions), "lesson") + _recordings_text(found)
    question = f"erase {what} older than {english_count(days, 'day')} for good?"
    if not sys.stdin.isatty():
        raise UserError(f"{question} There is no terminal to ask on; say --yes, or look first with --dry-run")
    click.confirm(question, abort=True, err=True)


def _recordings_text(found: ErasureResult) -> str:
    return f" and {english_count(found.recordings, 'uploaded recording')}" if found.recordings else ""


def _print_result(found: ErasureResult, days: int, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found) | {"older_than_days": days, "dry_run": dry_run})
        return
    for line in found.failed:
        print_message(f"classpulse: {line}")
    numbers = f" ({', '.join(map(str, found.sessions))})" if found.sessions else ""
    done = "would be erased" if dry_run else "erased"
    click.echo(
        f"older than {english_count(days, 'day')}: {english_count(len(found.sessions), 'lesson')} {done}{numbers}, "
        f"with {english_count(found.folders, 'report folder')}" + _recordings_text(found)
    )
