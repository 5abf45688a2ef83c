"""``classpulse pause``: see nothing for a while."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, say
from classpulse.config.settings import read_config
from monitor.daemon.control import give_order


@click.command()
@click.option("--room", help="Which, where several rooms are being recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def pause(config_path: Path, room: str | None, as_json: bool) -> int:
    """Close the camera until 'classpulse resume': the timeline says "paused" meanwhile."""
    folder = read_config(config_path).data_folder
    status = give_order(folder, "pause", room)
    if as_json:
        print_json({"session": status.session_id, "paused": True})
    else:
        say(f"session {status.session_id} is paused: its camera is closed; 'classpulse resume' goes on")
    return 0
