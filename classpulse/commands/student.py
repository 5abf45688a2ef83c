"""``classpulse student NAME``: one student over the past sessions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from classpulse.console import print_json, print_table, say
from classpulse.settings import read_config
from classpulse.watching import open_record
from db.history import student_history
from model.emotions import Emotion
from reports.history import STUDENT_HEADINGS, student_lines
from reports.report import ReportSettings


@click.command()
@click.argument("name")
@click.option("--class", "class_name", help="Only in this class.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def student(config_path: Path, name: str, class_name: str | None, as_json: bool) -> int:
    """Show what each session holds of NAME, such as "Student 3"."""
    config = read_config(config_path)
    with open_record(config) as engine:
        history = student_history(engine, name, class_name)
    lines = student_lines(history, ReportSettings(timezone=config.settings.output.time_zone))
    if as_json:
        print_json([asdict(line) | {"dominant": _label(line.dominant)} for line in lines])
        return 0
    if not lines:
        say(f"no session holds anything of {name}; 'classpulse seats corrections SESSION' tells who is who")
        return 0
    print_table(name, STUDENT_HEADINGS, [line.cells for line in lines])
    if len({line.student_id for line in lines}) > 1:
        say(f"{name} is numbered by seat in each session: the lines may be of different people")
    return 0


def _label(emotion: Emotion | None) -> str | None:
    return None if emotion is None else emotion.label
