"""``classpulse trends CLASS``: a class over the last weeks."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import html_option, json_option, language_option
from classpulse.cli.output import print_compact_table, write_history_page
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message
from classpulse.services.assessment import open_summarised_database
from classpulse.services.history import page_language, recent_trends, report_settings
from db.roster import require_known_class
from reports.history.data import trends_data
from reports.history.weeks import CLASS_SESSION_HEADINGS, OPTIONAL_HEADINGS, WEEK_HEADINGS
from reports.text.i18n import Language


@click.command("trends")
@click.argument("class_name", metavar="CLASS")
@click.option(
    "--weeks",
    type=click.IntRange(1, 520),
    default=6,
    show_default=True,
    help="Number of weeks up to the latest session.",
)
@json_option
@html_option
@language_option
@click.pass_obj
def trends_command(
    config_path: Path,
    class_name: str,
    weeks: int,
    as_json: bool,
    html: Path | None,
    language: Language | None,
) -> int:
    """Show the figures of CLASS per session and per week."""
    config = read_config(config_path)
    settings = report_settings(config)
    with open_summarised_database(config, quiet=as_json) as engine:
        trends = recent_trends(engine, require_known_class(engine, class_name), weeks, settings)
    if not trends.sessions:
        print_message(f"class {class_name!r} has no session yet; 'classpulse start' records one")
        return 0
    if html is not None:
        from reports.history.pages.trends import trends_page

        write_history_page(lambda: trends_page(trends), html, page_language(config, language), quiet=as_json)
    if as_json:
        print_json(trends_data(trends))
    else:
        print_compact_table(
            f"{class_name} by weeks, in %",
            WEEK_HEADINGS,
            [week.cells for week in trends.weeks],
            OPTIONAL_HEADINGS,
        )
        print_compact_table(
            f"{class_name} by lessons, in %",
            CLASS_SESSION_HEADINGS,
            [line.cells for line in trends.sessions],
            ["students"],
        )
    return 0
