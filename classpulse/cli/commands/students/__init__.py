"""``classpulse students``: the roster."""

from __future__ import annotations

import click

from classpulse.cli.main import LazyGroup

COMMANDS = {
    "import": "a roster from a CSV file",
    "list": "who is on it",
    "consent": "who may be watched, and who may not",
}


@click.group(cls=LazyGroup, package="classpulse.cli.commands.students", lines=COMMANDS)
def students_command() -> None:
    """Keep the roster: pseudonyms, seats and consent, and names apart from them."""
