"""``classpulse students list``: who is on the roster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from classpulse.cli.console import print_json, print_table, say
from classpulse.config.settings import read_config
from classpulse.database import open_record
from db.roster import names, roster
from db.unit_of_work import Store

CONSENT = {True: "yes", False: "no", None: "not recorded"}


@click.command()
@click.option("--class", "class_name", help="Another class than that of config.yaml.")
@click.option("--names", "with_names", is_flag=True, help="Show names too; that you looked is noted.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def list(config_path: Path, class_name: str | None, with_names: bool, as_json: bool) -> int:
    """List the students of the class: pseudonym, seat and consent."""
    config = read_config(config_path)
    class_name = class_name or config.settings.class_.name
    with open_record(config) as engine:
        entries = roster(engine, class_name)
        called: dict[int, str] = {}
        if with_names:
            with Store(engine).unit() as unit:
                unit.audit("read names", f"class {class_name}", datetime.now(UTC))
                unit.commit()
            called = names(engine, [entry.student_id for entry in entries])
    if as_json:
        rows = [vars(entry) for entry in entries]
        print_json([row | {"name": called.get(row["student_id"])} for row in rows] if with_names else rows)
    elif not entries:
        say(f"nobody is on the roster of class {class_name!r}: 'classpulse students import FILE' adds them")
    else:
        headings = ("pseudonym", "seat", "consent", *(("name",) if with_names else ()))
        cells = [(e.pseudonym, e.seat or "", CONSENT[e.consent]) for e in entries]
        shown = [(called.get(e.student_id, ""),) if with_names else () for e in entries]
        print_table(f"Class {class_name}", headings, [a + b for a, b in zip(cells, shown, strict=True)])
    return 0
