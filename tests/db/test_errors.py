"""Translation of driver errors."""

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
    """An error with the attributes of psycopg's."""

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
def test_translate_error_sqlite_code(code, kind) -> None:
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
def test_translate_error_postgresql_state(state, kind) -> None:
    error = translate_error(ServerError(state), "school")
    assert type(error) is kind
    assert "\n" not in str(error)


def test_translate_error_has_problem_and_hint() -> None:
    error = translate_error(sqlite_error(sqlite3.SQLITE_BUSY), "class.db")
    assert error.problem == "The database class.db is locked by another program."
    assert error.hint == "Close what else has it open (a backup, a viewer) and try again."


def test_translate_error_of_a_rejected_row_includes_the_detail() -> None:
    error = translate_error(
        sqlite_error(sqlite3.SQLITE_CONSTRAINT, "UNIQUE constraint\nfailed: a.b"), "class.db"
    )
    assert error.problem == "The database class.db rejected a row: UNIQUE constraint failed: a.b."


def test_unknown_key_has_kind_key_and_nearest() -> None:
    error = errors.unknown_key("student", "Mai", ["Mia", "Max"], scope=" in class '7b'")
    assert (error.kind, error.key, error.nearest) == ("student", "Mai", ("Mia", "Max"))
    assert error.problem == "There is no student 'Mai' in class '7b'."
    assert error.hint == "The closest are Mia, Max."
    assert errors.unknown_key("session", 9).hint == ""


@pytest.mark.parametrize("table", [SQLITE_ERRORS, POSTGRESQL_ERRORS], ids=["sqlite", "postgresql"])
def test_code_tables_are_read_only(table) -> None:
    with pytest.raises(TypeError):
        table["new"] = (DatabaseError, "x")
