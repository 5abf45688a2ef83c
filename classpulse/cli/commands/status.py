"""``classpulse status``: the status of the daemon and its recordings."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import RenderableType
from rich.text import Text

from classpulse.cli.status_view import render_status
from classpulse.config.settings import read_config
from classpulse.console import print_json, show_live
from monitor.daemon.control import daemon_status
from monitor.daemon.errors import ControlError, ErrorReply
from monitor.daemon.status import DaemonStatus

_REFRESH_INTERVAL_S = 1.0


@click.command("status")
@click.option("--watch", is_flag=True, help="Refresh every second until Ctrl-C.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the status as JSON; with --watch one line per second."
)
@click.pass_obj
def status_command(config_path: Path, watch: bool, as_json: bool) -> int:
    """Show the current recordings, and the state of camera, database and disk."""
    folder = read_config(config_path).data_folder

    def answer() -> dict[str, object]:
        try:
            daemon = daemon_status(folder)
        except ControlError as error:
            if not watch:
                raise
            return {"recording": None, "error": asdict(ErrorReply.of(error))}
        return {"recording": False} if daemon is None else _as_json(daemon)

    def view() -> RenderableType:
        try:
            return render_status(daemon_status(folder), datetime.now(UTC))
        except ControlError as error:
            if not watch:
                raise
            return Text(str(error), style="red")  # it may answer again

    if as_json:
        print_json(answer(), compact=watch)
        while watch:
            time.sleep(_REFRESH_INTERVAL_S)
            print_json(answer(), compact=True)
        return 0
    show_live(view, refresh_s=_REFRESH_INTERVAL_S if watch else None)
    return 0


def _as_json(daemon: DaemonStatus) -> dict[str, object]:
    return {"recording": bool(daemon.recordings)} | daemon.as_json()
