"""Opening: fresh, again, from several processes at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, StaticPool, make_url

import db.engine
from db import sessions as queries
from db.engine import describe_url, open_database
from db.errors import DatabaseError, DatabaseLocked, InvalidValue
from db.schema import HEAD_REVISION
from db.unit_of_work import Store

ROOT = Path(db.engine.__file__).resolve().parents[1]

OPEN_AT_ONCE = """
import sys
from db import sessions as queries
from db.engine import open_database
import db.migrations.runner
print("ready", flush=True)
sys.stdin.readline()
engine = open_database(sys.argv[1], busy_timeout_s=60.0)
print(len(queries.list_sessions(engine)), flush=True)
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


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_fresh_file_is_made_with_its_folders(tmp_path, closing) -> None:
    path = tmp_path / "new" / "100% & more" / "class.db"
    engine = closing(f"sqlite:///{path}")
    assert revision_of(path) == HEAD_REVISION
    assert queries.list_sessions(engine) == []


def test_a_relative_path_is_taken_from_the_current_folder(tmp_path, closing) -> None:
    closing("sqlite:///here.db")  # the sandbox made tmp_path the current folder
    assert (tmp_path / "here.db").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_nobody_else_may_read_a_fresh_file(path, closing, new_session) -> None:
    store = Store(closing(f"sqlite:///{path}"))
    with store.unit_of_work() as unit:
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
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
    assert queries.list_sessions(engine) == []
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.list_sessions(engine)) == 1
    assert queries.list_sessions(closing("sqlite://")) == []


def test_opening_again_keeps_what_is_there(path, closing, new_session) -> None:
    store = Store(closing(f"sqlite:///{path}"))
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.list_sessions(closing(f"sqlite:///{path}", create=False))) == 1


def test_an_up_to_date_file_is_opened_without_alembic(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    code = f"import sys; from db.engine import open_database; open_database({f'sqlite:///{path}'!r})"
    code += "; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_an_empty_file_is_a_fresh_database(path, closing) -> None:
    path.touch()
    assert queries.list_sessions(closing(f"sqlite:///{path}")) == []


def test_a_reader_does_not_wait_for_a_writer(path, closing, new_session) -> None:
    engine = closing(f"sqlite:///{path}", busy_timeout_s=0.0)
    with Store(engine).unit_of_work() as unit:
        unit.start_session(new_session())
        assert queries.list_sessions(engine) == []
        unit.commit()
        assert len(queries.list_sessions(engine)) == 1


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
    assert revision_of(path) == HEAD_REVISION


def test_a_migration_that_fails_leaves_nothing_behind(path, monkeypatch) -> None:
    def half_way(connection) -> None:
        connection.exec_driver_sql("CREATE TABLE class_sessions (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    monkeypatch.setattr("db.migrations.runner.upgrade_to_head", half_way)
    with pytest.raises(DatabaseError, match="no such table"):
        open_database(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []


def test_a_unit_waits_for_the_lock_and_then_gives_up(path, closing, new_session) -> None:
    store = Store(closing(f"sqlite:///{path}", busy_timeout_s=0.05))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseLocked), store.unit_of_work():
            pass
        other.execute("ROLLBACK")
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.list_sessions(store.engine)) == 1


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
    assert describe_url(make_url(url)) == named


@pytest.mark.skipif(os.name == "nt", reason="SQLite's unix-none stands for a disk without shared memory")
def test_a_disk_that_cannot_do_wal_is_used_without_it(path, closing, caplog) -> None:
    engine = closing(f"sqlite:///file:{path}?vfs=unix-none&uri=true")
    assert pragma(engine, "journal_mode") == "delete"
    assert queries.list_sessions(engine) == []
    assert "cannot use WAL there" in caplog.text
