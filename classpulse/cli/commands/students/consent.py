"""``classpulse students consent``: who may be watched, and who may not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.errors import UserError
from classpulse.services.roster import record_consent
from db.records import RosterEntry
from db.roster import list_roster


@click.command()
@click.argument("pseudonym")
@click.argument("answer", type=click.Choice(["yes", "no"]))
@click.option("--class", "class_name", help="Another class than that of config.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def students_consent_command(
    config_path: Path, pseudonym: str, answer: str, class_name: str | None, as_json: bool
) -> int:
    """Note that PSEUDONYM may be watched, or may not. It holds from the next session on."""
    config = read_config(config_path)
    class_name = class_name or config.settings.class_.name
    with open_configured_database(config) as engine:
        entry = _find_entry(engine, class_name, pseudonym)
        problem = record_consent(engine, entry, answer == "yes", datetime.now(UTC))
        print_message("this holds from the next session on; what was recorded before stays as it is")
        if problem:
            print_message(problem)
    if as_json:
        print_json({"pseudonym": pseudonym, "class": class_name, "consent": answer == "yes"})
    return 0


def _find_entry(engine: Engine, class_name: str, pseudonym: str) -> RosterEntry:
    entries = list_roster(engine, class_name)
    found = next((entry for entry in entries if entry.pseudonym == pseudonym), None)
    if found is None:
        who = ", ".join(entry.pseudonym for entry in entries) or "nobody yet"
        raise UserError(f"{pseudonym!r} is not on the roster of class {class_name!r}; on it: {who}")
    return found
