"""``classpulse daemon``: the service that a school leaves running."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_message
from classpulse.cli.daemon_app import run_daemon
from classpulse.config.policy import require_policy
from classpulse.config.settings import read_config


@click.command("daemon")
@click.pass_context
def daemon_command(ctx: click.Context) -> int:
    """Record lessons by the timetable, and those that 'classpulse start' asks for, until it is ended."""
    config = read_config(ctx.obj)
    require_policy(config.settings.policy, config.file_name)
    verbose = bool(ctx.parent is not None and ctx.parent.params["verbose"])
    print_message(f"Classpulse serves {Path(config.data_folder)}; end it with Ctrl-C")
    run_daemon(config, verbose=verbose)
    return 0
