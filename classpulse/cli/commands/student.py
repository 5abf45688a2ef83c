"""``classpulse student NAME``: a student over the past sessions."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import html_option, json_option, language_option
from classpulse.cli.output import print_compact_table, write_history_page
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message
from classpulse.formatting import english_count
from classpulse.services.assessment import open_summarised_database
from classpulse.services.history import history_with_missed, page_language, report_settings
from db.history import student_history
from db.roster import require_known_class
from reports.history.data import student_data
from reports.history.labels import REVIEW_HEADINGS, review_cells
from reports.history.presence import SessionPresence
from reports.history.student import STUDENT_HEADINGS, StudentHistory
from reports.text.i18n import Language


@click.command("student")
@click.argument("name")
@click.option("--class", "class_name", help="Only sessions of this class.")
@json_option
@html_option
@language_option
@click.pass_obj
def student_command(
    config_path: Path,
    name: str,
    class_name: str | None,
    as_json: bool,
    html: Path | None,
    language: Language | None,
) -> int:
    """Show the figures of NAME, such as "Student 3", for each session, with trends."""
    config = read_config(config_path)
    with open_summarised_database(config, quiet=as_json) as engine:
        sessions = student_history(
            engine, name, require_known_class(engine, class_name) if class_name else None
        )
        history = history_with_missed(engine, name, sessions, report_settings(config))
    if html is not None:
        from reports.history.pages.student import student_page

        write_history_page(
            lambda: student_page(history), html, page_language(config, language), quiet=as_json
        )
    if as_json:
        print_json(student_data(history))
    elif history.lines:
        _print_history(history)
    else:
        print_message(
            f"no session has data of {name}; 'classpulse seats corrections SESSION' lists the corrections"
        )
    return 0


def _print_history(history: StudentHistory) -> None:
    print_compact_table(
        history.name,
        STUDENT_HEADINGS,
        [line.cells for line in history.lines],
        droppable=["interval", "most resembling", "seen"],
    )
    if history.flagged_lines:
        rows = [(str(line.session_id), *review_cells(flag)) for line, flag in history.flagged_lines]
        print_compact_table("Flags and reviews", ("no.", *REVIEW_HEADINGS), rows)
    if history.trends is not None:
        for name, trend in history.trends.items():
            click.echo(f"{name}: {trend.text}")
        click.echo(
            f"{english_count(history.count(SessionPresence.MISSED), 'lesson')} missed (not counted as zero)"
        )
    if (warning := history.warning) is not None:
        print_message(warning)
