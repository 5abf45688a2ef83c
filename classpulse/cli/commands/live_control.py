"""``classpulse stop``, ``pause``, ``resume`` and ``mark``: commands to a running recording."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import click

from classpulse.cli.options import json_option
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message
from classpulse.errors import RunError
from classpulse.formatting import media_clock
from monitor.daemon.control import daemon_status, send_command
from monitor.daemon.errors import ControlError
from monitor.session.status import RecordingStatus
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
    folder = read_config(config_path).data_folder
    status = send_command(folder, "stop", room)
    _wait_until_ended(folder, status, wait_s)
    if as_json:
        print_json({"session": status.session_id, "stopped": True})
    elif status.session_id is None:
        print_message(f"{status.class_name} was stopped before the first frame: nothing was recorded")
    else:
        print_message(
            f"session {status.session_id} has ended; its report: classpulse report {status.session_id}"
        )
    return 0


@click.command("pause")
@_room_option
@json_option
@click.pass_obj
def pause_command(config_path: Path, room: str | None, as_json: bool) -> int:
    """Close the camera until 'classpulse resume'; the timeline has a gap "paused" meanwhile."""
    status = send_command(read_config(config_path).data_folder, "pause", room)
    if as_json:
        print_json({"session": status.session_id, "paused": True})
    else:
        print_message(f"session {status.session_id} is paused: its camera is closed; use 'classpulse resume'")
    return 0


@click.command("resume")
@_room_option
@json_option
@click.pass_obj
def resume_command(config_path: Path, room: str | None, as_json: bool) -> int:
    """Open the camera again after a pause."""
    status = send_command(read_config(config_path).data_folder, "resume", room)
    if as_json:
        print_json({"session": status.session_id, "paused": False})
    else:
        print_message(f"session {status.session_id} continues with the first frame of its camera")
    return 0


@click.command("mark")
@click.argument("text")
@_room_option
@json_option
@click.pass_obj
def mark_command(config_path: Path, text: str, room: str | None, as_json: bool) -> int:
    """Add the marker TEXT, such as "quiz handed out", at the current time."""
    folder = read_config(config_path).data_folder
    text = marker_text(text)
    status = send_command(folder, "mark", room, text)
    if as_json:
        print_json({"session": status.session_id, "text": text})
    else:
        print_message(f"marked at about {media_clock(status.media_s)} of session {status.session_id}: {text}")
    return 0


def _wait_until_ended(folder: Path, status: RecordingStatus, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        # A daemon that ends may be busy, or gone at any moment.
        with suppress(ControlError):
            daemon = daemon_status(folder)
            recordings = () if daemon is None else daemon.recordings
            if (status.room, status.session_id) not in [(r.room, r.session_id) for r in recordings]:
                return
        if time.monotonic() >= deadline:
            raise RunError(
                f"Session {status.session_id} is still being written after {wait_s:g} s.",
                "Check it with 'classpulse status'.",
            )
        time.sleep(_POLL_INTERVAL_S)
