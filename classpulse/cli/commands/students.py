"""``classpulse students``: the roster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.groups import CommandGroup
from classpulse.cli.options import class_option, json_option
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message, print_table
from classpulse.csv_table import in_line_order
from classpulse.database import open_configured_database
from classpulse.errors import InvalidFile, UnknownName
from classpulse.formatting import english_count
from classpulse.services.roster import (
    ImportResult,
    RosterFile,
    import_roster,
    masking_problem,
    read_roster_file,
    record_consent,
    seat_conflicts,
)
from db.records import RosterEntry
from db.roster import list_roster, load_student_names
from db.unit_of_work import Store

CONSENT_LABELS = {True: "yes", False: "no", None: "not recorded"}


@click.group("students", cls=CommandGroup)
def students_command() -> None:
    """Manage the roster: pseudonyms, seats and consents; names are stored apart from them."""


@students_command.command("import", short_help="import a roster from a CSV file")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def students_import_command(config_path: Path, file: Path, as_json: bool) -> int:
    """Import the roster FILE, a CSV with the columns name, pseudonym, group, seat and consent.

    An empty group means the class of config.yaml. If a row is invalid, nothing is imported.
    """
    config = read_config(config_path)
    roster = read_roster_file(file, config.settings.class_.name)
    with open_configured_database(config) as engine:
        _require_valid_rows(
            file.name, in_line_order([*roster.problems, *seat_conflicts(engine, roster.rows)])
        )
        if not roster.rows:
            raise InvalidFile(
                f"{file.name} has no student.", "Add a line per student below the headings.", file=file.name
            )
        result = import_roster(engine, roster.rows, datetime.now(UTC))
        _print_warnings(engine, roster, config.settings.class_.name)
    if as_json:
        print_json(asdict(result))
    else:
        click.echo(_import_summary(result))
    return 0


@students_command.command("list", short_help="list the roster")
@class_option
@click.option("--names", "with_names", is_flag=True, help="Show names, too; this is noted in the audit log.")
@json_option
@click.pass_obj
def students_list_command(config_path: Path, class_name: str | None, with_names: bool, as_json: bool) -> int:
    """List the students of the class: pseudonym, seat and consent."""
    config = read_config(config_path)
    class_name = class_name or config.settings.class_.name
    with open_configured_database(config) as engine:
        entries = list_roster(engine, class_name)
        names: dict[int, str] = {}
        if with_names:
            with Store(engine).unit_of_work() as unit:
                unit.add_audit_entry("view names", f"class {class_name}", datetime.now(UTC))
                unit.commit()
            names = load_student_names(engine, [entry.student_id for entry in entries])
    if as_json:
        rows = [vars(entry) for entry in entries]
        print_json([row | {"name": names.get(row["student_id"])} for row in rows] if with_names else rows)
    elif not entries:
        print_message(
            f"the roster of class {class_name!r} is empty: 'classpulse students import FILE' adds students"
        )
    else:
        headings = ("pseudonym", "seat", "consent", *(("name",) if with_names else ()))
        cells = [(e.pseudonym, e.seat_label or "", CONSENT_LABELS[e.consent]) for e in entries]
        name_cells = [(names.get(e.student_id, ""),) if with_names else () for e in entries]
        print_table(f"Class {class_name}", headings, [a + b for a, b in zip(cells, name_cells, strict=True)])
    return 0


@students_command.command("consent", short_help="record a consent or an opt-out")
@click.argument("pseudonym")
@click.argument("answer", type=click.Choice(["yes", "no"]))
@class_option
@json_option
@click.pass_obj
def students_consent_command(
    config_path: Path, pseudonym: str, answer: str, class_name: str | None, as_json: bool
) -> int:
    """Record whether PSEUDONYM may be observed, from the next session on."""
    config = read_config(config_path)
    class_name = class_name or config.settings.class_.name
    with open_configured_database(config) as engine:
        entry = _find_entry(engine, class_name, pseudonym)
        problem = record_consent(engine, entry, answer == "yes", datetime.now(UTC))
        print_message("applies from the next session on; earlier recordings stay unchanged")
        if problem:
            print_message(problem)
    if as_json:
        print_json({"pseudonym": pseudonym, "class": class_name, "consent": answer == "yes"})
    return 0


def _require_valid_rows(name: str, problems: Sequence[str]) -> None:
    if not problems:
        return
    for problem in problems:
        print_message(f"{name}, {problem}")
    raise InvalidFile(
        f"{name} has {english_count(len(problems), 'invalid row')}. Nothing was imported.",
        "Correct the rows above and import the file again.",
        file=name,
        row_errors=problems,
    )


def _print_warnings(engine: Engine, roster: RosterFile, own_class: str) -> None:
    """Print what is valid but needs attention; ``own_class`` is the class of config.yaml."""
    if roster.ignored_columns:
        print_message(f"columns not imported: {', '.join(roster.ignored_columns)}")
    if roster.uncertain_characters:
        print_message(
            f"the file is not in UTF-8 and was read as Windows-1252: check the names and pseudonyms with "
            f"{' '.join(roster.uncertain_characters)} ('classpulse students list --names'); if they "
            "are wrong, save the file as CSV UTF-8 and import it again"
        )
    groups = sorted({row.row.group for row in roster.rows})
    if own_class not in groups:
        print_message(
            f"the file has no student of class {own_class!r} (class.name in config.yaml), "
            "which sessions record"
        )
    for group in groups:
        if problem := masking_problem(engine, group):
            print_message(problem)


def _import_summary(result: ImportResult) -> str:
    line = f"{result.new} new, {result.changed} changed, {result.unchanged} unchanged"
    kept = english_count(result.not_in_file, "student")
    return line + (f"; {kept} not in the file, kept unchanged" if result.not_in_file else "")


def _find_entry(engine: Engine, class_name: str, pseudonym: str) -> RosterEntry:
    entries = list_roster(engine, class_name)
    for entry in entries:
        if entry.pseudonym == pseudonym:
            return entry
    known = [entry.pseudonym for entry in entries]
    raise UnknownName(
        f"{pseudonym!r} is not on the roster of class {class_name!r}.",
        f"Use one of: {', '.join(known)}."
        if known
        else "Import the roster with 'classpulse students import'.",
        name=pseudonym,
        choices=known,
    )
