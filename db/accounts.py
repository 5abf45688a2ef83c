"""Who may use the dashboard, and who is logged in. Names and password hashes; nothing about students."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Select, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from db.errors import NotFound
from db.schema import AccountClassRow, AccountRow, ClassGroupRow, LoginRow
from db.unit_of_work import UnitOfWork


class Role(StrEnum):
    """What somebody is at the school. A teacher sees their own classes; a counsellor sees and reviews flags
    of all; an administrator does everything, accounts included."""

    TEACHER = "teacher"
    COUNSELLOR = "counsellor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Account:
    """Somebody who may log in. ``classes`` are a teacher's own, by name; ``disabled`` accounts log in no more
    but stay, because reviews and the audit name them."""

    id: int
    name: str
    role: Role
    classes: frozenset[str]
    disabled: bool
    created_at: datetime


@dataclass(frozen=True)
class Login:
    """A browser that is logged in; ``token_hash`` is of what it keeps."""

    token_hash: str
    created_at: datetime
    last_used_at: datetime


def list_accounts(engine: Engine) -> list[Account]:
    """Everybody, by name."""
    with engine.connect() as connection:
        return _read_accounts(connection, select(*_ACCOUNT_COLUMNS).order_by(AccountRow.name))


def get_account(engine: Engine, account_id: int) -> Account:
    """One of them. Raises NotFound."""
    with engine.connect() as connection:
        found = _read_accounts(connection, select(*_ACCOUNT_COLUMNS).where(AccountRow.id == account_id))
    if not found:
        raise NotFound(f"there is no account {account_id}")
    return found[0]


def find_account_and_hash(engine: Engine, name: str) -> tuple[Account, str] | None:
    """The account of that name (case does not matter) with its password's hash, or None."""
    with engine.connect() as connection:
        row = connection.execute(
            select(AccountRow.id, AccountRow.password_hash).where(
                AccountRow.name_casefolded == name.casefold()
            )
        ).one_or_none()
        if row is None:
            return None
        (found,) = _read_accounts(connection, select(*_ACCOUNT_COLUMNS).where(AccountRow.id == row.id))
        return found, row.password_hash


def count_administrators(engine: Engine) -> int:
    """How many can log in; without one, the first start makes one."""
    with engine.connect() as connection:
        return int(
            connection.scalar(select(func.count()).select_from(_select_administrators().subquery())) or 0
        )


def lock_administrators(unit: UnitOfWork) -> list[int]:
    """The numbers of those that can log in, as this transaction leaves them. Until it ends nobody else
    changes them, so two of them cannot take the rights from each other at once."""
    # SQLite has one writer at a time anyway, and its dialect leaves the clause out.
    return list(unit.connection.scalars(_select_administrators().with_for_update()))


def add_account(unit: UnitOfWork, name: str, role: Role, password_hash: str, at: datetime) -> int:
    """Store a new account; returns its number. Raises Conflict where the name is taken."""
    values = {
        "name": name,
        "name_casefolded": name.casefold(),
        "role": role.value,
        "password_hash": password_hash,
        "disabled": False,
        "created_at": at,
    }
    key = unit.connection.execute(insert(AccountRow).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def set_account_values(unit: UnitOfWork, account_id: int, **values: Any) -> None:
    """Change ``role``, ``password_hash`` or ``disabled``; whoever is logged in with it has to log in again.
    Raises NotFound."""
    statement = update(AccountRow).where(AccountRow.id == account_id).values(**values)
    if unit.connection.execute(statement).rowcount == 0:
        raise NotFound(f"there is no account {account_id}")
    unit.connection.execute(delete(LoginRow).where(LoginRow.account_id == account_id))


def set_account_classes(unit: UnitOfWork, account_id: int, class_names: Collection[str]) -> None:
    """Replace the classes of a teacher; classes that there are not yet are made."""
    unit.connection.execute(delete(AccountClassRow).where(AccountClassRow.account_id == account_id))
    for name in sorted(set(class_names)):
        values = {"account_id": account_id, "class_group_id": unit.get_or_create_class(name)}
        unit.connection.execute(insert(AccountClassRow).values(**values))


def add_login(unit: UnitOfWork, token_hash: str, account_id: int, at: datetime) -> None:
    """Somebody has logged in; ``token_hash`` is of what their browser keeps."""
    values = {"token_hash": token_hash, "account_id": account_id, "created_at": at, "last_used_at": at}
    unit.connection.execute(insert(LoginRow).values(**values))


def find_login(engine: Engine, token_hash: str, since: datetime) -> tuple[Account, datetime] | None:
    """Whose login that is and when they were last seen; None where there is none that was seen since
    ``since``, or the account is disabled."""
    with engine.connect() as connection:
        statement = select(LoginRow.account_id, LoginRow.last_used_at).where(
            LoginRow.token_hash == token_hash
        )
        row = connection.execute(statement.where(LoginRow.last_used_at >= since)).one_or_none()
        if row is None:
            return None
        enabled = select(*_ACCOUNT_COLUMNS).where(
            AccountRow.id == row.account_id, AccountRow.disabled.is_(False)
        )
        found = _read_accounts(connection, enabled)
        return (found[0], row.last_used_at) if found else None


def list_logins(engine: Engine, account_id: int, since: datetime) -> list[Login]:
    """The browsers that are logged in with an account and were seen since ``since``, the last seen first."""
    with engine.connect() as connection:
        statement = select(LoginRow.token_hash, LoginRow.created_at, LoginRow.last_used_at)
        statement = statement.where(LoginRow.account_id == account_id, LoginRow.last_used_at >= since)
        found = connection.execute(
            statement.order_by(LoginRow.last_used_at.desc(), LoginRow.token_hash)
        ).all()
        return [Login(row.token_hash, row.created_at, row.last_used_at) for row in found]


def delete_logins(unit: UnitOfWork, account_id: int, token_hash: str | None = None) -> int:
    """End every login of an account, or the one of that hash if it is the account's; returns how many."""
    statement = delete(LoginRow).where(LoginRow.account_id == account_id)
    if token_hash is not None:
        statement = statement.where(LoginRow.token_hash == token_hash)
    return int(unit.connection.execute(statement).rowcount)


def touch_login(unit: UnitOfWork, token_hash: str, at: datetime) -> None:
    """A login was used."""
    unit.connection.execute(update(LoginRow).where(LoginRow.token_hash == token_hash).values(last_used_at=at))


def delete_login(unit: UnitOfWork, token_hash: str) -> None:
    """Somebody has logged out."""
    unit.connection.execute(delete(LoginRow).where(LoginRow.token_hash == token_hash))


def delete_unused_logins(unit: UnitOfWork, before: datetime) -> None:
    """Drop what was not used since."""
    unit.connection.execute(delete(LoginRow).where(LoginRow.last_used_at < before))


def _select_administrators() -> Select[int]:
    of_them = AccountRow.role == Role.ADMINISTRATOR.value, AccountRow.disabled.is_(False)
    return select(AccountRow.id).where(*of_them).order_by(AccountRow.id)


_ACCOUNT_COLUMNS = (
    AccountRow.id,
    AccountRow.name,
    AccountRow.role,
    AccountRow.disabled,
    AccountRow.created_at,
)


def _read_accounts(connection: Connection, statement: Any) -> list[Account]:
    rows = connection.execute(statement).all()
    joined = select(AccountClassRow.account_id, ClassGroupRow.name).join(ClassGroupRow)
    joined = joined.where(AccountClassRow.account_id.in_([row.id for row in rows]))
    classes: dict[int, set[str]] = {}
    for account_id, name in connection.execute(joined):
        classes.setdefault(account_id, set()).add(name)
    return [
        Account(
            row.id, row.name, Role(row.role), frozenset(classes.get(row.id, ())), row.disabled, row.created_at
        )
        for row in rows
    ]
