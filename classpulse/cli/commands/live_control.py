"""``classpulse stop``, ``pause``, ``resume`` and ``mark``: commands to a running recording.

They import neither the settings' schema nor the analysis (``tests/classpulse/cli/test_light_commands.py``): a
teacher waits for ``pause`` while the class is recorded. The time of the request, at which the command was
started, is transmitted, so that a busy computer does not delay it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from classpulse.cli.options import json_option
from classpulse.cli.status_view import clock_time, place_label
from classpulse.config.essentials import read_essentials
from classpulse.console import print_json, print_message
from classpulse.errors import RunError
from classpulse.formatting import media_clock
from monitor.daemon.client import query_status, send_command
from monitor.daemon.errors import ControlError
from monitor.runtime.process import process_start
from monitor.text import marker_text

_POLL_INTERVAL_S = 0.2

_room_option = click.option("--room", help="The room, if several are being recorded.")


@click.command("stop")
@_room_option
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 3600),
    default=120,
    show_default=True,
    help="Seconds to wait.",
)
@json_option
@click.pass_obj
def stop_command(config_path: Path, room: str | None, wait_s: float, as_json: bool) -> int:
    """End a recording, and wait until all its data are written."""
    folder = read_essentials(config_path).data_folder
    status = send_command(folder, "stop", room)
    session_id = status["session_id"]
    _wait_until_ended(folder, status, wait_s)
    if as_json:
        print_json({"session": session_id, "stopped": True})
    elif session_id is None:
        print_message(f"{status['class_name']} was stopped before the first frame: nothing was recorded")
    else:
        print_message(f"session {session_id} has ended; its report: classpulse report {session_id}")
    return 0


@click.command("pause")
@_room_option
@json_option
@click.pass_obj
def pause_command(config_path: Path, room: str | None, as_json: bool) -> int:
    """Close the camera until 'classpulse resume'; the timeline has a gap "paused" meanwhile.

    The pause counts from the moment when the command was entered: later frames are not kept.
    """
    essentials = read_essentials(config_path)
    status = send_command(essentials.data_folder, "pause", room, requested_at=process_start())
    if as_json:
        print_json({"session": status["session_id"], "paused": True})
    elif status.get("changed", True):
        print_message(
            f"session {status['session_id']} is paused: its camera is closed; use 'classpulse resume'"
        )
    else:
        since = clock_time(status["state_since"], essentials.zone)
        already = f"already paused since {since}" if status["state"] == "paused" else "already paused"
        print_message(f"{place_label(status)} is {already}; use 'classpulse resume'")
    return 0


@click.command("resume")
@_room_option
@json_option
@click.pass_obj
def resume_command(config_path: Path, room: str | None, as_json: bool) -> int:
    """Open the camera again after a pause."""
    status = send_command(read_essentials(config_path).data_folder, "resume", room)
    if as_json:
        print_json({"session": status["session_id"], "paused": False})
    elif status.get("changed", True):
        print_message(f"{place_label(status)} continues with the first frame of its camera")
    else:
        print_message(f"{place_label(status)} is not paused")
    return 0


@click.command("mark")
@click.argument("text")
@_room_option
@json_option
@click.pass_obj
def mark_command(config_path: Path, text: str, room: str | None, as_json: bool) -> int:
    """Add the marker TEXT, such as "quiz handed out", at the current time."""
    folder = read_essentials(config_path).data_folder
    text = marker_text(text)
    status = send_command(folder, "mark", room, text, requested_at=process_start())
    session_id = status["session_id"]
    if as_json:
        print_json({"session": session_id, "text": text})
    else:
        print_message(f"marked at about {media_clock(status['media_s'])} of session {session_id}: {text}")
    return 0


def _wait_until_ended(folder: Path, status: Mapping[str, Any], wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        # A daemon that ends may be busy, or gone at any moment.
        with suppress(ControlError):
            daemon = query_status(folder)
            recordings = [] if daemon is None else daemon["recordings"]
            running = [(recording["room"], recording["session_id"]) for recording in recordings]
            if (status["room"], status["session_id"]) not in running:
                return
        if time.monotonic() >= deadline:
            raise RunError(
                f"Session {status['session_id']} is still being written after {wait_s:g} s.",
                "Check it with 'classpulse status'.",
            )
        time.sleep(_POLL_INTERVAL_S)
