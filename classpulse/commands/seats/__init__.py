"""``classpulse seats``: who is who."""

from __future__ import annotations

import click

from classpulse.lazygroup import LazyGroup

COMMANDS = {
    "name": "a student of a session is somebody of the class's roster",
    "merge": "two students of a session were one person",
    "split": "from some moment on a student was somebody else",
    "undo": "take the last correction back",
    "corrections": "what was corrected, and when",
}


@click.group(cls=LazyGroup, package="classpulse.commands.seats", lines=COMMANDS)
def seats() -> None:
    """Say who is who in a session. What was recorded stays as it is."""
