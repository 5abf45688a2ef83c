"""Accounts are made and changed here, for the dashboard and for the command line, and the audit says by whom.

There is always an administrator who can log in, once there was one.

Passwords: hashed by Argon2id (argon2-cffi, with its defaults: RFC 9106's second choice), never stored.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine

from classpulse.errors import LocalizedError, UserError
from classpulse.services.reviews import resolve_reviewer
from db import accounts as stored
from db.accounts import Account, Role
from db.clock import now_utc
from db.errors import Conflict, NotFound
from db.unit_of_work import Store, UnitOfWork
from reports.text.i18n import N_

MIN_PASSWORD_LENGTH = 10
"""Characters. NIST SP 800-63B asks for eight or more and no rules about their kinds; ten, because pupils
try."""

MAX_PASSWORD_LENGTH = 256
"""A longer one would only cost time."""

_HASH_SLOTS = threading.BoundedSemaphore(2)
"""Each hash takes 64 MiB; a crowd of visitors must not fill the memory that a recording needs."""

_HASHER = PasswordHasher()
_DUMMY_HASH = _HASHER.hash("nobody has this password")
"""Checked where a name does not exist, so that it takes as long as one that does."""


def check_password_strength(password: str, name: str) -> None:
    """Raises Refusal for a password that the account of that name cannot have."""
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
    """What is stored instead."""
    with _HASH_SLOTS:
        return _HASHER.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether a password is the one whose hash is stored; with None, False after the same time."""
    try:
        with _HASH_SLOTS:
            return _HASHER.verify(stored or _DUMMY_HASH, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


MAX_NAME_LENGTH = 100
"""Characters of the name of a person or a class, as in ``class.name`` of ``config.yaml``."""

PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of a password that is made: none that looks like another."""


def command_line_actor() -> str:
    """Who uses the command line, for the audit: this computer's user, if that has a name."""
    try:
        return resolve_reviewer(None)
    except UserError:
        return "the command line"


def generate_password(name: str) -> str:
    """One that can be read out and typed: twenty of 31 letters, 99 bits. The name of whom it is for does not
    stand in it by chance, for then it would be refused."""
    while True:
        made = "-".join("".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(5)) for _ in range(4))
        # A dash always does, and nothing: that is no name that this could mend.
        if name.strip(" -").casefold() not in made or not name.strip(" -"):
            return made


def clean_name(name: str) -> str:
    """A name of a person or a class as it is stored. Raises Refusal."""
    cleaned = " ".join(name.split())
    if not cleaned:
        raise LocalizedError(N_("A name is missing."))
    if len(cleaned) > MAX_NAME_LENGTH:
        raise LocalizedError(N_("A name has at most %(most)d characters."), most=MAX_NAME_LENGTH)
    if not cleaned.isprintable():
        raise LocalizedError(N_("This name has characters in it that nobody can see."))
    return cleaned


def create_account(
    engine: Engine, actor: str, name: str, role: Role, classes: Collection[str], password: str
) -> Account:
    """Make an account; ``actor`` is who does it. Raises Refusal where the name is taken or no name, or the
    password is too easy."""
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
    """Give an account another role and, to a teacher, classes. Raises Refusal."""
    classes = _assigned_classes(role, classes)
    if role is account.role and classes == account.classes:
        return
    with _unit_keeping_administrator(engine) as unit:
        stored.set_account_values(unit, account.id, role=role.value)
        stored.set_account_classes(unit, account.id, classes)
        _audit_account(unit, account.name, actor, _describe_role(role, classes))


def disable_account(engine: Engine, actor: str, account: Account) -> None:
    """Let somebody log in no more, from now on. Raises Refusal."""
    with _unit_keeping_administrator(engine) as unit:
        stored.set_account_values(unit, account.id, disabled=True)
        _audit_account(unit, account.name, actor, "disabled")


def enable_account(engine: Engine, actor: str, account: Account) -> None:
    """Let somebody log in again."""
    with Store(engine).unit_of_work() as unit:
        stored.set_account_values(unit, account.id, disabled=False)
        _audit_account(unit, account.name, actor, "enabled")
        unit.commit()


def set_account_password(engine: Engine, actor: str, account: Account, password: str) -> None:
    """Give an account another password; whoever is logged in with it has to log in anew. Raises Refusal."""
    check_password_strength(password, account.name)
    with Store(engine).unit_of_work() as unit:
        stored.set_account_values(unit, account.id, password_hash=hash_password(password))
        _audit_account(unit, account.name, actor, "a new password")
        unit.commit()


def find_account(engine: Engine, name: str) -> Account:
    """The account of that name. Raises NotFound."""
    found = stored.find_account_and_hash(engine, " ".join(name.split()))
    if found is None:
        known = ", ".join(one.name for one in stored.list_accounts(engine)) or "none"
        raise NotFound(f"there is no account {name!r}; there are: {known}")
    return found[0]


@contextmanager
def _unit_keeping_administrator(engine: Engine) -> Iterator[UnitOfWork]:
    """A transaction that is kept only if somebody can still administer."""
    with Store(engine).unit_of_work() as unit:
        before = stored.lock_administrators(unit)
        yield unit
        if before and not stored.lock_administrators(unit):
            raise LocalizedError(N_("This is the last administrator; make another one first."))
        unit.commit()


def _assigned_classes(role: Role, classes: Collection[str]) -> frozenset[str]:
    """Those of a teacher; the others see all."""
    return frozenset(map(clean_name, classes)) if role is Role.TEACHER else frozenset()


def _describe_role(role: Role, classes: Collection[str]) -> str:
    return role.value + (f" of {', '.join(sorted(classes))}" if classes else "")


def _audit_account(unit: UnitOfWork, name: str, actor: str, detail: str) -> None:
    unit.add_audit_entry("account", f"account {name}", now_utc(), f"by {actor}: {detail}")
