"""Opening the database: the one module that knows SQLite from PostgreSQL.

SQLite runs in WAL mode: readers do not wait for the recorder nor it for them. ``synchronous`` NORMAL is
enough for ``kill -9`` and crashes of the program, because a committed transaction is in the kernel's
page cache by then and the kernel outlives the process. It is not enough for a power cut: WAL is synced
at checkpoints only (each 1000 pages: the first of 30 students comes after 60 commits, ten minutes), so what
the kernel has not yet written by itself may be lost; the file stays whole and earlier bins stay. FULL
syncs each commit; ``benchmarks/database.py`` measures both.
"""

from __future__ import annotations

import json
import logging
import os
import time
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, StaticPool, create_engine, delete, event, false, inspect, text
from sqlalchemy.engine import URL, Connection, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from db.errors import (
    DatabaseError,
    DatabaseLocked,
    DatabaseMissing,
    DatabaseNotWritable,
    InvalidDatabaseUrl,
    InvalidValue,
    NotADatabase,
    SchemaTooNew,
    translate_error,
)
from db.schema import HEAD_REVISION, AuditRow

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
"""How long a statement waits for another writer. Our own writes take milliseconds; whoever holds the
lock for five seconds is something else, and the recorder can keep its batch and try again."""

_MIGRATION_LOCK = 0x636C6173  # any number of our own for pg_advisory_xact_lock; "clas"
_EXAMPLES = "expected sqlite:///classpulse.db or postgresql+psycopg://user@host/name"

Synchronous = Literal["NORMAL", "FULL"]


def open_database(
    url: str,
    *,
    create: bool = True,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    synchronous: Synchronous = "NORMAL",
) -> Engine:
    """An engine on a database that is there, writable and at the newest schema.

    ``url`` is SQLAlchemy's (``sqlite:///folder/file.db``, ``sqlite://`` in memory,
    ``postgresql+psycopg://...``). With ``create`` a missing SQLite file and its folders are made. An
    older schema is migrated; processes that open a fresh database at once wait for each other.

    Raises ``InvalidDatabaseUrl``, ``DatabaseMissing``, ``DatabaseUnavailable``, ``DatabaseNotWritable``,
    ``DatabaseLocked`` (after ``busy_timeout_s`` seconds), ``SchemaTooNew`` or ``NotADatabase``.
    """
    parsed = _parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _create_sqlite_engine(parsed, create, busy_timeout_s, synchronous)
    else:
        engine = _create_engine(parsed)
    try:
        _prepare(engine, busy_timeout_s)
    except DatabaseError:
        engine.dispose()
        raise
    return engine


def write_connection(engine: Engine) -> Connection:
    """A connection whose transactions take the write lock when they begin. A SQLite transaction that
    reads first and writes later fails at once, without the busy timeout, if another wrote in between."""
    return engine.connect().execution_options(classpulse_begin="BEGIN IMMEDIATE")


def enable_secure_delete(connection: Connection) -> None:
    """From now on what is deleted over this connection is overwritten in the file, not only forgotten."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def truncate_wal(engine: Engine) -> bool:
    """Empty SQLite's write-ahead log, which holds copies of erased pages until it is written over. False
    where somebody is reading: then it is for another time."""
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect().execution_options(classpulse_begin="") as connection:
        row = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not row[0]


def describe_url(url: URL) -> str:
    """How a message names the database: the file, or the server without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return url.render_as_string(hide_password=True)


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidDatabaseUrl(f"the database URL {url!r} is not understood; {_EXAMPLES}") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise InvalidDatabaseUrl(f"the database {parsed.get_backend_name()!r} is not supported; {_EXAMPLES}")
    return parsed


def _create_engine(url: URL, **options: Any) -> Engine:
    try:
        # Without its parameters: an error's text may come into a log, and a row may hold a name.
        engine = create_engine(url, json_serializer=_to_json, hide_parameters=True, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise InvalidDatabaseUrl(
            f"no driver for {url.drivername} is installed; {_EXAMPLES}, with its driver"
        ) from error
    event.listen(engine, "handle_error", partial(_raise_translated, describe_url(url)))
    return engine


def _to_json(value: Any) -> str:
    """Text that both databases accept: no NaN, which is not JSON and which PostgreSQL refuses."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _raise_translated(location: str, context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, DatabaseError):
        raise error
    if isinstance(error, context.dialect.loaded_dbapi.Error):
        raise translate_error(error, location) from error
    if isinstance(error, TypeError | ValueError | OverflowError):
        raise InvalidValue(f"a value cannot be stored: {error}") from error


def _create_sqlite_engine(url: URL, create: bool, busy_timeout_s: float, synchronous: Synchronous) -> Engine:
    in_memory = url.database in (None, "", ":memory:")
    if not in_memory and not str(url.database).startswith("file:"):
        _check_file(Path(str(url.database)), create)
    options: dict[str, Any] = {"connect_args": {"timeout": busy_timeout_s, "check_same_thread": False}}
    if in_memory:
        options["poolclass"] = StaticPool
    engine = _create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver's own transactions leave out SELECT and cannot take the write lock: BEGIN is ours.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get("classpulse_begin", "BEGIN")
        if statement:
            connection.exec_driver_sql(statement)

    return engine


def _check_file(path: Path, create: bool) -> None:
    """Make a missing file, empty, with its folders; nobody else on the machine may read it, and SQLite
    gives the files beside it the same permissions."""
    # os.path and not Path: Path.exists raises where a folder above may not be entered.
    if os.path.isdir(path):
        raise NotADatabase(f"the database {path} is a folder; name a file in it in database.url")
    if os.path.exists(path):
        return
    if not create:
        raise DatabaseMissing(f"there is no database at {path}; record or analyse a lecture first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseNotWritable(
            f"the database {path} cannot be made ({error.strerror}); name another place in database.url"
        ) from error


def _prepare(engine: Engine, busy_timeout_s: float) -> None:
    with engine.connect() as connection:
        up_to_date = _revision(connection, engine.url) == HEAD_REVISION
    if engine.dialect.name == "sqlite":
        _switch_to_wal(engine, busy_timeout_s)
    if up_to_date:
        _check_writable(engine)
    else:
        _migrate(engine)


def _revision(connection: Connection, url: URL) -> str | None:
    """The schema's revision, None for an empty database; raises on one that is not ours."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables or "class_sessions" not in tables:
        raise NotADatabase(
            f"the database {describe_url(url)} belongs to another program (its tables: "
            f"{', '.join(sorted(tables)[:4])}); name another in database.url"
        )
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _switch_to_wal(engine: Engine, busy_timeout_s: float) -> None:
    """Once per file. Two processes doing it at once can get "locked" without SQLite's own waiting,
    because each holds the lock that the other needs; so the waiting is here."""
    deadline = time.monotonic() + busy_timeout_s
    with engine.connect().execution_options(classpulse_begin="") as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        while mode not in ("wal", "memory"):
            try:
                mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
                if mode != "wal":
                    log.warning("%s cannot use WAL there; reports may have to wait", describe_url(engine.url))
                    return
            except DatabaseLocked:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.02)


def _check_writable(engine: Engine) -> None:
    """Find a read-only or locked file now and not ten seconds into the lecture, by deleting nothing:
    on a read-only file SQLite turns BEGIN IMMEDIATE into BEGIN and says no word of it."""
    with write_connection(engine) as connection:
        connection.execute(delete(AuditRow).where(false()))
        connection.rollback()


def _migrate(engine: Engine) -> None:
    with write_connection(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        revision = _revision(connection, engine.url)
        if revision == HEAD_REVISION:
            return  # another process was quicker

        from db.migrations.runner import script_directory, upgrade_to_head

        known = {script.revision for script in script_directory().walk_revisions()}
        if revision is not None and revision not in known:
            raise SchemaTooNew(
                f"the database {describe_url(engine.url)} was written by a newer Classpulse (schema "
                f"{revision}, this one knows {HEAD_REVISION}); update Classpulse, or name another in database.url"
            )
        upgrade_to_head(connection)
