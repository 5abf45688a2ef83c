"""``classpulse compare A B``: compare two sessions."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import html_option, json_option, language_option
from classpulse.cli.output import print_compact_table, write_history_page
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message
from classpulse.errors import UserError
from classpulse.services.assessment import open_summarised_database
from classpulse.services.history import page_language, report_settings
from classpulse.services.session_lookup import resolve_session
from db.history import history_of_sessions
from reports.history.comparison import CHANGE_HEADINGS, COMPARISON_HEADINGS, MAX_CHANGES, compare_sessions
from reports.history.data import comparison_data
from reports.text.i18n import Language


@click.command("compare")
@click.argument("first")
@click.argument("second")
@json_option
@html_option
@language_option
@click.pass_obj
def compare_command(
    config_path: Path, first: str, second: str, as_json: bool, html: Path | None, language: Language | None
) -> int:
    """Compare the session SECOND with FIRST, each a number or 'last'."""
    config = read_config(config_path)
    with open_summarised_database(config, quiet=as_json) as engine:
        numbers = [resolve_session(engine, reference) for reference in (first, second)]
        if numbers[0] == numbers[1]:
            raise UserError(f"{first} and {second} are the same session.", "Give two different sessions.")
        comparison = compare_sessions(history_of_sessions(engine, numbers))
    if html is not None:
        from reports.history.pages.comparison import comparison_page

        settings = report_settings(config)
        write_history_page(
            lambda: comparison_page(comparison, settings),
            html,
            page_language(config, language),
            quiet=as_json,
        )
    if as_json:
        print_json(comparison_data(comparison))
        return 0
    for remark in comparison.remarks:
        print_message(f"hard to compare: {remark}")
    print_compact_table(
        f"Session {numbers[0]} and session {numbers[1]}",
        COMPARISON_HEADINGS,
        [row.cells for row in comparison.rows],
    )
    if comparison.changes:
        largest = comparison.changes[:MAX_CHANGES]
        print_compact_table("Sadness: largest changes", CHANGE_HEADINGS, [change.cells for change in largest])
    for number, flags in zip(numbers, comparison.flags, strict=True):
        click.echo(f"session {number}: {flags.text}")
    print_message(comparison.basis)
    return 0
