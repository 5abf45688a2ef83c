"""``classpulse student NAME``: one student over the past sessions."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, say
from classpulse.cli.options import html_option, json_option, language_option
from classpulse.cli.output import print_list, write_page
from classpulse.config.settings import read_config
from classpulse.formatting import count
from classpulse.services.assessment import open_history
from classpulse.services.history import language_of, report_settings, with_missed
from db.history import student_history
from db.roster import require_class
from reports.history.data import student_data
from reports.history.labels import REVIEW_HEADINGS, review_cells
from reports.history.presence import Presence
from reports.history.student import HEADINGS, StudentHistory
from reports.text.i18n import Language


@click.command()
@click.argument("name")
@click.option("--class", "class_name", help="Only in this class.")
@json_option
@html_option
@language_option
@click.pass_obj
def student(
    config_path: Path,
    name: str,
    class_name: str | None,
    as_json: bool,
    html: Path | None,
    language: Language | None,
) -> int:
    """Show what each session holds of NAME, such as "Student 3", and where it is going."""
    config = read_config(config_path)
    with open_history(config, quiet=as_json) as engine:
        found = student_history(engine, name, require_class(engine, class_name) if class_name else None)
        history = with_missed(engine, name, found, report_settings(config))
    if html is not None:
        from reports.history.pages.student import student_page

        write_page(lambda: student_page(history), html, language_of(config, language), quiet=as_json)
    if as_json:
        print_json(student_data(history))
    elif history.lines:
        _tell(history)
    else:
        say(f"no session holds anything of {name}; 'classpulse seats corrections SESSION' tells who is who")
    return 0


def _tell(history: StudentHistory) -> None:
    print_list(history.name, HEADINGS, [line.cells for line in history.lines])
    if history.flagged:
        rows = [(str(line.session_id), *review_cells(flag)) for line, flag in history.flagged]
        print_list("Flags and reviews", ("no.", *REVIEW_HEADINGS), rows)
    if history.trends is not None:
        for name, trend in history.trends.named():
            click.echo(f"{name}: {trend.told}")
        click.echo(f"{count(history.count(Presence.MISSED), 'lesson')} missed, which are not counted as zero")
    if (warning := history.warning) is not None:
        say(warning)
