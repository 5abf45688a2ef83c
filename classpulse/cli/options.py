"""Options and option types that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

from reports.text.i18n import Language


def media_time_callback(ctx: click.Context, param: click.Parameter, text: str) -> float:
    """Option callback: ``12:30``, ``1:02:03`` or ``750`` as seconds of a session. Raises
    click.BadParameter."""
    from classpulse.services.times import parse_media_time

    try:
        return parse_media_time(text)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


new_student_option = click.option("--new", is_flag=True, help="Add PSEUDONYM to the roster of the class.")

class_option = click.option("--class", "class_name", help="Class; default: class.name of config.yaml.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
html_option = click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write an HTML page with charts."
)
language_option = click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    callback=lambda _context, _option, value: None if value is None else Language(value),
    help="Language of HTML and PDF files; default: output.language.",
)

DATE_TYPE = click.DateTime(["%Y-%m-%d"])
since_option = click.option("--since", type=DATE_TYPE, help="Only sessions from this day on, YYYY-MM-DD.")
until_option = click.option("--until", type=DATE_TYPE, help="Only sessions up to and including this day.")
