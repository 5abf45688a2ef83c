"""``classpulse accounts``: the accounts of the dashboard."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.groups import CommandGroup
from classpulse.cli.options import json_option
from classpulse.config.settings import read_config
from classpulse.console import print_json, print_message, print_table
from classpulse.database import open_configured_database
from classpulse.services import accounts
from db.accounts import Account, Role, list_accounts

prompt_option = click.option("--prompt", is_flag=True, help="Ask for the password instead of generating one.")


@click.group("accounts", cls=CommandGroup)
def accounts_command() -> None:
    """Manage the accounts of the dashboard, also when no administrator can log in."""


@accounts_command.command("add", short_help="add an account")
@click.argument("name")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default="teacher", show_default=True
)
@click.option("--class", "classes", multiple=True, help="A class of a teacher; may be given several times.")
@prompt_option
@click.pass_obj
def accounts_add_command(
    config_path: Path, name: str, role: str, classes: tuple[str, ...], prompt: bool
) -> int:
    """Add the account NAME and print its password once."""
    config = read_config(config_path)
    password = _prompt_password() if prompt else accounts.generate_password(name)
    with open_configured_database(config) as engine:
        account = accounts.create_account(
            engine, accounts.command_line_actor(), name, Role(role), classes, password
        )
    _print_password(account.name, None if prompt else password)
    return 0


@accounts_command.command("list", short_help="list the accounts")
@json_option
@click.pass_obj
def accounts_list_command(config_path: Path, as_json: bool) -> int:
    """List the accounts with role and classes."""
    with open_configured_database(read_config(config_path)) as engine:
        stored = list_accounts(engine)
    if as_json:
        print_json([vars(account) | {"classes": sorted(account.classes)} for account in stored])
    elif stored:
        print_table(
            "Accounts", ("name", "role", "classes", ""), [_account_cells(account) for account in stored]
        )
    else:
        print_message(
            "there is no account yet: 'classpulse accounts add NAME --role administrator' adds the first"
        )
    return 0


@accounts_command.command("password", short_help="set a new password")
@click.argument("name")
@prompt_option
@click.pass_obj
def accounts_password_command(config_path: Path, name: str, prompt: bool) -> int:
    """Give the account NAME a new password, print it once and end the account's logins."""
    config = read_config(config_path)
    with open_configured_database(config) as engine:
        account = accounts.find_account(engine, name)
        password = _prompt_password() if prompt else accounts.generate_password(account.name)
        accounts.set_account_password(engine, accounts.command_line_actor(), account, password)
    _print_password(account.name, None if prompt else password)
    return 0


@accounts_command.command("disable", short_help="disable an account, or enable it again")
@click.argument("name")
@click.option("--undo", is_flag=True, help="Enable the account again.")
@click.pass_obj
def accounts_disable_command(config_path: Path, name: str, undo: bool) -> int:
    """Disable the account NAME and end its logins."""
    with open_configured_database(read_config(config_path)) as engine:
        account = accounts.find_account(engine, name)
        change = accounts.enable_account if undo else accounts.disable_account
        change(engine, accounts.command_line_actor(), account)
    print_message(f"{account.name} {'can log in again' if undo else 'can no longer log in'}")
    return 0


def _account_cells(account: Account) -> tuple[str, ...]:
    classes = ", ".join(sorted(account.classes)) or "none" if account.role is Role.TEACHER else "all"
    return (account.name, account.role.value, classes, "disabled" if account.disabled else "")


def _prompt_password() -> str:
    """Ask twice, hidden. Never an argument: every program on the computer could read it."""
    answer: str = click.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def _print_password(name: str, generated: str | None) -> None:
    print_message(
        f"{name} can log in with " + ("the new password" if generated is None else "this password:")
    )
    if generated is not None:
        click.echo(generated)
