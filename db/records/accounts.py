"""Accounts of dashboard users and their login sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """A user's role. A teacher sees own classes; a counsellor sees and reviews the flags of all classes; an
    administrator may do everything, including managing accounts."""

    TEACHER = "teacher"
    COUNSELLOR = "counsellor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Account:
    """A user account. ``classes`` are the names of a teacher's classes. A disabled account cannot log in but
    is kept, because reviews and the audit log name it."""

    id: int
    name: str
    role: Role
    classes: frozenset[str]
    disabled: bool
    created_at: datetime


@dataclass(frozen=True)
class Login:
    """A login session of a browser, identified by the hash of its token."""

    token_hash: str
    created_at: datetime
    last_used_at: datetime
