"""``classpulse stop``: end the live session."""

from __future__ import annotations

import time
from pathlib import Path

import click

from classpulse.console import print_json, say
from classpulse.errors import RunError
from classpulse.settings import read_config
from monitor.control import LiveSession, request_stop

_POLL_S = 0.2


@click.command()
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0, 3600), default=60, show_default=True, help="Seconds."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def stop(config_path: Path, wait_s: float, as_json: bool) -> int:
    """Ask the live session to end, and wait until it has written everything."""
    live = request_stop(read_config(config_path).data_folder)
    _wait(live, wait_s)
    if as_json:
        print_json({"session": live.session_id, "stopped": True})
    else:
        say(f"session {live.session_id} has ended; its report: classpulse report {live.session_id}")
    return 0


def _wait(live: LiveSession, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while live.running:
        if time.monotonic() >= deadline:
            raise RunError(
                f"session {live.session_id} was asked to end and is still running after {wait_s:g} s; "
                "look with 'classpulse status'"
            )
        time.sleep(_POLL_S)
