"""``classpulse simulate``: class videos, or a term of sessions, with known ground truth."""

from __future__ import annotations

import click

from classpulse.cli.groups import LazyGroup

COMMANDS = {
    "call": (
        "classpulse.cli.commands.simulate.call:simulate_call_command",
        "a video call of drawn students with scripted behaviour",
    ),
    "faces": (
        "classpulse.cli.commands.simulate.faces:simulate_faces_command",
        "a video call of photographed faces with rated expressions",
    ),
    "room": (
        "classpulse.cli.commands.simulate.room:simulate_room_command",
        "a classroom animated from a photograph",
    ),
    "term": (
        "classpulse.cli.commands.simulate.term:simulate_term_command",
        "a database with the sessions of a term, without a video",
    ),
}
"""Each subcommand as ``module:attribute`` and its line in the help."""


@click.group("simulate", cls=LazyGroup, lazy_commands=COMMANDS)
def simulate_command() -> None:
    """Create synthetic class data with known ground truth, for 'classpulse evaluate video'."""
