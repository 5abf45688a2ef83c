"""``classpulse pause``: close the camera for a while."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from monitor.daemon.control import send_command


@click.command("pause")
@click.option("--room", help="The room, if several are being recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def pause_command(config_path: Path, room: str | None, as_json: bool) -> int:
    """Close the camera until 'classpulse resume'; the timeline has a gap "paused" meanwhile."""
    folder = read_config(config_path).data_folder
    status = send_command(folder, "pause", room)
    if as_json:
        print_json({"session": status.session_id, "paused": True})
    else:
        print_message(f"session {status.session_id} is paused: its camera is closed; use 'classpulse resume'")
    return 0
