"""What the commands of the history share: their options, what a date means, the page as a file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click

from classpulse.console import print_table
from classpulse.settings import Config
from classpulse.watching import print_path
from reports.history.tables import narrow
from reports.language import Language, _, speaking
from reports.report import ReportSettings, local_time

DATE = click.DateTime(["%Y-%m-%d"])

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
since_option = click.option("--since", type=DATE, help="Only from this day on, YYYY-MM-DD.")
until_option = click.option("--until", type=DATE, help="Only until this day, which counts.")


def report_settings(config: Config) -> ReportSettings:
    """In whose zone times are told and dates are meant."""
    return ReportSettings(timezone=config.settings.output.time_zone)


def day_start(day: datetime | None, settings: ReportSettings) -> datetime | None:
    """The midnight that a day begins with, in the report's zone."""
    if day is None:
        return None
    zone = local_time(day.astimezone(), settings).tzinfo if settings.timezone else None
    return day.replace(tzinfo=zone) if zone else day.astimezone()


def day_end(day: datetime | None, settings: ReportSettings) -> datetime | None:
    """The midnight that a day ends with."""
    return None if day is None else day_start(day + timedelta(days=1), settings)


def print_list(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], spare: Collection[str] = ()
) -> None:
    """A table, without what all rows have in common, which stands in the title, and without the ``spare``
    columns: so that the rest has room on a terminal of 80 columns."""
    kept = [at for at, heading in enumerate(headings) if heading not in spare]
    table = narrow([headings[at] for at in kept], [[row[at] for at in kept] for row in rows])
    print_table(" · ".join([title, *table.common]), [_(one) for one in table.headings], table.rows)


def language_of(config: Config, asked: Language | None) -> Language:
    """The language that a page is written in."""
    return asked or config.settings.output.language


def write_page(make: Callable[[], object], path: Path, language: Language, *, quiet: bool) -> None:
    """Write the page of the history (a ``Document``) that ``make`` makes, in a language, and say where it is.
    Raises ReportError."""
    # Here and not above: the charts' library takes longer to import than a table takes to print.
    from reports.files import write_whole
    from reports.history.document import Document, to_html

    with speaking(language):
        document = make()
        assert isinstance(document, Document)
        html = to_html(document)
    write_whole(path, html.encode("utf-8"))
    if not quiet:
        print_path("html", path)
