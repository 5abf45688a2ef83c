"""``classpulse accounts``: who may use the dashboard."""

from __future__ import annotations

import click

from classpulse.cli.main import LazyGroup

COMMANDS = {
    "add": "somebody who may log in to the dashboard",
    "list": "who may, and what",
    "password": "a new one for who has forgotten it",
    "disable": "let somebody log in no more, or again",
}


@click.group(cls=LazyGroup, package="classpulse.cli.commands.accounts", lines=COMMANDS)
def accounts_command() -> None:
    """Keep the dashboard's accounts; also for who has locked themselves out of it."""
