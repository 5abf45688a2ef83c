"""``classpulse record``: the process behind one room's recording; the supervisor starts it, nobody else."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.settings import read_config


@click.command(hidden=True)
@click.pass_obj
def record(config_path: Path) -> int:
    """Record the order that comes on standard input, and tell of it on standard output."""
    from classpulse.recorded import Recorded

    return Recorded(read_config(config_path)).run()
