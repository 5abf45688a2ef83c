"""Opening a new or existing database, also from several processes at once."""

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
def open_engine() -> Iterator[Callable[..., Engine]]:
    """``open_database``, with its engines disposed of at the end."""
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


def test_open_creates_a_missing_file_and_its_folders(tmp_path, open_engine) -> None:
    path = tmp_path / "new" / "100% & more" / "class.db"
    engine = open_engine(f"sqlite:///{path}")
    assert revision_of(path) == HEAD_REVISION
    assert queries.list_sessions(engine) == []


def test_open_relative_path_uses_the_current_folder(tmp_path, open_engine) -> None:
    open_engine("sqlite:///here.db")  # the test sandbox makes tmp_path the current folder
    assert (tmp_path / "here.db").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_new_file_is_readable_by_its_owner_only(path, open_engine, new_session) -> None:
    store = Store(open_engine(f"sqlite:///{path}"))
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.commit()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("class.db*")}
    assert modes == {"class.db": 0o600, "class.db-wal": 0o600, "class.db-shm": 0o600}


def test_connection_settings(path, open_engine) -> None:
    engine = open_engine(f"sqlite:///{path}", busy_timeout_s=0.25)
    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "foreign_keys") == 1
    assert pragma(engine, "synchronous") == 1  # NORMAL
    assert pragma(engine, "busy_timeout") == 250
    with engine.connect() as connection:  # the driver starts no transactions
        assert connection.connection.driver_connection.isolation_level is None


def test_open_sets_synchronous_full(path, open_engine) -> None:
    assert pragma(open_engine(f"sqlite:///{path}", synchronous="FULL"), "synchronous") == 2


def test_every_pooled_connection_is_configured(path, open_engine) -> None:
    engine = open_engine(f"sqlite:///{path}")
    with engine.connect(), engine.connect(), engine.connect() as third:
        assert third.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_open_in_memory(open_engine, new_session) -> None:
    engine = open_engine("sqlite://")
    assert isinstance(engine.pool, StaticPool)
    store = Store(engine)
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
    assert queries.list_sessions(engine) == []
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.list_sessions(engine)) == 1
    assert queries.list_sessions(open_engine("sqlite://")) == []


def test_reopen_keeps_stored_data(path, open_engine, new_session) -> None:
    store = Store(open_engine(f"sqlite:///{path}"))
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.list_sessions(open_engine(f"sqlite:///{path}", create=False))) == 1


def test_up_to_date_file_opens_without_importing_alembic(empty_file, path) -> None:
    shutil.copy(empty_file, path)
    code = f"import sys; from db.engine import open_database; open_database({f'sqlite:///{path}'!r})"
    code += "; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_empty_file_becomes_a_database(path, open_engine) -> None:
    path.touch()
    assert queries.list_sessions(open_engine(f"sqlite:///{path}")) == []


def test_reader_does_not_wait_for_a_writer(path, open_engine, new_session) -> None:
    engine = open_engine(f"sqlite:///{path}", busy_timeout_s=0.0)
    with Store(engine).unit_of_work() as unit:
        unit.start_session(new_session())
        assert queries.list_sessions(engine) == []
        unit.commit()
        assert len(queries.list_sessions(engine)) == 1


def test_processes_opening_a_new_database_at_once_all_succeed(path) -> None:
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


def test_failed_migration_leaves_no_tables(path, monkeypatch) -> None:
    def half_way(connection) -> None:
        connection.exec_driver_sql("CREATE TABLE class_sessions (id INTEGER)")
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    monkeypatch.setattr("db.migrations.runner.upgrade_to_head", half_way)
    with pytest.raises(DatabaseError, match="no such table"):
        open_database(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []


def test_unit_of_work_raises_locked_after_the_busy_timeout(path, open_engine, new_session) -> None:
    store = Store(open_engine(f"sqlite:///{path}", busy_timeout_s=0.05))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseLocked), store.unit_of_work():
            pass
        other.execute("ROLLBACK")
    with store.unit_of_work() as unit:
        unit.start_session(new_session())
        unit.commit()
    assert len(queries.list_sessions(store.engine)) == 1


def test_errors_of_statements_are_translated(open_engine) -> None:
    engine = open_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(DatabaseError) as caught:
        connection.exec_driver_sql("SELEKT 1")
    assert type(caught.value) is DatabaseError
    assert "syntax error" in caught.value.problem
    with engine.connect() as connection, pytest.raises(InvalidValue):
        connection.exec_driver_sql("SELECT ?", (object(),))
    with engine.connect() as connection, pytest.raises(InvalidValue, match="too large"):
        connection.exec_driver_sql("SELECT ?", (2**70,))


@pytest.mark.parametrize(
    ("url", "description"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///a/b.db", "a/b.db"),
        ("postgresql+psycopg://teacher:secret@school/class", "postgresql+psycopg://teacher:***@school/class"),
    ],
)
def test_describe_url_hides_the_password(url, description) -> None:
    assert describe_url(make_url(url)) == description


@pytest.mark.skipif(os.name == "nt", reason="SQLite's unix-none simulates a disk without shared memory")
def test_disk_without_wal_is_used_without_it(path, open_engine, caplog) -> None:
    engine = open_engine(f"sqlite:///file:{path}?vfs=unix-none&uri=true")
    assert pragma(engine, "journal_mode") == "delete"
    assert queries.list_sessions(engine) == []
    assert "cannot use WAL" in caplog.text
