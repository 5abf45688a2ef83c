"""``classpulse seats assign``, ``merge``, ``split``, ``undo`` and ``corrections``: identities in a
session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from classpulse.cli.options import json_option, media_time_callback, new_student_option
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message, print_table
from classpulse.database import open_configured_database
from classpulse.errors import InvalidOption
from classpulse.formatting import media_clock
from classpulse.services.corrections import CorrectionService, correction_data, load_session_people
from classpulse.services.session_lookup import resolve_session
from db.records import CorrectionRecord
from db.sessions import list_corrections
from reports.history.sessions import format_started_at
from reports.narrative.corrections import describe_correction
from reports.text.dates import ReportSettings, local_time


@click.command("assign")
@click.argument("session")
@click.argument("student")
@click.argument("pseudonym")
@new_student_option
@json_option
@click.pass_obj
def seats_assign_command(
    config_path: Path, session: str, student: str, pseudonym: str, new: bool, as_json: bool
) -> int:
    """Identify STUDENT of SESSION ("Student 3", or 3) as PSEUDONYM of the class's roster."""
    with _corrections(config_path, session) as corrections:
        people = corrections.people
        record = corrections.assign(people.find_student(student), people.find_in_roster(pseudonym, new=new))
    return _print_correction(record, describe_correction(record), as_json=as_json)


@click.command("merge")
@click.argument("session")
@click.argument("student")
@click.argument("other")
@json_option
@click.pass_obj
def seats_merge_command(config_path: Path, session: str, student: str, other: str, as_json: bool) -> int:
    """Merge OTHER of SESSION into STUDENT, for the whole session."""
    with _corrections(config_path, session) as corrections:
        people = corrections.people
        record = corrections.merge(people.find_student(student), people.find_student(other))
    return _print_correction(record, describe_correction(record), as_json=as_json)


@click.command("split")
@click.argument("session")
@click.argument("student")
@click.option(
    "--at",
    "at_s",
    required=True,
    callback=media_time_callback,
    metavar="TIME",
    help="Moment of the change: m:ss, h:mm:ss or seconds.",
)
@click.option(
    "--as",
    "pseudonym",
    help="The other student, of the session or the roster; default: the next free 'Student N'.",
)
@new_student_option
@json_option
@click.pass_obj
def seats_split_command(
    config_path: Path,
    session: str,
    student: str,
    at_s: float,
    pseudonym: str | None,
    new: bool,
    as_json: bool,
) -> int:
    """Attribute what was recorded of STUDENT of SESSION from a moment on to another student."""
    if new and pseudonym is None:
        raise InvalidOption(
            "--new needs the pseudonym of the new student.",
            "Add --as PSEUDONYM, or drop --new.",
            option="--new",
        )
    with _corrections(config_path, session) as corrections:
        people = corrections.people
        other = None if pseudonym is None else people.find_anyone(pseudonym, new=new)
        record = corrections.split(people.find_student(student), at_s, other)
    start_s, bin_s = people.bin_start_s(at_s), people.session.bin_s
    span = (
        f"{media_clock(at_s)} lies in the bin from {media_clock(start_s)} to {media_clock(start_s + bin_s)}"
    )
    note = "" if at_s == start_s else f" ({span}, which counts for {record.person_pseudonym})"
    return _print_correction(record, describe_correction(record) + note, as_json=as_json)


@click.command("undo")
@click.argument("session")
@json_option
@click.pass_obj
def seats_undo_command(config_path: Path, session: str, as_json: bool) -> int:
    """Undo the last correction of SESSION; repeat for the one before."""
    with _corrections(config_path, session) as corrections:
        record = corrections.undo()
    return _print_correction(record, f"undone: {describe_correction(record)}", as_json=as_json)


@click.command("corrections")
@click.argument("session")
@json_option
@click.pass_obj
def seats_corrections_command(config_path: Path, session: str, as_json: bool) -> int:
    """List the corrections of SESSION in the order in which they were made."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        number = resolve_session(engine, session)
        records = list_corrections(engine, number)
    zone = ReportSettings(timezone=config.settings.output.time_zone)
    if as_json:
        print_json([correction_data(record) for record in records])
    elif records:
        rows = [
            (
                describe_correction(record),
                format_started_at(local_time(record.created_at, zone)),
                "" if record.undone_at is None else format_started_at(local_time(record.undone_at, zone)),
            )
            for record in records
        ]
        print_table(f"Corrections of session {number}", ("correction", "made", "undone"), rows)
    else:
        print_message(f"session {number} has no correction; see 'classpulse seats --help'")
    return 0


@contextmanager
def _corrections(config_path: Path, session: str) -> Iterator[CorrectionService]:
    """The corrections of a session; raises as ``resolve_session`` and ``load_session_people``."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        yield CorrectionService(engine, config, load_session_people(engine, resolve_session(engine, session)))


def _print_correction(record: CorrectionRecord, text: str, *, as_json: bool) -> int:
    if as_json:
        print_json(correction_data(record))
        return 0
    click.echo(f"session {record.session_id}: {text}")
    print_message(f"write the report again with 'classpulse report {record.session_id}'")
    return 0
