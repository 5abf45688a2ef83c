"""``classpulse status``: what is being recorded now."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import RenderableType
from rich.text import Text

from classpulse.cli.console import print_json, show_live
from classpulse.cli.status_view import render_status
from classpulse.config.settings import read_config
from monitor.daemon.control import daemon_status
from monitor.daemon.errors import ControlError
from monitor.daemon.status import DaemonStatus

_REFRESH_INTERVAL_S = 1.0


@click.command("status")
@click.option("--watch", is_flag=True, help="Show it again every second until Ctrl-C.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the answer as JSON; with --watch a line a second."
)
@click.pass_obj
def status_command(config_path: Path, watch: bool, as_json: bool) -> int:
    """Say what is being recorded, since when, what it sees, and how camera, database and disk are."""
    folder = read_config(config_path).data_folder

    def answer() -> dict[str, object]:
        try:
            daemon = daemon_status(folder)
        except ControlError as error:
            if not watch:
                raise
            return {"recording": None, "error": str(error)}
        return {"recording": False} if daemon is None else _as_json(daemon)

    def picture() -> RenderableType:
        try:
            return render_status(daemon_status(folder), datetime.now(UTC))
        except ControlError as error:
            if not watch:
                raise
            return Text(str(error), style="red")  # who watches sees it come and go

    if as_json:
        print_json(answer(), compact=watch)
        while watch:
            time.sleep(_REFRESH_INTERVAL_S)
            print_json(answer(), compact=True)
        return 0
    show_live(picture, refresh_s=_REFRESH_INTERVAL_S if watch else None)
    return 0


def _as_json(daemon: DaemonStatus) -> dict[str, object]:
    return {"recording": bool(daemon.recordings)} | daemon.as_json()
