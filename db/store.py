"""Writing: a unit of work that rolls back unless it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import Engine

from db.engine import write_connection
from db.queries import sessions
from db.records import SessionRecord, SessionStatus
from db.unit import Unit


def now_utc() -> datetime:
    """The present, aware UTC."""
    return datetime.now(UTC)


class Store:
    """Where a lecture is written. ``clock`` gives aware UTC for ``last_written_at``."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = now_utc) -> None:
        self.engine = engine
        self._clock = clock

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """One transaction: ``with store.unit() as unit: ...; unit.commit()``. Left without a commit, by an
        exception or otherwise, it changes nothing.

        It holds SQLite's one write lock, so work out first what to write. Raises ``DatabaseLocked``
        after the engine's busy timeout. Not to be nested; in memory, not to be mixed with reads.
        """
        with write_connection(self.engine) as connection:
            connection.begin()
            yield Unit(connection, self._clock)
            # Closing the connection rolls back what was not committed.


def close_abandoned(store: Store, is_running: Callable[[SessionRecord], bool], now: datetime) -> list[int]:
    """Close sessions that say they are running although their process is gone (a crash, a power cut).

    They become ``interrupted``, ended when they last wrote, and the audit says so; ``now`` is aware
    UTC. Returns their numbers, the oldest first.
    """
    running = sessions(store.engine, status=SessionStatus.RUNNING)
    gone = sorted(record.id for record in running if not is_running(record))
    if not gone:
        return []
    reason = f"the recording program ended without closing the session (found {now:%Y-%m-%d %H:%M} UTC)"
    with store.unit() as unit:
        closed = [session_id for session_id in gone if unit.interrupt_abandoned(session_id, reason)]
        for session_id in closed:
            unit.audit("close", f"session {session_id}", now, reason)
        unit.commit()
    return closed
