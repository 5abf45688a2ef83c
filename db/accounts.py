"""Accounts of dashboard users and their login sessions: names and password hashes, nothing about students."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from db.errors import unknown_key
from db.records import Account, Login, Role
from db.schema import AccountClassRow, AccountRow, ClassGroupRow, LoginRow
from db.unit_of_work import UnitOfWork

__all__ = [
    "Account",
    "Login",
    "Role",
    "add_account",
    "add_login",
    "count_administrators",
    "delete_login",
    "delete_logins",
    "delete_unused_logins",
    "find_account_and_hash",
    "find_login",
    "get_account",
    "list_accounts",
    "list_logins",
    "lock_administrators",
    "set_account_classes",
    "set_account_values",
    "touch_login",
]

_ACCOUNT_COLUMNS = (
    AccountRow.id,
    AccountRow.name,
    AccountRow.role,
    AccountRow.disabled,
    AccountRow.created_at,
)


def list_accounts(engine: Engine) -> list[Account]:
    """All accounts, by name."""
    with engine.connect() as connection:
        return _read_accounts(connection, select(*_ACCOUNT_COLUMNS).order_by(AccountRow.name))


def get_account(engine: Engine, account_id: int) -> Account:
    """The account with that id. Raises ``NotFound``."""
    with engine.connect() as connection:
        accounts = _read_accounts(connection, select(*_ACCOUNT_COLUMNS).where(AccountRow.id == account_id))
    if not accounts:
        raise unknown_key("account", account_id)
    return accounts[0]


def find_account_and_hash(engine: Engine, name: str) -> tuple[Account, str] | None:
    """The account of that name (case-insensitive) and its password hash, or None."""
    with engine.connect() as connection:
        row = connection.execute(
            select(AccountRow.id, AccountRow.password_hash).where(
                AccountRow.name_casefolded == name.casefold()
            )
        ).one_or_none()
        if row is None:
            return None
        (account,) = _read_accounts(connection, select(*_ACCOUNT_COLUMNS).where(AccountRow.id == row.id))
        return account, row.password_hash


def count_administrators(engine: Engine) -> int:
    """The number of administrators that can log in; if there is none, the first start creates one."""
    statement = select(func.count()).select_from(_select_administrators().subquery())
    with engine.connect() as connection:
        return int(connection.scalar(statement) or 0)


def lock_administrators(unit: UnitOfWork) -> list[int]:
    """The ids of the administrators that can log in, locked until the end of the transaction, so that two
    administrators cannot disable each other at the same time."""
    # SQLite has a single writer; its dialect omits the clause.
    return list(unit.connection.scalars(_select_administrators().with_for_update()))


def add_account(unit: UnitOfWork, name: str, role: Role, password_hash: str, at: datetime) -> int:
    """Store a new account; returns its id. Raises ``Conflict`` if the name is taken."""
    values = {
        "name": name,
        "name_casefolded": name.casefold(),
        "role": role.value,
        "password_hash": password_hash,
        "disabled": False,
        "created_at": at,
    }
    return unit.insert_row(AccountRow, values)


def set_account_values(unit: UnitOfWork, account_id: int, **values: Any) -> None:
    """Set ``role``, ``password_hash`` or ``disabled``, and end the account's login sessions. Raises
    ``NotFound``."""
    statement = update(AccountRow).where(AccountRow.id == account_id).values(**values)
    if unit.connection.execute(statement).rowcount == 0:
        raise unknown_key("account", account_id)
    unit.connection.execute(delete(LoginRow).where(LoginRow.account_id == account_id))


def set_account_classes(unit: UnitOfWork, account_id: int, class_names: Collection[str]) -> None:
    """Replace the classes of a teacher; new classes are stored."""
    unit.connection.execute(delete(AccountClassRow).where(AccountClassRow.account_id == account_id))
    for name in sorted(set(class_names)):
        values = {"account_id": account_id, "class_group_id": unit.get_or_create_class(name)}
        unit.connection.execute(insert(AccountClassRow).values(**values))


def add_login(unit: UnitOfWork, token_hash: str, account_id: int, at: datetime) -> None:
    """Store a new login session; ``token_hash`` is the hash of the browser's token."""
    values = {"token_hash": token_hash, "account_id": account_id, "created_at": at, "last_used_at": at}
    unit.connection.execute(insert(LoginRow).values(**values))


def find_login(engine: Engine, token_hash: str, since: datetime) -> tuple[Account, datetime] | None:
    """The account of a login session and the time of its last use. None if it was not used since ``since`` or
    the account is disabled."""
    with engine.connect() as connection:
        statement = select(LoginRow.account_id, LoginRow.last_used_at).where(
            LoginRow.token_hash == token_hash, LoginRow.last_used_at >= since
        )
        row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        enabled = AccountRow.id == row.account_id, AccountRow.disabled.is_(False)
        accounts = _read_accounts(connection, select(*_ACCOUNT_COLUMNS).where(*enabled))
        return (accounts[0], row.last_used_at) if accounts else None


def list_logins(engine: Engine, account_id: int, since: datetime) -> list[Login]:
    """The login sessions of an account that were used since ``since``, the last used first."""
    statement = (
        select(LoginRow.token_hash, LoginRow.created_at, LoginRow.last_used_at)
        .where(LoginRow.account_id == account_id, LoginRow.last_used_at >= since)
        .order_by(LoginRow.last_used_at.desc(), LoginRow.token_hash)
    )
    with engine.connect() as connection:
        return [Login(**row._mapping) for row in connection.execute(statement)]


def delete_logins(unit: UnitOfWork, account_id: int, token_hash: str | None = None) -> int:
    """End all login sessions of an account, or only the one with that hash; returns their number."""
    statement = delete(LoginRow).where(LoginRow.account_id == account_id)
    if token_hash is not None:
        statement = statement.where(LoginRow.token_hash == token_hash)
    return int(unit.connection.execute(statement).rowcount)


def touch_login(unit: UnitOfWork, token_hash: str, at: datetime) -> None:
    """Store the time of last use of a login session."""
    statement = update(LoginRow).where(LoginRow.token_hash == token_hash)
    unit.connection.execute(statement.values(last_used_at=at))


def delete_login(unit: UnitOfWork, token_hash: str) -> None:
    """End one login session."""
    unit.connection.execute(delete(LoginRow).where(LoginRow.token_hash == token_hash))


def delete_unused_logins(unit: UnitOfWork, before: datetime) -> None:
    """Delete the login sessions last used before that time."""
    unit.connection.execute(delete(LoginRow).where(LoginRow.last_used_at < before))


def _select_administrators() -> Select[int]:
    enabled = AccountRow.role == Role.ADMINISTRATOR.value, AccountRow.disabled.is_(False)
    return select(AccountRow.id).where(*enabled).order_by(AccountRow.id)


def _read_accounts(connection: Connection, statement: Any) -> list[Account]:
    rows = connection.execute(statement).all()
    joined = select(AccountClassRow.account_id, ClassGroupRow.name).join(ClassGroupRow)
    joined = joined.where(AccountClassRow.account_id.in_([row.id for row in rows]))
    classes: dict[int, set[str]] = {}
    for account_id, name in connection.execute(joined):
        classes.setdefault(account_id, set()).add(name)
    return [
        Account(**{**row._mapping, "role": Role(row.role), "classes": frozenset(classes.get(row.id, ()))})
        for row in rows
    ]
