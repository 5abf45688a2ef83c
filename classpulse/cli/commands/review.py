"""``classpulse review``: the flags that wait for somebody, and what they make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.console import print_json, say
from classpulse.cli.output import print_list
from classpulse.config.settings import Config, read_config
from classpulse.errors import UserError
from classpulse.services.assessment import open_history
from classpulse.services.corrections import read_register
from classpulse.services.reviews import Judgement, find_raised, reviewer
from classpulse.services.reviews import review as store_review
from classpulse.services.session_lookup import session_number
from db.flags import RaisedFlag, raised_flags
from reports.history.raised_flags import RAISED_HEADINGS, raised_lines
from reports.text.dates import ReportSettings
from reports.text.formatting import KINDS, about


@click.command()
@click.argument("session", required=False)
@click.argument("student", required=False)
@click.option("--confirm", "verdict", flag_value="confirmed", help="The suggestion was right.")
@click.option("--dismiss", "verdict", flag_value="dismissed", help="The suggestion was wrong, or is settled.")
@click.option("--reopen", "verdict", flag_value="open", help="Take a review back.")
@click.option("--note", help="Why, in a few words; it is printed in the report.")
@click.option("--by", help="Who says so. [default: this computer's user]")
@click.option("--kind", type=click.Choice(list(KINDS)), help="Which flag, of a student who has two.")
@click.option("--class", "class_name", help="List only this class.")
@click.option("--all", "everything", is_flag=True, help="List the reviewed ones too.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def review(
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
    with open_history(config, quiet=as_json) as engine:
        number = None if session is None else session_number(engine, session)
        if number is not None and student is not None and verdict is not None:
            given = Judgement(verdict, reviewer(by), datetime.now(UTC), note)
            raised = find_raised(engine, read_register(engine, number), student, kind)
            return _tell(store_review(engine, raised, given), config, as_json=as_json)
        found = raised_flags(engine, class_name, number)
    shown = [one for one in found if everything or number is not None or one.flag.review == "open"]
    return _list([one for one in shown if kind in (None, one.flag.kind)], config, as_json=as_json)


def _list(found: Sequence[RaisedFlag], config: Config, *, as_json: bool) -> int:
    lines = raised_lines(found, ReportSettings(timezone=config.settings.output.time_zone))
    if as_json:
        print_json([asdict(line) for line in lines])
    elif lines:
        print_list("Suggested check-ins", RAISED_HEADINGS, [line.cells for line in lines])
    else:
        say("no flag waits for a review; --all lists the reviewed ones too")
    return 0


def _tell(reviewed: RaisedFlag, config: Config, *, as_json: bool) -> int:
    (line,) = raised_lines([reviewed], ReportSettings(timezone=config.settings.output.time_zone))
    if as_json:
        print_json(asdict(line))
        return 0
    what = "open again" if line.review == "open" else line.review
    click.echo(f"session {line.session_id}: the flag of {line.student} for {about(line.kind)} is {what}")
    say(f"make the report again with 'classpulse report {line.session_id}'")
    return 0
