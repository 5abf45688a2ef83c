"""``classpulse sessions``: list the past sessions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from classpulse.cli.options import html_option, json_option, language_option, since_option, until_option
from classpulse.cli.output import print_compact_table, write_history_page
from classpulse.config.settings import Config, read_config
from classpulse.console import print_json, print_message
from classpulse.formatting import english_count
from classpulse.services.assessment import open_summarised_database
from classpulse.services.history import SessionFilter, find_past_sessions, page_language, report_settings
from db.records import SessionStatus
from db.roster import require_known_class, require_known_room
from reports.history.sessions import SESSION_HEADINGS, SessionFilters, SessionLine
from reports.text.i18n import Language

DROPPABLE_HEADINGS = ("mode", "open", "students", "watched", "flagged", "room")
"""Columns that a narrow terminal omits, the first of them first."""


@click.command("sessions")
@click.option("--class", "class_name", help="Only sessions of this class.")
@click.option("--room", help="Only sessions in this room.")
@since_option
@until_option
@click.option("--flagged", is_flag=True, help="Only sessions with a flag.")
@click.option(
    "--status", type=click.Choice([s.value for s in SessionStatus]), help="Only sessions with this status."
)
@click.option("--limit", type=click.IntRange(1), help="Only the newest sessions.")
@json_option
@html_option
@language_option
@click.pass_obj
def sessions_command(
    config_path: Path,
    class_name: str | None,
    room: str | None,
    since: datetime | None,
    until: datetime | None,
    flagged: bool,
    status: str | None,
    limit: int | None,
    as_json: bool,
    html: Path | None,
    language: Language | None,
) -> int:
    """List the past sessions, newest first."""
    config = read_config(config_path)
    lines = _lines(config, class_name, room, since, until, status, quiet=as_json)
    lines = [line for line in lines if line.flagged or not flagged][:limit]
    if html is not None:
        from reports.history.pages.sessions import sessions_page

        filters = SessionFilters(class_name, room, since, until, status, flagged=flagged)
        write_history_page(
            lambda: sessions_page(lines, filters), html, page_language(config, language), quiet=as_json
        )
    if as_json:
        print_json([asdict(line) for line in lines])
    elif lines:
        print_compact_table(
            "Sessions", SESSION_HEADINGS, [line.cells for line in lines], droppable=DROPPABLE_HEADINGS
        )
        _print_open_flags(lines)
    else:
        print_message("no session found; 'classpulse analyze VIDEO' or 'classpulse start' records one")
    return 0


def _lines(
    config: Config,
    class_name: str | None,
    room: str | None,
    since: datetime | None,
    until: datetime | None,
    status: str | None,
    *,
    quiet: bool,
) -> list[SessionLine]:
    with open_summarised_database(config, quiet=quiet) as engine:
        filters = SessionFilter(
            class_name=require_known_class(engine, class_name) if class_name else None,
            room=require_known_room(engine, room) if room else None,
            since=since,
            until=until,
            status=SessionStatus(status) if status else None,
        )
        return [past.line for past in find_past_sessions(engine, filters, report_settings(config))]


def _print_open_flags(lines: list[SessionLine]) -> None:
    unreviewed = sum(bool(line.unreviewed) for line in lines)
    if unreviewed:
        print_message(
            f"flags of {english_count(unreviewed, 'session')} are not reviewed yet; "
            "'classpulse review' lists them"
        )
