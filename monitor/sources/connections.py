"""The connections of one live source: at most one in use, and those that hang."""

from __future__ import annotations

from monitor.freshness import Freshness
from monitor.sources.reader import Connect, Connection

MAX_LEFT_BEHIND = 4
"""So many connections may hang in a call that does not return (each is a thread and a socket) before no
other is opened. OpenCV ends those to a URL after ten seconds by itself."""


class Connections:
    """Opens and closes. ``current`` is None while nothing is open, also if too many hang."""

    def __init__(self, address: int | str, connect: Connect, tolerance: int) -> None:
        self.current: Connection | None = None
        self._address = address
        self._connect = connect
        self._tolerance = tolerance
        self._freshness = Freshness(tolerance)
        self._left_behind: list[Connection] = []

    @property
    def hanging(self) -> int:
        """How many were closed and still run."""
        self._left_behind = [old for old in self._left_behind if old.alive]
        return len(self._left_behind)

    def open(self) -> None:
        """Begin a new one, in which the last fresh picture of the one before is not fresh again."""
        self.close()
        if self.hanging < MAX_LEFT_BEHIND:
            # A copy: one that was left behind may still read, and judge.
            self._freshness = Freshness(self._tolerance, self._freshness.last)
            self.current = self._connect(self._address, self._freshness)

    def close(self) -> None:
        """Close the one in use, if there is one."""
        connection, self.current = self.current, None
        if connection is not None:
            connection.close()
            if connection.alive:
                self._left_behind.append(connection)
