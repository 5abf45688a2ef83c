"""``classpulse review``: list flags and store reviews."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.options import json_option
from classpulse.cli.output import print_compact_table
from classpulse.config.settings import Config, read_config
from classpulse.console import print_json, print_message
from classpulse.errors import UserError
from classpulse.services.assessment import open_summarised_database
from classpulse.services.corrections import load_session_people
from classpulse.services.reviews import FlagReview, find_flag, resolve_reviewer, store_review
from classpulse.services.session_lookup import resolve_session
from db.flags import FlaggedStudent, list_flagged_students
from reports.history.raised_flags import FLAG_HEADINGS, flag_lines
from reports.text.dates import ReportSettings
from reports.text.formatting import FLAG_KIND_NAMES, flag_kind_name


@click.command("review")
@click.argument("session", required=False)
@click.argument("student", required=False)
@click.option("--confirm", "decision", flag_value="confirmed", help="The check-in was justified.")
@click.option(
    "--dismiss", "decision", flag_value="dismissed", help="The check-in was not justified, or is done."
)
@click.option("--reopen", "decision", flag_value="open", help="Withdraw the review.")
@click.option("--note", help="Reason in a few words; the report prints it.")
@click.option("--by", help="Reviewer. [default: this computer's user]")
@click.option("--kind", type=click.Choice(list(FLAG_KIND_NAMES)), help="Kind of flag, if a student has two.")
@click.option("--class", "class_name", help="List only this class.")
@click.option("--all", "everything", is_flag=True, help="List reviewed flags, too.")
@json_option
@click.pass_obj
def review_command(
    config_path: Path,
    session: str | None,
    student: str | None,
    decision: str | None,
    note: str | None,
    by: str | None,
    kind: str | None,
    class_name: str | None,
    everything: bool,
    as_json: bool,
) -> int:
    """List the flags to review, or all flags of SESSION; with STUDENT, review one.

    A flag suggests a check-in; only a talk with the student can show its cause.
    """
    config = read_config(config_path)
    if (student is None) != (decision is None):
        raise UserError(
            "A review needs a student and a decision.",
            "Run 'classpulse review SESSION STUDENT' with --confirm, --dismiss or --reopen.",
        )
    with open_summarised_database(config, quiet=as_json) as engine:
        number = None if session is None else resolve_session(engine, session)
        if number is not None and student is not None and decision is not None:
            review = FlagReview(decision, resolve_reviewer(by), datetime.now(UTC), note)
            flagged = find_flag(engine, load_session_people(engine, number), student, kind)
            return _print_review(store_review(engine, flagged, review), config, as_json=as_json)
        all_flags = list_flagged_students(engine, class_name, number)
    listed = [
        flagged for flagged in all_flags if everything or number is not None or flagged.flag.review == "open"
    ]
    return _print_flags(
        [flagged for flagged in listed if kind in (None, flagged.flag.kind)], config, as_json=as_json
    )


def _print_flags(flagged: Sequence[FlaggedStudent], config: Config, *, as_json: bool) -> int:
    lines = flag_lines(flagged, ReportSettings(timezone=config.settings.output.time_zone))
    if as_json:
        print_json([asdict(line) for line in lines])
    elif lines:
        print_compact_table(
            "Suggested check-ins", FLAG_HEADINGS, [line.cells for line in lines], droppable=["note", "showed"]
        )
    else:
        print_message("no flag to review; --all lists reviewed flags, too")
    return 0


def _print_review(reviewed: FlaggedStudent, config: Config, *, as_json: bool) -> int:
    (line,) = flag_lines([reviewed], ReportSettings(timezone=config.settings.output.time_zone))
    if as_json:
        print_json(asdict(line))
        return 0
    status = "open again" if line.review == "open" else line.review
    click.echo(
        f"session {line.session_id}: the flag of {line.student} for {flag_kind_name(line.kind)} is {status}"
    )
    print_message(f"write the report again with 'classpulse report {line.session_id}'")
    return 0
