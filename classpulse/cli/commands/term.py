"""``classpulse term CLASS``: write the report of a term."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import click

from classpulse.cli.options import json_option, language_option, since_option, until_option
from classpulse.cli.output import print_path, write_history_page
from classpulse.config.settings import Config, read_config
from classpulse.console import print_json, print_message
from classpulse.services.assessment import open_summarised_database
from classpulse.services.history import load_term, page_language, render_term_pdf, report_settings
from db.roster import require_known_class
from reports.history.data import term_data
from reports.history.term import TermHistory
from reports.text.i18n import Language

_FILE_PATH = click.Path(path_type=Path, dir_okay=False)


@click.command("term")
@click.argument("class_name", metavar="CLASS")
@since_option
@until_option
@click.option("--html", type=_FILE_PATH, help="HTML file. [default: in output.folder]")
@click.option("--pdf", type=_FILE_PATH, help="PDF file. [default: in output.folder]")
@language_option
@json_option
@click.pass_obj
def term_command(
    config_path: Path,
    class_name: str,
    since: datetime | None,
    until: datetime | None,
    html: Path | None,
    pdf: Path | None,
    language: Language | None,
    as_json: bool,
) -> int:
    """Write the report of all sessions of CLASS as HTML and PDF."""
    config = read_config(config_path)
    settings = report_settings(config)
    with open_summarised_database(config, quiet=as_json) as engine:
        name = require_known_class(engine, class_name)
        term = load_term(engine, name, settings, since, until)
    if not term.sessions:
        print_message(f"class {class_name!r} has no session in this period; 'classpulse sessions' lists all")
    elif html is not None or pdf is not None or not as_json:
        _write(term, config, html, pdf, page_language(config, language), quiet=as_json)
    if as_json:
        print_json(term_data(term))
    return 0


def _write(
    term: TermHistory,
    config: Config,
    html: Path | None,
    pdf: Path | None,
    language: Language,
    *,
    quiet: bool,
) -> None:
    """Write the requested files; by default both, in the output folder."""
    from reports.history.pages.term import term_page
    from reports.rendering.atomic_write import atomic_write

    if html is None and pdf is None:
        folder = config.output_folder / f"term-{_file_name(term.class_name)}"
        html, pdf = folder / "term.html", folder / "term.pdf"
    if html is not None:
        write_history_page(lambda: term_page(term), html, language, quiet=quiet)
    if pdf is not None:
        atomic_write(pdf, render_term_pdf(term, config.settings.output.paper, language))
        if not quiet:
            print_path("pdf", pdf)


def _file_name(class_name: str) -> str:
    """The class name as a folder name without special characters."""
    return re.sub(r"[^\w-]+", "-", class_name).strip("-") or "class"
