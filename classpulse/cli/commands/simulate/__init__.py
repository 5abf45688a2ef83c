"""``classpulse simulate``: class films with known truth."""

from __future__ import annotations

import click

from classpulse.cli.main import LazyGroup

COMMANDS = {
    "call": "a video call of drawn students with known scripts",
    "faces": "a video call of faces whose expression raters have named",
    "room": "a photograph of a class brought to life",
    "term": "a term of lectures in a database, without a film",
}


@click.group(cls=LazyGroup, package="classpulse.cli.commands.simulate", lines=COMMANDS)
def simulate_command() -> None:
    """Make a class film of which everything is known, for 'classpulse evaluate'."""
