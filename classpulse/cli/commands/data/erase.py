"""``classpulse data erase``: one student out of a past lesson."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from classpulse.cli.console import print_json
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.formatting import english_count
from classpulse.services.corrections import load_session_people
from classpulse.services.erasure import erase_student_from_session
from classpulse.services.reports import generate_report
from classpulse.services.session_lookup import resolve_session


@click.command()
@click.argument("session")
@click.argument("student")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def data_erase_command(config_path: Path, session: str, student: str, yes: bool, as_json: bool) -> int:
    """Erase STUDENT (a pseudonym, or the number in 'Student 3') from the past lesson SESSION, and make its
    report again. It cannot be taken back.

    Who is on the roster stays on it, and what other lessons hold of them stays.
    """
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        number = resolve_session(engine, session)
        register = load_session_people(engine, number)
        who = register.find_student(student)
        if not yes:
            question = f"erase {who.pseudonym} from session {number} for good?"
            if not sys.stdin.isatty():
                raise UserError(f"{question} There is no terminal to ask on; say --yes")
            click.confirm(question, abort=True, err=True)
        bins = erase_student_from_session(
            engine, config, register, who, lambda session_id: generate_report(engine, session_id, config)
        )
    if as_json:
        print_json({"session": number, "bins": bins})
    else:
        click.echo(
            f"session {number}: a student is erased, with {english_count(bins, 'bin')}; the report is made again"
        )
    return 0
