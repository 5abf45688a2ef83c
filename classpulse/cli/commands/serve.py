"""``classpulse serve``: the dashboard."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.config.settings import read_config


@click.command("serve")
@click.pass_obj
def serve_command(config_path: Path) -> int:
    """Run the dashboard, and the daemon if none runs, until Ctrl-C."""
    from classpulse.web.server import serve_dashboard as run

    run(read_config(config_path))
    return 0
