"""``classpulse trends CLASS``: a class over the last weeks."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, say
from classpulse.cli.options import html_option, json_option, language_option
from classpulse.cli.output import print_list, write_page
from classpulse.config.settings import read_config
from classpulse.services.assessment import open_history
from classpulse.services.history import language_of, last_weeks, report_settings
from db.roster import require_class
from reports.history.data import trends_data
from reports.history.weeks import LESSON_HEADINGS, SPARE, WEEK_HEADINGS
from reports.text.i18n import Language


@click.command()
@click.argument("class_name", metavar="CLASS")
@click.option(
    "--weeks",
    type=click.IntRange(1, 520),
    default=6,
    show_default=True,
    help="How many, up to that of the latest lesson.",
)
@json_option
@html_option
@language_option
@click.pass_obj
def trends(
    config_path: Path,
    class_name: str,
    weeks: int,
    as_json: bool,
    html: Path | None,
    language: Language | None,
) -> int:
    """Show how CLASS was seen, lesson by lesson and week by week."""
    config = read_config(config_path)
    settings = report_settings(config)
    with open_history(config, quiet=as_json) as engine:
        found = last_weeks(engine, require_class(engine, class_name), weeks, settings)
    if not found.lessons:
        say(f"class {class_name!r} has no session yet; 'classpulse start' records one")
        return 0
    if html is not None:
        from reports.history.pages.trends import trends_page

        write_page(lambda: trends_page(found), html, language_of(config, language), quiet=as_json)
    if as_json:
        print_json(trends_data(found))
    else:
        print_list(f"{class_name} by weeks, in %", WEEK_HEADINGS, [week.cells for week in found.weeks], SPARE)
        print_list(
            f"{class_name} by lessons, in %",
            LESSON_HEADINGS,
            [line.cells for line in found.lessons],
            ["students"],
        )
    return 0
