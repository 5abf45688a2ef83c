"""Opening the database: the only module that distinguishes SQLite from PostgreSQL.

SQLite runs in WAL mode: readers and the recorder do not block each other. ``synchronous`` NORMAL is enough
for ``kill -9`` and crashes of the program, because a committed transaction is in the kernel's page cache,
which outlives the process. It is not enough for a power cut: WAL is synced only at checkpoints (every 1000
pages; with 30 students the first one comes after 60 commits, ten minutes), so what the kernel has not yet
written by itself may be lost; the file stays intact and earlier bins are kept. FULL syncs each commit;
``benchmarks/database.py`` measures both.
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
"""How long a statement waits for another writer. Our own writes take milliseconds, so a lock of five seconds
is another program's; the recorder keeps its batch and retries."""

_MIGRATION_LOCK = 0x636C6173  # an arbitrary key for pg_advisory_xact_lock; "clas"
_URL_HINT = "Set database.url to sqlite:///classpulse.db or postgresql+psycopg://user@host/name."

Synchronous = Literal["NORMAL", "FULL"]


def open_database(
    url: str,
    *,
    create: bool = True,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    synchronous: Synchronous = "NORMAL",
) -> Engine:
    """An engine for an existing, writable database with the newest schema.

    ``url`` is an SQLAlchemy URL (``sqlite:///folder/file.db``, ``sqlite://`` in memory,
    ``postgresql+psycopg://...``). With ``create``, a missing SQLite file and its folders are created. An
    older schema is migrated; processes that open a new database at the same time wait for each other.

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
    """A connection whose transactions take the write lock when they begin. A SQLite transaction that reads
    first fails on its first write, without the busy timeout, if another process wrote in between."""
    return engine.connect().execution_options(classpulse_begin="BEGIN IMMEDIATE")


def enable_secure_delete(connection: Connection) -> None:
    """From now on, data deleted over this connection is overwritten in the file."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def truncate_wal(engine: Engine) -> bool:
    """Empty SQLite's write-ahead log, which holds copies of erased pages until it is overwritten. Returns
    False if a reader prevents it; call it again later."""
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect().execution_options(classpulse_begin="") as connection:
        row = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not row[0]


def describe_url(url: URL) -> str:
    """The database as messages name it: the file, or the server without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return url.render_as_string(hide_password=True)


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidDatabaseUrl(f"The database URL {url!r} is invalid.", _URL_HINT) from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise InvalidDatabaseUrl(
            f"The database system {parsed.get_backend_name()!r} is not supported.", _URL_HINT
        )
    return parsed


def _create_engine(url: URL, **options: Any) -> Engine:
    try:
        # Without parameters: errors are logged, and a row may contain a name.
        engine = create_engine(url, json_serializer=_to_json, hide_parameters=True, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise InvalidDatabaseUrl(
            f"No driver for {url.drivername} is installed.", f"Install it. {_URL_HINT}"
        ) from error
    event.listen(engine, "handle_error", partial(_raise_translated, describe_url(url)))
    return engine


def _to_json(value: Any) -> str:
    """JSON text that both databases accept: without NaN, which PostgreSQL rejects."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _raise_translated(location: str, context: ExceptionContext) -> None:
    error = context.original_exception
    if isinstance(error, DatabaseError):
        raise error
    if isinstance(error, context.dialect.loaded_dbapi.Error):
        raise translate_error(error, location) from error
    if isinstance(error, TypeError | ValueError | OverflowError):
        raise InvalidValue(f"A value cannot be stored: {error}.") from error


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
        # The driver's own transactions exclude SELECT and cannot take the write lock.
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
    """Create a missing file, empty, with its folders. Only the owner may read it; SQLite gives the files
    beside it the same permissions."""
    # os.path, because Path.exists raises if a parent folder is not accessible.
    if os.path.isdir(path):
        raise NotADatabase(f"The database {path} is a folder.", "Set a file in it in database.url.")
    if os.path.exists(path):
        return
    if not create:
        raise DatabaseMissing(f"The database {path} does not exist.", "Record or analyse a session first.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseNotWritable(
            f"The database {path} cannot be created: {error.strerror}.", "Set another path in database.url."
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
    """The revision of the schema, None for an empty database. Raises ``NotADatabase`` for another
    program's."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables or "class_sessions" not in tables:
        raise NotADatabase(
            f"The database {describe_url(url)} belongs to another program; its tables are "
            f"{', '.join(sorted(tables)[:4])}.",
            "Set another database in database.url.",
        )
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _switch_to_wal(engine: Engine, busy_timeout_s: float) -> None:
    """Switch to WAL, once per file. Two processes that do it at once can get "locked" without the busy
    timeout, because each holds the lock that the other needs; so this function waits itself."""
    deadline = time.monotonic() + busy_timeout_s
    with engine.connect().execution_options(classpulse_begin="") as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        while mode not in ("wal", "memory"):
            try:
                mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
                if mode != "wal":
                    log.warning(
                        "%s cannot use WAL on this disk; reads may wait for writes", describe_url(engine.url)
                    )
                    return
            except DatabaseLocked:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.02)


def _check_writable(engine: Engine) -> None:
    """Detect a read-only or locked file when opening, not ten seconds into the session, by deleting nothing:
    on a read-only file SQLite turns BEGIN IMMEDIATE into BEGIN without an error."""
    with write_connection(engine) as connection:
        connection.execute(delete(AuditRow).where(false()))
        connection.rollback()


def _migrate(engine: Engine) -> None:
    with write_connection(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        revision = _revision(connection, engine.url)
        if revision == HEAD_REVISION:
            return  # another process migrated it in the meantime

        from db.migrations.runner import script_directory, upgrade_to_head

        known = {script.revision for script in script_directory().walk_revisions()}
        if revision is not None and revision not in known:
            raise SchemaTooNew(
                f"The database {describe_url(engine.url)} was written by a newer Classpulse: its schema is "
                f"{revision}, this version knows {HEAD_REVISION}.",
                "Update Classpulse, or set another database in database.url.",
            )
        upgrade_to_head(connection)
