"""``classpulse accounts list``: who may log in."""

from __future__ import annotations

from pathlib import Path

import click

from classpulse.cli.console import print_json, print_message, print_table
from classpulse.config.settings import read_config
from classpulse.database import open_configured_database
from db.accounts import Account, Role
from db.accounts import list_accounts as all_accounts


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_obj
def accounts_list_command(config_path: Path, as_json: bool) -> int:
    """List the accounts of the dashboard, with their role and classes."""
    with open_configured_database(read_config(config_path)) as engine:
        found = all_accounts(engine)
    if as_json:
        print_json([vars(one) | {"classes": sorted(one.classes)} for one in found])
    elif found:
        print_table("Accounts", ("name", "role", "classes", ""), [_account_cells(one) for one in found])
    else:
        print_message(
            "there is no account yet: 'classpulse accounts add NAME --role administrator' makes the first"
        )
    return 0


def _account_cells(one: Account) -> tuple[str, ...]:
    classes = ", ".join(sorted(one.classes)) or "none" if one.role is Role.TEACHER else "all"
    return (one.name, one.role.value, classes, "disabled" if one.disabled else "")
