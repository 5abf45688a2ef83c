"""Drivers' errors become ours: every code of the two tables, and a line for a person."""

from __future__ import annotations

import sqlite3

import pytest

from db import errors
from db.errors import POSTGRESQL_ERRORS, SQLITE_ERRORS, DatabaseError, translate_error


def sqlite_error(code: int | None, text: str = "database is locked") -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    if code is not None:
        error.sqlite_errorcode = code
    return error


class ServerError(Exception):
    """As psycopg has them."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("ERROR:  something\nLINE 1: SELECT")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_BUSY, errors.DatabaseLocked),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, errors.DatabaseLocked),
        (sqlite3.SQLITE_READONLY, errors.DatabaseNotWritable),
        (sqlite3.SQLITE_READONLY_DIRECTORY, errors.DatabaseNotWritable),
        (sqlite3.SQLITE_CANTOPEN, errors.DatabaseNotWritable),
        (sqlite3.SQLITE_FULL, errors.DatabaseFull),
        (sqlite3.SQLITE_IOERR_SHMSIZE, errors.DatabaseFull),
        (sqlite3.SQLITE_IOERR_READ, errors.DatabaseDamaged),
        (sqlite3.SQLITE_CORRUPT, errors.DatabaseDamaged),
        (sqlite3.SQLITE_NOTADB, errors.NotADatabase),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, errors.Conflict),
        (sqlite3.SQLITE_ERROR, DatabaseError),
        (None, errors.InvalidValue),
    ],
)
def test_sqlite(code, kind) -> None:
    assert type(translate_error(sqlite_error(code), "class.db")) is kind


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", errors.DatabaseFull),
        ("55P03", errors.DatabaseLocked),
        ("23505", errors.Conflict),
        ("25006", errors.DatabaseNotWritable),
        ("28P01", errors.DatabaseUnavailable),
        ("42601", DatabaseError),
        (None, errors.DatabaseUnavailable),
    ],
)
def test_postgresql(state, kind) -> None:
    error = translate_error(ServerError(state), "school")
    assert type(error) is kind
    assert "\n" not in str(error)


def test_the_line_says_what_and_where_and_what_to_do() -> None:
    assert str(translate_error(sqlite_error(sqlite3.SQLITE_BUSY), "class.db")) == (
        "the database class.db is locked by another program; close what else has it open "
        "(a backup, a viewer) and try again (database is locked)"
    )


@pytest.mark.parametrize("table", [SQLITE_ERRORS, POSTGRESQL_ERRORS], ids=["sqlite", "postgresql"])
def test_the_tables_cannot_be_changed(table) -> None:
    with pytest.raises(TypeError):
        table["new"] = (DatabaseError, "x")
