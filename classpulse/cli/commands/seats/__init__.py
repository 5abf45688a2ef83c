"""``classpulse seats``: the seat plan, and corrections of identities."""

from __future__ import annotations

import click

from classpulse.cli.groups import LazyGroup

_PACKAGE = "classpulse.cli.commands.seats"

COMMANDS = {
    "create": (f"{_PACKAGE}.create:seats_create_command", "propose a seat plan from a still of the room"),
    "apply": (f"{_PACKAGE}.apply:seats_apply_command", "store a seat plan for the class"),
    "show": (f"{_PACKAGE}.show:seats_show_command", "show the seats and their students"),
    "assign": (
        f"{_PACKAGE}.identity:seats_assign_command",
        "identify a student of a session with the roster",
    ),
    "merge": (f"{_PACKAGE}.identity:seats_merge_command", "merge two students of a session into one"),
    "split": (f"{_PACKAGE}.identity:seats_split_command", "split a student of a session at a moment"),
    "undo": (f"{_PACKAGE}.identity:seats_undo_command", "undo the last correction of a session"),
    "corrections": (f"{_PACKAGE}.identity:seats_corrections_command", "list the corrections of a session"),
}


@click.group("seats", cls=LazyGroup, lazy_commands=COMMANDS)
def seats_command() -> None:
    """Create the seat plan of the class, and correct identities in a session."""
