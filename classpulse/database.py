"""Database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from classpulse.cli.output import _close_abandoned
from classpulse.config.settings import Config
from db.engine import open_database


@contextmanager
def open_configured_database(config: Config) -> Iterator[Engine]:
    """The database of the configuration, with sessions that a crash left open closed honestly."""
    # FULL: a commit survives a power cut, for some milliseconds more each five seconds.
    engine = open_database(config.database_url, synchronous="FULL")
    try:
        _close_abandoned(engine)
        yield engine
    finally:
        engine.dispose()
