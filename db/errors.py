"""What can go wrong with the database, one line each: what, what was expected, what to do.

Errors of SQLAlchemy and of the drivers are translated by one hook (``db.engine``) with ``translate_error``
and do not leave ``db``.
"""

from __future__ import annotations

import re
import sqlite3
from types import MappingProxyType

from sqlalchemy.exc import DontWrapMixin

from model.errors import ProblemError


class DatabaseError(ProblemError):
    """The base of all: what a caller catches. ``str(error)`` is one line for a person."""


class InvalidDatabaseUrl(DatabaseError):
    """The database URL cannot be used."""


class DatabaseMissing(DatabaseError):
    """There is no database there and none was to be made."""


class DatabaseUnavailable(DatabaseError):
    """It could not be opened or reached."""


class DatabaseNotWritable(DatabaseError):
    """The file, or the folder that holds it, cannot be written."""


class DatabaseLocked(DatabaseError):
    """Another program held the database for longer than the busy timeout."""


class SchemaTooNew(DatabaseError):
    """A newer Classpulse wrote it; there is no downgrade."""


class NotADatabase(DatabaseError):
    """The file is something else, or another program's database."""


class DatabaseFull(DatabaseError):
    """No room was left for a write; everything committed before is kept."""


class DatabaseDamaged(DatabaseError):
    """The file is damaged, or the disk fails to read or write it."""


class Conflict(DatabaseError):
    """A rule of the schema refuses the row: a duplicate, a missing parent, a value out of range."""


class InvalidValue(DatabaseError, DontWrapMixin):
    """A value that cannot be stored as it is: a naive time, something that is not JSON."""


class NotFound(DatabaseError):
    """Nothing of that name or number is stored; the line names the nearest choices."""


_Entry = tuple[type[DatabaseError], str]

_NOT_WRITABLE: _Entry = (
    DatabaseNotWritable,
    "cannot be written; give its folder and files write permission or name another place in database.url",
)
_LOCKED: _Entry = (
    DatabaseLocked,
    "is locked by another program; close what else has it open (a backup, a viewer) and try again",
)
_FULL: _Entry = (
    DatabaseFull,
    "has no room left on its disk; what was written before is kept; free some space",
)
_UNAVAILABLE: _Entry = (
    DatabaseUnavailable,
    "could not be opened; check the path or the server in database.url",
)
_NOT_A_DATABASE: _Entry = (NotADatabase, "is not a database; name another file in database.url")
_DAMAGED: _Entry = (DatabaseDamaged, "is damaged or its disk fails; restore it from a backup")
_CONFLICT: _Entry = (Conflict, "refused a row")
_INVALID: _Entry = (InvalidValue, "cannot store a value; plain Python numbers, texts and times are expected")
_OTHER: _Entry = (DatabaseError, "failed; this is a fault of Classpulse, please report it")

SQLITE_ERRORS = MappingProxyType(
    {
        sqlite3.SQLITE_PERM: _NOT_WRITABLE,
        sqlite3.SQLITE_BUSY: _LOCKED,
        sqlite3.SQLITE_LOCKED: _LOCKED,
        sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
        sqlite3.SQLITE_IOERR: _DAMAGED,
        sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,  # what a full disk gives when the WAL index is to grow
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
        sqlite3.SQLITE_FULL: _FULL,
        sqlite3.SQLITE_CANTOPEN: _NOT_WRITABLE,  # missing files and folders are told apart before
        sqlite3.SQLITE_CONSTRAINT: _CONFLICT,
        sqlite3.SQLITE_NOTADB: _NOT_A_DATABASE,
    }
)
"""SQLite's result codes (https://sqlite.org/rescode.html). An extended code that is not listed counts
as the primary code in its low byte."""

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
"""PostgreSQL's SQLSTATE codes, or their two-letter classes (its manual, appendix A)."""


def _classify(error: BaseException) -> _Entry:
    if isinstance(error, sqlite3.Error):
        # Without a code it is the driver that refuses, for instance to bind a NumPy integer.
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return _INVALID
        return SQLITE_ERRORS.get(code) or SQLITE_ERRORS.get(code & 0xFF, _OTHER)
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "08"
    return POSTGRESQL_ERRORS.get(state) or POSTGRESQL_ERRORS.get(state[:2]) or _OTHER


def translate_error(error: BaseException, location: str) -> DatabaseError:
    """A driver's error as one of ours; ``location`` is the file or the server, without its password."""
    kind, text = _classify(error)
    detail = re.sub(r"\s+", " ", str(error)).strip()
    return kind(f"the database {location} {text} ({detail})")
