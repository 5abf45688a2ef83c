"""Databases that ``open_database`` rejects, each with its error."""

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


def open_error(kind: type[DatabaseError], url: str, **options) -> DatabaseError:
    """The error of ``open_database``. It is exactly of that class, has a hint, and names no library."""
    with pytest.raises(kind) as caught:
        open_database(url, **options)
    error = caught.value
    assert type(error) is kind
    assert error.hint
    assert "\n" not in str(error)
    assert "sqlalche" not in str(error)
    return error


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("not a url", "'not a url'"),
        ("", "''"),
        ("mysql://root@localhost/class", "'mysql'"),
        ("sqlite+nodriver:///class.db", "sqlite+nodriver"),
    ],
)
def test_open_invalid_url(url, named) -> None:
    error = open_error(InvalidDatabaseUrl, url)
    assert named in error.problem
    assert "sqlite:///classpulse.db" in error.hint


def test_open_missing_file_without_create(path) -> None:
    assert str(path) in open_error(DatabaseMissing, f"sqlite:///{path}", create=False).problem
    assert not path.exists()


@pytest.mark.parametrize(
    "content", [b"Dear diary, today we had maths.\n" * 50, b"\x00\x00\x00\x18ftypmp42" + b"\0" * 2000]
)
def test_open_file_of_another_kind(path, content) -> None:
    path.write_bytes(content)
    assert str(path) in open_error(NotADatabase, f"sqlite:///{path}").problem
    assert path.read_bytes() == content


def test_open_folder(tmp_path) -> None:
    assert "folder" in open_error(NotADatabase, f"sqlite:///{tmp_path}").problem


def test_open_database_of_another_program_leaves_it_unchanged(path) -> None:
    run_sql(path, "CREATE TABLE bookmarks (url TEXT)", "INSERT INTO bookmarks VALUES ('x')")
    before = path.read_bytes()
    assert "bookmarks" in open_error(NotADatabase, f"sqlite:///{path}").problem
    assert path.read_bytes() == before


def test_open_database_of_another_program_with_alembic(path) -> None:
    run_sql(path, "CREATE TABLE alembic_version (version_num TEXT)", "CREATE TABLE bookmarks (url TEXT)")
    assert "bookmarks" in open_error(NotADatabase, f"sqlite:///{path}").problem


def test_open_newer_schema_leaves_it_unchanged(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    run_sql(path, "UPDATE alembic_version SET version_num = '0999'")
    assert "0999" in open_error(SchemaTooNew, f"sqlite:///{path}").problem
    assert revision_of(path) == "0999"


def test_open_read_only_database(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    assert str(path) in open_error(DatabaseNotWritable, f"sqlite:///file:{path}?mode=ro&uri=true").problem


def test_open_below_a_file_raises_not_writable(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    open_error(DatabaseNotWritable, f"sqlite:///{tmp_path}/notes.txt/sub/class.db")


@pytest.fixture
def read_only_folder(empty_file: Path) -> Iterator[Path]:
    """A read-only folder with a database. A test that runs as root becomes an unprivileged user."""
    if os.name == "nt":
        pytest.skip("Windows has no permission bits")
    folder = Path(tempfile.mkdtemp())  # not tmp_path, whose parent folders other users may not enter
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


def test_open_file_without_write_permission(read_only_folder) -> None:
    open_error(DatabaseNotWritable, f"sqlite:///{read_only_folder}/class.db")


def test_open_in_folder_without_write_permission_raises_not_writable(read_only_folder) -> None:
    for name in ("new.db", "new/class.db"):
        error = open_error(DatabaseNotWritable, f"sqlite:///{read_only_folder}/{name}")
        assert "Permission denied" in error.problem


def test_open_locked_database(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        open_error(DatabaseLocked, f"sqlite:///{path}", busy_timeout_s=0.05)


def test_open_locked_new_database(path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        open_error(DatabaseLocked, f"sqlite:///{path}", busy_timeout_s=0.05)
