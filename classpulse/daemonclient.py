"""What the program that records says, for the commands that ask it."""

from __future__ import annotations

from pathlib import Path

from monitor.daemonstatus import DaemonStatus


def ask_daemon(data_folder: Path) -> DaemonStatus | None:  # noqa: ARG001 - nothing to ask yet
    """How it stands, or None where nothing runs on this data folder. Raises ControlError."""
    return None
