"""``classpulse evaluate``: scores against known ground truth."""

from __future__ import annotations

import click

from classpulse.cli.groups import LazyGroup

COMMANDS = {
    "video": (
        "classpulse.cli.commands.evaluate.video:evaluate_video_command",
        "score the analysis of a video against its ground truth",
    ),
}


@click.group("evaluate", cls=LazyGroup, lazy_commands=COMMANDS)
def evaluate_command() -> None:
    """Score Classpulse against known ground truth."""
