"""The database of the configuration."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from classpulse.config.settings import Config
from db.clock import now_utc
from db.engine import open_database
from db.unit_of_work import Store, interrupt_abandoned_sessions
from monitor.runtime.process import is_running

log = logging.getLogger(__name__)


@contextmanager
def open_configured_database(config: Config) -> Iterator[Engine]:
    """The database within the block; sessions whose process has crashed are marked as interrupted first.
    Raises DatabaseError."""
    # FULL: a commit survives a power cut, and takes some milliseconds more, once per five seconds.
    engine = open_database(config.database_url, synchronous="FULL")
    try:
        _close_abandoned_sessions(engine)
        yield engine
    finally:
        engine.dispose()


def _close_abandoned_sessions(engine: Engine) -> None:
    closed = interrupt_abandoned_sessions(
        Store(engine), lambda session: is_running(session.pid, session.process_started), now_utc()
    )
    for session_id in closed:
        log.warning("session %d was cut off and is marked as interrupted; its data are kept", session_id)
