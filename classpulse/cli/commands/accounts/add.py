"""``classpulse accounts add``: somebody who may log in."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.commands.accounts.password import print_password, prompt_password
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.services import accounts
from db.accounts import Role


@click.command()
@click.argument("name")
@click.option("--role", type=click.Choice([one.value for one in Role]), default="teacher", show_default=True)
@click.option("--class", "classes", multiple=True, help="A class of a teacher; may be said several times.")
@click.option("--type", "typed", is_flag=True, help="Ask for the password, instead of making one.")
@click.pass_obj
def accounts_add_command(
    config_path: Path, name: str, role: str, classes: tuple[str, ...], typed: bool
) -> int:
    """Make an account for NAME; its password is shown once."""
    config = read_config(config_path)
    password = prompt_password() if typed else accounts.generate_password(name)
    with open_configured_database(config) as engine:
        made = accounts.create_account(
            engine, accounts.command_line_actor(), name, Role(role), classes, password
        )
    print_password(made.name, None if typed else password)
    return 0
