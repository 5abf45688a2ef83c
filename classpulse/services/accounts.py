"""Creates and changes the accounts of the dashboard, with an audit entry for each change.

Once there is an enabled administrator, the last one can be neither disabled nor demoted. Passwords are stored
as Argon2id hashes (argon2-cffi with its defaults, the second recommended option of RFC 9106).
"""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine

from classpulse.errors import LocalizedError, UserError
from classpulse.services.reviews import resolve_reviewer
from classpulse.text import collapse_spaces
from db import accounts as stored
from db.accounts import Account, Role
from db.clock import now_utc
from db.errors import Conflict, NotFound
from db.unit_of_work import Store, UnitOfWork
from reports.text.i18n import N_

MIN_PASSWORD_LENGTH = 10
"""NIST SP 800-63B requires eight characters and no composition rules; ten, because students may guess."""

MAX_PASSWORD_LENGTH = 256
"""Limits the time for hashing."""

_HASH_SLOTS = threading.BoundedSemaphore(2)
"""A hash takes 64 MiB; many concurrent logins must not use up the memory of a recording."""

_HASHER = PasswordHasher()


@functools.cache
def _dummy_hash() -> str:
    """The hash that is verified for an unknown name, so that its answer takes as long as for a known one."""
    return _HASHER.hash("no account has this password")


def check_password_strength(password: str, name: str) -> None:
    """Raises LocalizedError for a password that is too short, too long, or too easy for the account
    ``name``."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise LocalizedError(
            N_("A password needs %(least)d characters or more; a few words are easy to remember."),
            least=MIN_PASSWORD_LENGTH,
        )
    if len(password) > MAX_PASSWORD_LENGTH:
        raise LocalizedError(N_("A password has at most %(most)d characters."), most=MAX_PASSWORD_LENGTH)
    if name.casefold() in password.casefold() or len(set(password)) < 4:
        raise LocalizedError(
            N_("This password is too easy to guess; take a few words that have nothing to do with you.")
        )


def hash_password(password: str) -> str:
    """The Argon2id hash that is stored instead of the password."""
    with _HASH_SLOTS:
        return _HASHER.hash(password)


def verify_password(stored_hash: str | None, password: str) -> bool:
    """Whether the password matches the stored hash; for None, False after the same time."""
    try:
        with _HASH_SLOTS:
            return _HASHER.verify(stored_hash or _dummy_hash(), password) and stored_hash is not None
    except (VerificationError, InvalidHashError):
        return False


MAX_NAME_LENGTH = 100
"""Characters of the name of an account or a class, as in ``class.name`` of ``config.yaml``."""

PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Characters of generated passwords, without look-alikes."""


def command_line_actor() -> str:
    """The user of the command line for the audit log: the name of this computer's user, if known."""
    try:
        return resolve_reviewer(None)
    except UserError:
        return "the command line"


def generate_password(name: str) -> str:
    """A random password that can be read out: 20 of 31 characters, 99 bits. It never contains ``name``, which
    ``check_password_strength`` would reject."""
    while True:
        password = "-".join("".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(5)) for _ in range(4))
        # A name of dashes and spaces alone is in every password.
        if name.strip(" -").casefold() not in password or not name.strip(" -"):
            return password


def clean_name(name: str) -> str:
    """The name of an account or a class as it is stored. Raises LocalizedError."""
    cleaned = collapse_spaces(name)
    if not cleaned:
        raise LocalizedError(N_("A name is missing."))
    if len(cleaned) > MAX_NAME_LENGTH:
        raise LocalizedError(N_("A name has at most %(most)d characters."), most=MAX_NAME_LENGTH)
    if not cleaned.isprintable():
        raise LocalizedError(N_("This name contains invisible characters."))
    return cleaned


def create_account(
    engine: Engine, actor: str, name: str, role: Role, classes: Collection[str], password: str
) -> Account:
    """Create an account. ``actor``: the account or user for the audit log. Raises LocalizedError if the name
    is taken or invalid, or the password is too weak."""
    name, classes = clean_name(name), _assigned_classes(role, classes)
    check_password_strength(password, name)
    with Store(engine).unit_of_work() as unit:
        try:
            number = stored.add_account(unit, name, role, hash_password(password), now_utc())
        except Conflict:
            raise LocalizedError(
                N_("There is an account with the name %(name)s already."), name=name
            ) from None
        stored.set_account_classes(unit, number, classes)
        _audit_account(unit, name, actor, f"new, {_describe_role(role, classes)}")
        unit.commit()
    return stored.get_account(engine, number)


def update_account(
    engine: Engine, actor: str, account: Account, role: Role, classes: Collection[str]
) -> None:
    """Set the role and, of a teacher, the classes of an account. Raises LocalizedError."""
    classes = _assigned_classes(role, classes)
    if role is account.role and classes == account.classes:
        return
    with _unit_keeping_administrator(engine) as unit:
        stored.set_account_values(unit, account.id, role=role.value)
        stored.set_account_classes(unit, account.id, classes)
        _audit_account(unit, account.name, actor, _describe_role(role, classes))


def disable_account(engine: Engine, actor: str, account: Account) -> None:
    """Disable an account and end its logins. Raises LocalizedError."""
    with _unit_keeping_administrator(engine) as unit:
        stored.set_account_values(unit, account.id, disabled=True)
        _audit_account(unit, account.name, actor, "disabled")


def enable_account(engine: Engine, actor: str, account: Account) -> None:
    """Enable a disabled account."""
    with Store(engine).unit_of_work() as unit:
        stored.set_account_values(unit, account.id, disabled=False)
        _audit_account(unit, account.name, actor, "enabled")
        unit.commit()


def set_account_password(engine: Engine, actor: str, account: Account, password: str) -> None:
    """Set a new password and end the logins of the account. Raises LocalizedError."""
    check_password_strength(password, account.name)
    with Store(engine).unit_of_work() as unit:
        stored.set_account_values(unit, account.id, password_hash=hash_password(password))
        _audit_account(unit, account.name, actor, "a new password")
        unit.commit()


def find_account(engine: Engine, name: str) -> Account:
    """The account with this name. Raises NotFound."""
    account_and_hash = stored.find_account_and_hash(engine, collapse_spaces(name))
    if account_and_hash is None:
        known = ", ".join(account.name for account in stored.list_accounts(engine))
        hint = f"Use one of: {known}." if known else "Add one with 'classpulse accounts add'."
        raise NotFound(f"There is no account {name!r}.", hint)
    return account_and_hash[0]


@contextmanager
def _unit_keeping_administrator(engine: Engine) -> Iterator[UnitOfWork]:
    """A transaction that is committed only if an enabled administrator remains."""
    with Store(engine).unit_of_work() as unit:
        before = stored.lock_administrators(unit)
        yield unit
        if before and not stored.lock_administrators(unit):
            raise LocalizedError(N_("This is the last administrator; make another one first."))
        unit.commit()


def _assigned_classes(role: Role, classes: Collection[str]) -> frozenset[str]:
    """The classes of a teacher; other roles see all classes and have none."""
    return frozenset(map(clean_name, classes)) if role is Role.TEACHER else frozenset()


def _describe_role(role: Role, classes: Collection[str]) -> str:
    return role.value + (f" of {', '.join(sorted(classes))}" if classes else "")


def _audit_account(unit: UnitOfWork, name: str, actor: str, detail: str) -> None:
    unit.add_audit_entry("account", f"account {name}", now_utc(), f"by {actor}: {detail}")
