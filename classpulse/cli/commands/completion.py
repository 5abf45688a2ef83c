"""``classpulse completion``: print the script that completes commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> int:
    """Print the script that completes commands and options with the tab key in SHELL: bash, zsh or fish."""
    completion = get_completion_class(shell)
    assert completion is not None  # click has a class for each of SHELLS
    click.echo(completion(ctx.find_root().command, {}, "classpulse", "_CLASSPULSE_COMPLETE").source())
    return 0
