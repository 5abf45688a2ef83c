"""``classpulse seats``: the seat plan, and who is who."""

from __future__ import annotations

import click

from classpulse.cli.main import LazyGroup

COMMANDS = {
    "lay": "propose a plan over a still of the room",
    "use": "take a plan for the class",
    "show": "who sits where",
    "name": "a student of a session is somebody of the class's roster",
    "merge": "two students of a session were one person",
    "split": "from some moment on a student was somebody else",
    "undo": "take the last correction back",
    "corrections": "what was corrected, and when",
}


@click.group(cls=LazyGroup, package="classpulse.cli.commands.seats", lines=COMMANDS)
def seats_command() -> None:
    """Lay the seat plan of the class; put right who was who in a session."""
