"""``classpulse accounts password``: a new password."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import say
from classpulse.config.settings import read_config
from classpulse.database import open_record
from classpulse.services import accounts


@click.command()
@click.argument("name")
@click.option("--type", "typed", is_flag=True, help="Ask for the password, instead of making one.")
@click.pass_obj
def password(config_path: Path, name: str, typed: bool) -> int:
    """Give the account NAME a new password, which is shown once; other logins of it end."""
    config = read_config(config_path)
    with open_record(config) as engine:
        account = accounts.find(engine, name)
        new = ask_password() if typed else accounts.new_password(account.name)
        accounts.set_password(engine, accounts.at_terminal(), account, new)
    tell_password(account.name, None if typed else new)
    return 0


def ask_password() -> str:
    """Asked for twice, unseen; never an argument, which every program on the computer could read."""
    answer: str = click.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def tell_password(name: str, made: str | None) -> None:
    """Say that it is set; print the one that was made."""
    say(f"{name} can log in with " + ("the new password" if made is None else "this password:"))
    if made is not None:
        click.echo(made)
