"""What the program that records says, for the commands that ask it."""

from __future__ import annotations

from pathlib import Path

from monitor.control import NobodyThere, Request, ask
from monitor.daemonstatus import DaemonStatus


def ask_daemon(data_folder: Path) -> DaemonStatus | None:
    """How it stands, or None where nothing runs on this data folder. Raises ControlError."""
    try:
        return DaemonStatus.from_json(ask(data_folder, Request("status")))
    except NobodyThere:
        return None
