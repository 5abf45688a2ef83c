"""``classpulse status``: the status of the daemon and its recordings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from classpulse.cli.status_view import render_status
from classpulse.config.essentials import read_essentials
from classpulse.console import print_json, show_live
from monitor.daemon.client import query_status
from monitor.daemon.errors import ControlError, ErrorReply

_REFRESH_INTERVAL_S = 1.0


@click.command("status")
@click.option("--watch", is_flag=True, help="Refresh every second until Ctrl-C.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the status as JSON; with --watch one line per second."
)
@click.pass_obj
def status_command(config_path: Path, watch: bool, as_json: bool) -> int:
    """Show the current recordings, and the state of camera, database and disk."""
    essentials = read_essentials(config_path)
    folder, zone = essentials.data_folder, essentials.zone

    def answer() -> dict[str, Any]:
        try:
            daemon = query_status(folder)
        except ControlError as error:
            if not watch:
                raise
            return {"recording": None, "error": asdict(ErrorReply.of(error))}
        return {"recording": False} if daemon is None else _as_json(daemon)

    def view() -> str:
        try:
            return render_status(query_status(folder), datetime.now(UTC), zone)
        except ControlError as error:
            if not watch:
                raise
            return click.style(str(error), fg="red")  # it may answer again

    if as_json:
        print_json(answer(), compact=watch)
        while watch:
            time.sleep(_REFRESH_INTERVAL_S)
            print_json(answer(), compact=True)
        return 0
    show_live(view, refresh_s=_REFRESH_INTERVAL_S if watch else None)
    return 0


def _as_json(daemon: Mapping[str, Any]) -> dict[str, Any]:
    return {"recording": bool(daemon["recordings"])} | dict(daemon)
