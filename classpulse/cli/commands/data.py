"""``classpulse data``: erase stored data."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.groups import CommandGroup
from classpulse.cli.options import json_option
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message
from classpulse.database import open_configured_database
from classpulse.errors import InvalidOption, NotConfirmed, NoTerminal
from classpulse.formatting import english_count
from classpulse.services.corrections import load_session_people
from classpulse.services.erasure import (
    ErasureResult,
    erase_expired,
    erase_student_from_session,
    find_expired,
)
from classpulse.services.reports import generate_report
from classpulse.services.session_lookup import resolve_session

yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


@click.group("data", cls=CommandGroup)
def data_command() -> None:
    """Erase a student from a lesson, or old lessons."""


@data_command.command("erase", short_help="erase a student from a past lesson")
@click.argument("session")
@click.argument("student")
@yes_option
@json_option
@click.pass_obj
def data_erase_command(config_path: Path, session: str, student: str, yes: bool, as_json: bool) -> int:
    """Erase STUDENT (a pseudonym, or the number in 'Student 3') from the past lesson SESSION and write its
    report again. This cannot be undone.

    The roster and the other lessons stay unchanged.
    """
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        number = resolve_session(engine, session)
        people = load_session_people(engine, number)
        person = people.find_student(student)
        if not yes:
            _confirm(f"erase {person.pseudonym} from session {number} for good?", "Confirm with --yes.")
        bins = erase_student_from_session(
            engine, config, people, person, lambda session_id: generate_report(engine, session_id, config)
        )
    if as_json:
        print_json({"session": number, "bins": bins})
    else:
        click.echo(
            f"session {number}: one student erased, with {english_count(bins, 'bin')}; "
            "the report was written again"
        )
    return 0


@data_command.command("purge", short_help="erase the lessons past their retention period")
@click.option(
    "--older-than",
    type=click.IntRange(0, 36500),
    metavar="DAYS",
    help="Erase lessons that ended more than DAYS days ago; default: retention.keep_days.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be erased.")
@yes_option
@json_option
@click.pass_obj
def data_purge_command(
    config_path: Path, older_than: int | None, dry_run: bool, yes: bool, as_json: bool
) -> int:
    """Erase old lessons with all their data, their reports, and their uploaded recordings.

    This cannot be undone. A running recording is never erased; roster, seat plans and audit log stay.
    """
    config = read_config(config_path)
    days = config.settings.retention.keep_days if older_than is None else older_than
    if days is None:
        raise InvalidOption(
            f"{config.file_name} sets no retention.keep_days, so no lesson expires.",
            "Set it, or give an age with --older-than DAYS.",
            option="--older-than",
        )
    now = datetime.now(UTC)
    with open_configured_database(config) as engine:
        result = find_expired(engine, config, now, days)
        if not dry_run and (result.sessions or result.recordings):
            # The age in config.yaml is deliberate; a number on the command line may be a slip.
            if older_than is not None and not yes:
                lessons = english_count(len(result.sessions), "lesson") + _recordings_text(result)
                question = f"erase {lessons} older than {english_count(days, 'day')} for good?"
                _confirm(question, "Confirm with --yes, or check with --dry-run first.")
            result = erase_expired(engine, config, now, days)
    _print_result(result, days, dry_run=dry_run, as_json=as_json)
    return 1 if result.failed else 0


def _confirm(question: str, hint: str) -> None:
    """Ask on the terminal. Raises NotConfirmed unless the answer is yes, and NoTerminal."""
    if not sys.stdin.isatty():
        raise NoTerminal(question, hint, "--yes")
    if not click.confirm(question, err=True):
        raise NotConfirmed("Nothing was erased.")


def _recordings_text(result: ErasureResult) -> str:
    return f" and {english_count(result.recordings, 'uploaded recording')}" if result.recordings else ""


def _print_result(result: ErasureResult, days: int, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(asdict(result) | {"older_than_days": days, "dry_run": dry_run})
        return
    for line in result.failed:
        print_message(f"classpulse: {line}")
    numbers = f" ({', '.join(map(str, result.sessions))})" if result.sessions else ""
    verb = "would be erased" if dry_run else "erased"
    click.echo(
        f"older than {english_count(days, 'day')}: "
        f"{english_count(len(result.sessions), 'lesson')} {verb}{numbers}, "
        f"with {english_count(result.folders, 'report folder')}" + _recordings_text(result)
    )
