"""``classpulse data``: what is kept."""

from __future__ import annotations

import click

from classpulse.cli.main import LazyGroup

COMMANDS = {
    "erase": "erase one student from a past lesson",
    "purge": "erase the lessons that have been kept long enough",
}


@click.group(cls=LazyGroup, package="classpulse.cli.commands.data", lines=COMMANDS)
def data_command() -> None:
    """Look after what is kept."""
