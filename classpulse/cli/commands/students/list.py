"""``classpulse students list``: who is on the roster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message, print_table
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from db.roster import list_roster, load_student_names
from db.unit_of_work import Store

CONSENT_LABELS = {True: "yes", False: "no", None: "not recorded"}


@click.command()
@click.option("--class", "class_name", help="Another class than that of config.yaml.")
@click.option("--names", "with_names", is_flag=True, help="Show names too; that you looked is noted.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def students_list_command(config_path: Path, class_name: str | None, with_names: bool, as_json: bool) -> int:
    """List the students of the class: pseudonym, seat and consent."""
    config = read_config(config_path)
    class_name = class_name or config.settings.class_.name
    with open_configured_database(config) as engine:
        entries = list_roster(engine, class_name)
        called: dict[int, str] = {}
        if with_names:
            with Store(engine).unit_of_work() as unit:
                unit.add_audit_entry("read names", f"class {class_name}", datetime.now(UTC))
                unit.commit()
            called = load_student_names(engine, [entry.student_id for entry in entries])
    if as_json:
        rows = [vars(entry) for entry in entries]
        print_json([row | {"name": called.get(row["student_id"])} for row in rows] if with_names else rows)
    elif not entries:
        print_message(
            f"nobody is on the roster of class {class_name!r}: 'classpulse students import FILE' adds them"
        )
    else:
        headings = ("pseudonym", "seat", "consent", *(("name",) if with_names else ()))
        cells = [(e.pseudonym, e.seat_label or "", CONSENT_LABELS[e.consent]) for e in entries]
        shown = [(called.get(e.student_id, ""),) if with_names else () for e in entries]
        print_table(f"Class {class_name}", headings, [a + b for a, b in zip(cells, shown, strict=True)])
    return 0
