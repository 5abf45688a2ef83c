"""``classpulse report SESSION``: write the report of a session again."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.options import json_option, language_option
from classpulse.cli.output import print_path
from classpulse.config.settings import read_config
from classpulse.console import print_json
from classpulse.database import open_configured_database
from classpulse.services.reports import DEFAULT_FORMATS, REPORT_WRITERS, generate_report
from classpulse.services.session_lookup import resolve_session
from reports.rendering.paper import PaperSize
from reports.text.i18n import Language


@click.command("report")
@click.argument("session", default="last")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(list(REPORT_WRITERS)),
    default=DEFAULT_FORMATS,
    show_default=True,
    help="Format; may be given several times.",
)
@click.option(
    "--paper",
    type=click.Choice([size.value for size in PaperSize]),
    help="Paper size of the PDF; default: output.paper.",
)
@language_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files; default: by output.layout.",
)
@json_option
@click.pass_obj
def report_command(
    config_path: Path,
    session: str,
    formats: tuple[str, ...],
    paper: str | None,
    language: Language | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Write the report of SESSION: a number, 'last', or the name of a class for its latest session."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        number = resolve_session(engine, session)
        files = generate_report(
            engine,
            number,
            config,
            formats=formats,
            folder=out,
            paper=PaperSize(paper) if paper else None,
            language=language,
        )
    if as_json:
        print_json({"session": number, "report": {kind: str(path) for kind, path in files.items()}})
    else:
        for kind, path in files.items():
            print_path(kind, path)
    return 0
