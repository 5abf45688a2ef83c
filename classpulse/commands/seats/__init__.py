"""``classpulse seats``: the seat plan."""

from __future__ import annotations

import click

from classpulse.lazygroup import LazyGroup

COMMANDS = {
    "lay": "propose a plan over a still of the room",
    "use": "take a plan for the class",
    "show": "who sits where",
}


@click.group(cls=LazyGroup, package="classpulse.commands.seats", lines=COMMANDS)
def seats() -> None:
    """Lay the seat plan of the class, and look at it."""
