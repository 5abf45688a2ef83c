"""A moment of a lecture as people write it."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.services.times import parse_media_time
from reports.text.i18n import Language


def media_time_callback(ctx: click.Context, param: click.Parameter, text: str) -> float:
    """``12:30``, ``1:02:03`` or ``750`` as seconds of a lecture; to be the ``callback`` of
    an option. Raises click.BadParameter for anything else."""
    try:
        return parse_media_time(text)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


new_student_option = click.option(
    "--new", is_flag=True, help="PSEUDONYM is somebody new on the class's roster."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
html_option = click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write it as a page with charts, too."
)
language_option = click.option(
    "--language",
    type=click.Choice([one.value for one in Language]),
    callback=lambda _context, _option, given: None if given is None else Language(given),
    help="Of what is written as HTML or PDF; default: output.language.",
)

DATE_TYPE = click.DateTime(["%Y-%m-%d"])
since_option = click.option("--since", type=DATE_TYPE, help="Only from this day on, YYYY-MM-DD.")
until_option = click.option("--until", type=DATE_TYPE, help="Only until this day, which counts.")
