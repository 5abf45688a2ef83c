"""``classpulse accounts disable``: somebody logs in no more, or again."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_message
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.services import accounts


@click.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let them log in again.")
@click.pass_obj
def accounts_disable_command(config_path: Path, name: str, undo: bool) -> int:
    """Let the account NAME log in no more; who is logged in with it is out at once."""
    with open_configured_database(read_config(config_path)) as engine:
        account = accounts.find_account(engine, name)
        do = accounts.enable_account if undo else accounts.disable_account
        do(engine, accounts.command_line_actor(), account)
    print_message(f"{account.name} can log in {'again' if undo else 'no more'}")
    return 0
