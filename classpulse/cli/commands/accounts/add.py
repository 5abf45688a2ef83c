"""``classpulse accounts add``: somebody who may log in."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.commands.accounts.password import ask_password, tell_password
from classpulse.config.settings import read_config
from classpulse.database import open_record
from classpulse.services import accounts
from db.accounts import Role


@click.command()
@click.argument("name")
@click.option("--role", type=click.Choice([one.value for one in Role]), default="teacher", show_default=True)
@click.option("--class", "classes", multiple=True, help="A class of a teacher; may be said several times.")
@click.option("--type", "typed", is_flag=True, help="Ask for the password, instead of making one.")
@click.pass_obj
def add(config_path: Path, name: str, role: str, classes: tuple[str, ...], typed: bool) -> int:
    """Make an account for NAME; its password is shown once."""
    config = read_config(config_path)
    password = ask_password() if typed else accounts.new_password(name)
    with open_record(config) as engine:
        made = accounts.add(engine, accounts.at_terminal(), name, Role(role), classes, password)
    tell_password(made.name, None if typed else password)
    return 0
