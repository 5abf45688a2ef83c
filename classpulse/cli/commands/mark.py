"""``classpulse mark``: add a marker to the timeline of a running recording."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from classpulse.formatting import media_clock
from monitor.daemon.control import send_command
from monitor.text import marker_text


@click.command("mark")
@click.argument("text")
@click.option("--room", help="The room, if several are being recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def mark_command(config_path: Path, text: str, room: str | None, as_json: bool) -> int:
    """Add the marker TEXT, such as "quiz handed out", at the current time."""
    folder = read_config(config_path).data_folder
    text = marker_text(text)
    status = send_command(folder, "mark", room, text)
    if as_json:
        print_json({"session": status.session_id, "text": text})
    else:
        print_message(f"marked at about {media_clock(status.media_s)} of session {status.session_id}: {text}")
    return 0
