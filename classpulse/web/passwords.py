"""Passwords: hashed by Argon2id (argon2-cffi, with its defaults: RFC 9106's second choice), never stored."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LENGTH = 10
"""Characters. NIST SP 800-63B asks for eight or more and no rules about their kinds; ten, because pupils
try."""

MOST_LENGTH = 256
"""A longer one would only cost time."""

_HASHER = PasswordHasher()
_NOBODYS = _HASHER.hash("nobody has this password")
"""Checked where a name does not exist, so that it takes as long as one that does."""


def weakness(password: str, name: str) -> str:
    """Why a password cannot be taken; empty where it can."""
    if len(password) < LEAST_LENGTH:
        return f"a password needs {LEAST_LENGTH} characters or more; a few words are easy to remember"
    if len(password) > MOST_LENGTH:
        return f"a password has at most {MOST_LENGTH} characters"
    if name.casefold() in password.casefold() or len(set(password)) < 4:
        return "this password is too easy to guess; take a few words that have nothing to do with you"
    return ""


def hashed(password: str) -> str:
    """What is stored instead."""
    return _HASHER.hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Whether a password is the one whose hash is stored; with None, False after the same time."""
    try:
        return _HASHER.verify(stored or _NOBODYS, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
