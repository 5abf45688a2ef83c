"""``classpulse accounts password``: a new password."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_message
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from classpulse.services import accounts


@click.command()
@click.argument("name")
@click.option("--type", "typed", is_flag=True, help="Ask for the password, instead of making one.")
@click.pass_obj
def accounts_password_command(config_path: Path, name: str, typed: bool) -> int:
    """Give the account NAME a new password, which is shown once; other logins of it end."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        account = accounts.find_account(engine, name)
        new = prompt_password() if typed else accounts.generate_password(account.name)
        accounts.set_account_password(engine, accounts.command_line_actor(), account, new)
    print_password(account.name, None if typed else new)
    return 0


def prompt_password() -> str:
    """Asked for twice, unseen; never an argument, which every program on the computer could read."""
    answer: str = click.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def print_password(name: str, generated: str | None) -> None:
    """Say that it is set; print the one that was made."""
    print_message(
        f"{name} can log in with " + ("the new password" if generated is None else "this password:")
    )
    if generated is not None:
        click.echo(generated)
