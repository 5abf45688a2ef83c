"""``classpulse daemon``: record by the timetable and on request."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.daemon_app import run_daemon
from classpulse.cli.groups import is_verbose
from classpulse.config.policy import require_policy
from classpulse.config.settings import read_config
from classpulse.console import print_message


@click.command("daemon")
@click.pass_context
def daemon_command(ctx: click.Context) -> int:
    """Record the lessons of the timetable and those of 'classpulse start' until ended."""
    config = read_config(ctx.obj)
    require_policy(config.settings.policy, config.file_name)
    print_message(f"Classpulse runs on {Path(config.data_folder)}; end it with Ctrl-C")
    run_daemon(config, verbose=is_verbose(ctx))
    return 0
