"""``classpulse record``: the process behind one room's recording; the supervisor starts it, nobody else."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import NoReturn

import click

from classpulse.config.settings import read_config


@click.command("record", hidden=True)
@click.pass_obj
def record_command(config_path: Path) -> NoReturn:
    """Record the order that comes on standard input, and tell of it on standard output."""
    from monitor.daemon.worker import RecorderWorker

    code = RecorderWorker(partial(read_config, config_path)).run()
    # Everything is written and closed. What is left are libraries that take seconds to end, and
    # perhaps a read of the camera that never returns, while the next lesson waits for this one to be gone.
    logging.shutdown()
    os._exit(code)
