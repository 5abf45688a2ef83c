"""Everything that ``db.engine`` may not open, each with its line."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import open_database
from db.errors import (
    DatabaseError,
    DatabaseLocked,
    DatabaseMissing,
    DatabaseNotWritable,
    InvalidDatabaseUrl,
    NotADatabase,
    SchemaTooNew,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "class.db"


def revision_of(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def run_sql(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def refusal(kind: type[DatabaseError], url: str, **options) -> str:
    """The error's text, which is one line and tells of no SQLAlchemy."""
    with pytest.raises(kind) as caught:
        open_database(url, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert "sqlalche" not in line
    return line


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("not a url", "'not a url' is not understood"),
        ("", "'' is not understood"),
        ("mysql://root@localhost/class", "'mysql' is not supported"),
        ("sqlite+nodriver:///class.db", "no driver for sqlite+nodriver is installed"),
    ],
)
def test_a_wrong_url(url, words) -> None:
    line = refusal(InvalidDatabaseUrl, url)
    assert words in line
    assert "expected sqlite:///classpulse.db or postgresql+psycopg://" in line


def test_a_missing_file_is_not_made_unasked(path) -> None:
    assert f"there is no database at {path}" in refusal(DatabaseMissing, f"sqlite:///{path}", create=False)
    assert not path.exists()


@pytest.mark.parametrize(
    "content", [b"Dear diary, today we had maths.\n" * 50, b"\x00\x00\x00\x18ftypmp42" + b"\0" * 2000]
)
def test_a_file_that_is_no_database(path, content) -> None:
    path.write_bytes(content)
    assert f"{path} is not a database" in refusal(NotADatabase, f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_folder_is_no_database(tmp_path) -> None:
    assert "is a folder; name a file in it" in refusal(NotADatabase, f"sqlite:///{tmp_path}")


def test_another_program_s_database_is_left_alone(path) -> None:
    run_sql(path, "CREATE TABLE bookmarks (url TEXT)", "INSERT INTO bookmarks VALUES ('x')")
    before = path.read_bytes()
    assert "belongs to another program (its tables: bookmarks)" in refusal(NotADatabase, f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_another_program_s_alembic_is_not_ours(path) -> None:
    run_sql(path, "CREATE TABLE alembic_version (version_num TEXT)", "CREATE TABLE bookmarks (url TEXT)")
    assert "belongs to another program" in refusal(NotADatabase, f"sqlite:///{path}")


def test_a_newer_schema_is_refused_and_left_alone(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    run_sql(path, "UPDATE alembic_version SET version_num = '0999'")
    line = refusal(SchemaTooNew, f"sqlite:///{path}")
    assert "written by a newer Classpulse (schema 0999, this one knows" in line
    assert revision_of(path) == "0999"


def test_a_read_only_database(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    line = refusal(DatabaseNotWritable, f"sqlite:///file:{path}?mode=ro&uri=true")
    assert "cannot be written; give its folder and files write permission" in line


def test_a_folder_that_cannot_be_made(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    line = refusal(DatabaseNotWritable, f"sqlite:///{tmp_path}/notes.txt/sub/class.db")
    assert "cannot be made (" in line


@pytest.fixture
def locked_away(empty_file: Path) -> Iterator[Path]:
    """A folder for a person without rights, who the test becomes if it runs as root."""
    if os.name == "nt":
        pytest.skip("Windows has no permission bits")
    folder = Path(tempfile.mkdtemp())  # not tmp_path, which is closed to others further up
    folder.chmod(0o755)
    shutil.copy(empty_file, folder / "class.db")
    (folder / "class.db").chmod(0o444)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    else:
        folder.chmod(0o555)
    yield folder
    if was_root:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_file_without_write_permission(locked_away) -> None:
    assert "cannot be written" in refusal(DatabaseNotWritable, f"sqlite:///{locked_away}/class.db")


def test_a_folder_without_write_permission(locked_away) -> None:
    assert "cannot be made (Permission denied)" in refusal(
        DatabaseNotWritable, f"sqlite:///{locked_away}/new.db"
    )
    assert "cannot be made (Permission denied)" in refusal(
        DatabaseNotWritable, f"sqlite:///{locked_away}/new/class.db"
    )


def test_a_locked_database_is_given_up_on(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "is locked by another program" in refusal(
            DatabaseLocked, f"sqlite:///{path}", busy_timeout_s=0.05
        )


def test_a_fresh_database_that_is_locked_is_given_up_on(path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refusal(DatabaseLocked, f"sqlite:///{path}", busy_timeout_s=0.05)
