"""``classpulse stop``: end a recording."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message
from classpulse.config.settings import read_config
from classpulse.errors import RunError
from monitor.daemon.control import daemon_status, send_command
from monitor.daemon.errors import ControlError
from monitor.session.status import RecordingStatus

_POLL_INTERVAL_S = 0.2


@click.command("stop")
@click.option("--room", help="Which, where several rooms are being recorded.")
@click.option(
    "--wait", "wait_s", type=click.FloatRange(0, 3600), default=120, show_default=True, help="Seconds."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def stop_command(config_path: Path, room: str | None, wait_s: float, as_json: bool) -> int:
    """Ask a recording to end, and wait until it has written everything."""
    folder = read_config(config_path).data_folder
    ended = send_command(folder, "stop", room)
    _wait_until_ended(folder, ended, wait_s)
    if as_json:
        print_json({"session": ended.session_id, "stopped": True})
    elif ended.session_id is None:
        print_message(f"{ended.class_name} was stopped before its first picture: nothing was recorded")
    else:
        print_message(
            f"session {ended.session_id} has ended; its report: classpulse report {ended.session_id}"
        )
    return 0


def _wait_until_ended(folder: Path, ended: RecordingStatus, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        # It ends, so at any moment it may be busy with that, or be gone.
        with suppress(ControlError):
            daemon = daemon_status(folder)
            if daemon is None or all(
                one.room != ended.room or one.session_id != ended.session_id for one in daemon.recordings
            ):
                return
        if time.monotonic() >= deadline:
            raise RunError(
                f"session {ended.session_id} was asked to end and is still being written after {wait_s:g} s; "
                "look with 'classpulse status'"
            )
        time.sleep(_POLL_INTERVAL_S)
