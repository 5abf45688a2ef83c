"""``classpulse simulate``: class videos with known ground truth."""

from __future__ import annotations

import click

from classpulse.cli.main import LazyGroup

_PACKAGE = "classpulse.cli.commands.simulate"

COMMANDS = {
    "call": (f"{_PACKAGE}.call:simulate_call_command", "a video call of drawn students with known scripts"),
    "faces": (f"{_PACKAGE}.faces:simulate_faces_command", "a video call of faces with rated expressions"),
    "room": (f"{_PACKAGE}.room:simulate_room_command", "a classroom animated from a photograph"),
    "term": (f"{_PACKAGE}.term:simulate_term_command", "a term of sessions in a database, without video"),
}


@click.group("simulate", cls=LazyGroup, lazy_commands=COMMANDS)
def simulate_command() -> None:
    """Make a class video with known ground truth, for 'classpulse evaluate video'."""
