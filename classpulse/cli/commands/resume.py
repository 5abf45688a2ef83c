"""``classpulse resume``: continue after a pause."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from monitor.daemon.control import send_command


@click.command("resume")
@click.option("--room", help="The room, if several are being recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def resume_command(config_path: Path, room: str | None, as_json: bool) -> int:
    """Open the camera again after a pause."""
    folder = read_config(config_path).data_folder
    status = send_command(folder, "resume", room)
    if as_json:
        print_json({"session": status.session_id, "paused": False})
    else:
        print_message(f"session {status.session_id} continues with the first frame of its camera")
    return 0
