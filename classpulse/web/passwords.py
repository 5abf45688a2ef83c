"""Passwords: hashed by Argon2id (argon2-cffi, with its defaults: RFC 9106's second choice), never stored."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from classpulse.refusal import N_, Refusal

LEAST_LENGTH = 10
"""Characters. NIST SP 800-63B asks for eight or more and no rules about their kinds; ten, because pupils
try."""

MOST_LENGTH = 256
"""A longer one would only cost time."""

_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes 64 MiB; a crowd of visitors must not fill the memory that a recording needs."""

_HASHER = PasswordHasher()
_NOBODYS = _HASHER.hash("nobody has this password")
"""Checked where a name does not exist, so that it takes as long as one that does."""


def check(password: str, name: str) -> None:
    """Raises Refusal for a password that the account of that name cannot have."""
    if len(password) < LEAST_LENGTH:
        raise Refusal(
            N_("A password needs %(least)d characters or more; a few words are easy to remember."),
            least=LEAST_LENGTH,
        )
    if len(password) > MOST_LENGTH:
        raise Refusal(N_("A password has at most %(most)d characters."), most=MOST_LENGTH)
    if name.casefold() in password.casefold() or len(set(password)) < 4:
        raise Refusal(
            N_("This password is too easy to guess; take a few words that have nothing to do with you.")
        )


def hashed(password: str) -> str:
    """What is stored instead."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Whether a password is the one whose hash is stored; with None, False after the same time."""
    try:
        with _AT_ONCE:
            return _HASHER.verify(stored or _NOBODYS, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
