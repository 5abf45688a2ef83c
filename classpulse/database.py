"""Opens the configured database for a command, the daemon or the dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine

from classpulse.cli.console import print_message
from classpulse.config.settings import Config
from db.engine import open_database
from db.unit_of_work import Store, interrupt_abandoned_sessions
from monitor.runtime.process import is_running


@contextmanager
def open_configured_database(config: Config) -> Iterator[Engine]:
    """The database of the settings. Sessions that a crash left open are first marked *interrupted*."""
    # FULL: a commit survives a power cut, at the cost of a few milliseconds every five seconds.
    engine = open_database(config.database_url, synchronous="FULL")
    try:
        _close_abandoned_sessions(engine)
        yield engine
    finally:
        engine.dispose()


def _close_abandoned_sessions(engine: Engine) -> None:
    closed = interrupt_abandoned_sessions(
        Store(engine), lambda session: is_running(session.pid, session.process_started), datetime.now(UTC)
    )
    for session_id in closed:
        print_message(
            f"session {session_id} ended unexpectedly; it is now marked interrupted, "
            "with everything recorded before"
        )
