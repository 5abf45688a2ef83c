"""``classpulse accounts disable``: somebody logs in no more, or again."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import say
from classpulse.config.settings import read_config
from classpulse.database import open_record
from classpulse.services import accounts


@click.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let them log in again.")
@click.pass_obj
def disable(config_path: Path, name: str, undo: bool) -> int:
    """Let the account NAME log in no more; who is logged in with it is out at once."""
    with open_record(read_config(config_path)) as engine:
        account = accounts.find(engine, name)
        do = accounts.enable if undo else accounts.disable
        do(engine, accounts.at_terminal(), account)
    say(f"{account.name} can log in {'again' if undo else 'no more'}")
    return 0
