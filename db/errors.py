"""The errors of the database, each with a problem and a hint.

``translate_error`` turns errors of SQLAlchemy and the drivers into these; ``db.engine`` calls it in one
hook, so that no other error leaves ``db``.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy.exc import DontWrapMixin

from model.errors import ProblemError


class DatabaseError(ProblemError):
    """The base of all errors of this package."""


class InvalidDatabaseUrl(DatabaseError):
    """The database URL cannot be used."""


class DatabaseMissing(DatabaseError):
    """The database does not exist and was not to be created."""


class DatabaseUnavailable(DatabaseError):
    """The database could not be opened or reached."""


class DatabaseNotWritable(DatabaseError):
    """The file, or the folder that holds it, cannot be written."""


class DatabaseLocked(DatabaseError):
    """Another program held the lock for longer than the busy timeout."""


class SchemaTooNew(DatabaseError):
    """A newer Classpulse wrote the database; there is no downgrade."""


class NotADatabase(DatabaseError):
    """The file is something else, or another program's database."""


class DatabaseFull(DatabaseError):
    """No space was left for a write; everything committed before is kept."""


class DatabaseDamaged(DatabaseError):
    """The file is damaged, or the disk fails to read or write it."""


class Conflict(DatabaseError):
    """The schema or the state of a session rejects a write: a duplicate, a missing parent, a value out of
    range."""


class InvalidValue(DatabaseError, DontWrapMixin):
    """A value cannot be stored: a naive time, something that is not JSON."""


class NotFound(DatabaseError):
    """Nothing with that name or number is stored.

    ``kind`` is what was looked up ("session", "student", "class", "room", "account", "flag", "correction"),
    ``key`` its name or number, "" if the lookup had no key; ``nearest`` are the closest matches, best first.
    """

    def __init__(
        self,
        problem: str,
        hint: str = "",
        *,
        kind: str = "",
        key: str | int = "",
        nearest: Iterable[str | int] = (),
    ) -> None:
        super().__init__(problem, hint)
        self.kind = kind
        self.key = key
        self.nearest = tuple(nearest)


def unknown_key(
    kind: str, key: str | int, nearest: Sequence[str | int] = (), hint: str = "", scope: str = ""
) -> NotFound:
    """The error for a name or number that is not stored. Without ``hint``, the hint lists ``nearest`` (best
    first); ``scope`` names the searched part of the database (" in class '7b'")."""
    problem = f"There is no {kind} {key!r}{scope}."
    if nearest and not hint:
        hint = f"The closest are {', '.join(map(str, nearest))}."
    return NotFound(problem, hint, kind=kind, key=key, nearest=nearest)


class _Translation(NamedTuple):
    """How a driver's error code is translated. ``problem`` completes "The database X ..."; "{detail}" in it
    stands for the driver's own message."""

    kind: type[DatabaseError]
    problem: str
    hint: str = ""


_NOT_WRITABLE = _Translation(
    DatabaseNotWritable,
    "cannot be written.",
    "Give its folder and files write permission, or set another path in database.url.",
)
_LOCKED = _Translation(
    DatabaseLocked,
    "is locked by another program.",
    "Close what else has it open (a backup, a viewer) and try again.",
)
_FULL = _Translation(
    DatabaseFull,
    "has no space left on its disk. What was written before is kept.",
    "Free some space.",
)
_UNAVAILABLE = _Translation(
    DatabaseUnavailable,
    "could not be opened: {detail}.",
    "Check the path or the server in database.url.",
)
_NOT_A_DATABASE = _Translation(NotADatabase, "is not a database.", "Set another file in database.url.")
_DAMAGED = _Translation(
    DatabaseDamaged, "is damaged, or its disk fails: {detail}.", "Restore it from a backup."
)
_CONFLICT = _Translation(Conflict, "rejected a row: {detail}.")
_INVALID = _Translation(
    InvalidValue, "cannot store a value: {detail}.", "Pass Python numbers, strings and times."
)
_OTHER = _Translation(DatabaseError, "failed: {detail}.", "This is a bug in Classpulse. Please report it.")

SQLITE_ERRORS = MappingProxyType(
    {
        sqlite3.SQLITE_PERM: _NOT_WRITABLE,
        sqlite3.SQLITE_BUSY: _LOCKED,
        sqlite3.SQLITE_LOCKED: _LOCKED,
        sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
        sqlite3.SQLITE_IOERR: _DAMAGED,
        sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,  # a full disk, when the WAL index has to grow
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
        sqlite3.SQLITE_FULL: _FULL,
        sqlite3.SQLITE_CANTOPEN: _NOT_WRITABLE,  # missing files and folders are detected before
        sqlite3.SQLITE_CONSTRAINT: _CONFLICT,
        sqlite3.SQLITE_NOTADB: _NOT_A_DATABASE,
    }
)
"""SQLite's result codes (https://sqlite.org/rescode.html). An extended code that is not listed counts as the
primary code in its low byte."""

POSTGRESQL_ERRORS = MappingProxyType(
    {
        "08": _UNAVAILABLE,
        "23": _CONFLICT,
        "25006": _NOT_WRITABLE,
        "28": _UNAVAILABLE,
        "3D": _UNAVAILABLE,
        "40001": _LOCKED,
        "40P01": _LOCKED,
        "42501": _NOT_WRITABLE,
        "53100": _FULL,
        "55P03": _LOCKED,
        "57": _UNAVAILABLE,
        "58": _DAMAGED,
        "XX": _DAMAGED,
    }
)
"""PostgreSQL's SQLSTATE codes, or their two-character classes (PostgreSQL manual, appendix A)."""


def _classify(error: BaseException) -> _Translation:
    if isinstance(error, sqlite3.Error):
        # Without a code the driver itself rejects a value, for instance a NumPy integer.
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return _INVALID
        return SQLITE_ERRORS.get(code) or SQLITE_ERRORS.get(code & 0xFF, _OTHER)
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "08"
    return POSTGRESQL_ERRORS.get(state) or POSTGRESQL_ERRORS.get(state[:2]) or _OTHER


def translate_error(error: BaseException, location: str) -> DatabaseError:
    """The ``DatabaseError`` for a driver's error. ``location`` is the file, or the server without its
    password."""
    translation = _classify(error)
    detail = re.sub(r"\s+", " ", str(error)).strip().rstrip(".")
    problem = translation.problem.replace("{detail}", detail)
    return translation.kind(f"The database {location} {problem}", translation.hint)
