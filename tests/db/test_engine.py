"""Opening: fresh, again, from several processes, and everything that may not be opened."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, StaticPool, make_url

import db.engine
from db import queries
from db.engine import open_database, place
from db.errors import (
    BadUrl,
    DatabaseError,
    DatabaseLocked,
    DatabaseMissing,
    DatabaseNewer,
    DatabaseNotWritable,
    InvalidValue,
    NotADatabase,
)
from db.schema import HEAD
from db.store import Store

ROOT = Path(db.engine.__file__).resolve().parents[1]

OPEN_AT_ONCE = """
import sys
from db import queries
from db.engine import open_database
import db.revision
print("ready", flush=True)
sys.stdin.readline()
engine = open_database(sys.argv[1])
print(len(queries.sessions(engine)), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "class.db"


@pytest.fixture
def closing() -> Iterator[Callable[..., Engine]]:
    """``open_database``, with its engines disposed of in the end."""
    with contextlib.ExitStack() as stack:

        def open_it(*arguments, **options) -> Engine:
            engine = open_database(*arguments, **options)
            stack.callback(engine.dispose)
            return engine

        yield open_it


def revision_of(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def run_sql(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def refusal(kind: type[DatabaseError], url: str, **options) -> str:
    """The error's text, which is one line and tells of no SQLAlchemy."""
    with pytest.raises(kind) as caught:
        open_database(url, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert "sqlalche" not in line
    return line


def test_a_fresh_file_is_made_with_its_folders(tmp_path, closing) -> None:
    path = tmp_path / "new" / "100% & more" / "class.db"
    engine = closing(f"sqlite:///{path}")
    assert revision_of(path) == HEAD
    assert queries.sessions(engine) == []


def test_a_relative_path_is_taken_from_the_current_folder(tmp_path, closing) -> None:
    closing("sqlite:///here.db")  # the sandbox made tmp_path the current folder
    assert (tmp_path / "here.db").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_nobody_else_may_read_a_fresh_file(path, closing, new_session) -> None:
    store = Store(closing(f"sqlite:///{path}"))
    with store.unit() as unit:
        unit.start_session(new_session())
        unit.commit()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("class.db*")}
    assert modes == {"class.db": 0o600, "class.db-wal": 0o600, "class.db-shm": 0o600}


def test_the_settings_of_a_connection(path, closing) -> None:
    engine = closing(f"sqlite:///{path}", busy_timeout_s=0.25)
    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "foreign_keys") == 1
    assert pragma(engine, "synchronous") == 1  # NORMAL
    assert pragma(engine, "busy_timeout") == 250
    with engine.connect() as connection:  # the driver begins nothing by itself
        assert connection.connection.driver_connection.isolation_level is None


def test_synchronous_can_be_full(path, closing) -> None:
    assert pragma(closing(f"sqlite:///{path}", synchronous="FULL"), "synchronous") == 2


def test_every_connection_of_the_pool_is_set_up(path, closing) -> None:
    engine = closing(f"sqlite:///{path}")
    with engine.connect(), engine.connect(), engine.connect() as third:
        assert third.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_in_memory(closing, new_session) -> None:
    engine = closing("sqlite://")
    assert isinstance(engine.pool, StaticPool)
    store = Store(engine)
    with store.unit() as unit:
        unit.start_session(new_session())
    assert queries.sessions(engine) == []
    with store.unit() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.sessions(engine)) == 1
    assert queries.sessions(closing("sqlite://")) == []


def test_opening_again_keeps_what_is_there(path, closing, new_session) -> None:
    store = Store(closing(f"sqlite:///{path}"))
    with store.unit() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.sessions(closing(f"sqlite:///{path}", create=False))) == 1


def test_an_up_to_date_file_is_opened_without_alembic(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    code = f"import sys; from db.engine import open_database; open_database({f'sqlite:///{path}'!r})"
    code += "; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_an_empty_file_is_a_fresh_database(path, closing) -> None:
    path.touch()
    assert queries.sessions(closing(f"sqlite:///{path}")) == []


def test_a_reader_does_not_wait_for_a_writer(path, closing, new_session) -> None:
    engine = closing(f"sqlite:///{path}", busy_timeout_s=0.0)
    with Store(engine).unit() as unit:
        unit.start_session(new_session())
        assert queries.sessions(engine) == []
        unit.commit()
        assert len(queries.sessions(engine)) == 1


def test_processes_that_open_a_fresh_database_at_once_all_succeed(path) -> None:
    command = [sys.executable, "-c", OPEN_AT_ONCE, f"sqlite:///{path}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    children = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(2)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    results = [child.communicate(timeout=60) for child in children]
    assert results == [("0\n", "")] * 2
    assert revision_of(path) == HEAD


def test_a_migration_that_fails_leaves_nothing_behind(path, monkeypatch) -> None:
    def half_way(connection) -> None:
        connection.exec_driver_sql("CREATE TABLE class_sessions (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    monkeypatch.setattr("db.revision.upgrade", half_way)
    with pytest.raises(DatabaseError, match="no such table"):
        open_database(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []


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
    line = refusal(BadUrl, url)
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
    line = refusal(DatabaseNewer, f"sqlite:///{path}")
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


def test_a_unit_waits_for_the_lock_and_then_gives_up(path, closing, new_session) -> None:
    store = Store(closing(f"sqlite:///{path}", busy_timeout_s=0.05))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseLocked), store.unit():
            pass
        other.execute("ROLLBACK")
    with store.unit() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.sessions(store.engine)) == 1


def test_errors_that_are_not_the_database_s_pass_through(closing) -> None:
    engine = closing("sqlite://")
    with engine.connect() as connection, pytest.raises(DatabaseError, match="is a fault of Classpulse"):
        connection.exec_driver_sql("SELEKT 1")
    with engine.connect() as connection, pytest.raises(InvalidValue):
        connection.exec_driver_sql("SELECT ?", (object(),))
    with engine.connect() as connection, pytest.raises(InvalidValue, match="too large"):
        connection.exec_driver_sql("SELECT ?", (2**70,))


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///a/b.db", "a/b.db"),
        ("postgresql+psycopg://teacher:secret@school/class", "postgresql+psycopg://teacher:***@school/class"),
    ],
)
def test_a_message_names_the_place_without_the_password(url, named) -> None:
    assert place(make_url(url)) == named


@pytest.mark.skipif(os.name == "nt", reason="SQLite's unix-none stands for a disk without shared memory")
def test_a_disk_that_cannot_do_wal_is_used_without_it(path, closing, caplog) -> None:
    engine = closing(f"sqlite:///file:{path}?vfs=unix-none&uri=true")
    assert pragma(engine, "journal_mode") == "delete"
    assert queries.sessions(engine) == []
    assert "cannot use WAL there" in caplog.text
