"""``classpulse resume``: go on after a pause."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from monitor.daemon.control import send_command


@click.command("resume")
@click.option("--room", help="Which, where several rooms are being recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def resume_command(config_path: Path, room: str | None, as_json: bool) -> int:
    """Open the camera again after a pause."""
    folder = read_config(config_path).data_folder
    status = send_command(folder, "resume", room)
    if as_json:
        print_json({"session": status.session_id, "paused": False})
    else:
        print_message(f"session {status.session_id} goes on as soon as its camera gives a picture")
    return 0
