"""``classpulse review``: the flags that wait for somebody, and what they make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.cli.output import print_compact_table
from classpulse.config.settings import Config, read_config
from classpulse.errors import UserError
from classpulse.services.assessment import open_summarised_database
from classpulse.services.corrections import load_session_people
from classpulse.services.reviews import FlagReview, find_flag, resolve_reviewer
from classpulse.services.reviews import store_review as store_review
from classpulse.services.session_lookup import resolve_session
from db.flags import FlaggedStudent, list_flagged_students
from reports.history.raised_flags import FLAG_HEADINGS, flag_lines
from reports.text.dates import ReportSettings
from reports.text.formatting import FLAG_KIND_NAMES, flag_kind_name


@click.command("review")
@click.argument("session", required=False)
@click.argument("student", required=False)
@click.option("--confirm", "verdict", flag_value="confirmed", help="The suggestion was right.")
@click.option("--dismiss", "verdict", flag_value="dismissed", help="The suggestion was wrong, or is settled.")
@click.option("--reopen", "verdict", flag_value="open", help="Take a review back.")
@click.option("--note", help="Why, in a few words; it is printed in the report.")
@click.option("--by", help="Who says so. [default: this computer's user]")
@click.option(
    "--kind", type=click.Choice(list(FLAG_KIND_NAMES)), help="Which flag, of a student who has two."
)
@click.option("--class", "class_name", help="List only this class.")
@click.option("--all", "everything", is_flag=True, help="List the reviewed ones too.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def review_command(
    config_path: Path,
    session: str | None,
    student: str | None,
    verdict: str | None,
    note: str | None,
    by: str | None,
    kind: str | None,
    class_name: str | None,
    everything: bool,
    as_json: bool,
) -> int:
    """List the flags that nobody has reviewed, or all of SESSION; with STUDENT, say what you make of one.

    A flag suggests a check-in. What it was about is known once somebody has talked to the student.
    """
    config = read_config(config_path)
    if (student is None) != (verdict is None):
        raise UserError(
            "a review names a student and says what you make of the flag: "
            "classpulse review SESSION STUDENT --confirm, --dismiss or --reopen"
        )
    with open_summarised_database(config, quiet=as_json) as engine:
        number = None if session is None else resolve_session(engine, session)
        if number is not None and student is not None and verdict is not None:
            given = FlagReview(verdict, resolve_reviewer(by), datetime.now(UTC), note)
            raised = find_flag(engine, load_session_people(engine, number), student, kind)
            return _print_review(store_review(engine, raised, given), config, as_json=as_json)
        found = list_flagged_students(engine, class_name, number)
    shown = [one for one in found if everything or number is not None or one.flag.review == "open"]
    return _print_flags([one for one in shown if kind in (None, one.flag.kind)], config, as_json=as_json)


def _print_flags(found: Sequence[FlaggedStudent], config: Config, *, as_json: bool) -> int:
    lines = flag_lines(found, ReportSettings(timezone=config.settings.output.time_zone))
    if as_json:
        print_json([asdict(line) for line in lines])
    elif lines:
        print_compact_table("Suggested check-ins", FLAG_HEADINGS, [line.cells for line in lines])
    else:
        print_message("no flag waits for a review; --all lists the reviewed ones too")
    return 0


def _print_review(reviewed: FlaggedStudent, config: Config, *, as_json: bool) -> int:
    (line,) = flag_lines([reviewed], ReportSettings(timezone=config.settings.output.time_zone))
    if as_json:
        print_json(asdict(line))
        return 0
    what = "open again" if line.review == "open" else line.review
    click.echo(
        f"session {line.session_id}: the flag of {line.student} for {flag_kind_name(line.kind)} is {what}"
    )
    print_message(f"make the report again with 'classpulse report {line.session_id}'")
    return 0
