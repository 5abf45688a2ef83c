"""The newest picture of a connection, between the thread that reads and the one that looks."""

from __future__ import annotations

import threading

from monitor.sources.capture import Shot


class Newest:
    """Room for one picture: a queue would fill with old ones whenever the detector is slower than the camera.

    ``failure`` says, once it is not None, why there will be no more.
    """

    def __init__(self) -> None:
        self.failure: str | None = None
        self._changed = threading.Condition()
        self._shot: Shot | None = None

    def put(self, shot: Shot) -> None:
        """Keep this one, in place of any that was not taken."""
        with self._changed:
            self._shot = shot
            self._changed.notify_all()

    def fail(self, reason: str) -> None:
        """There will be no more; the first reason is the one that is told."""
        with self._changed:
            self.failure = self.failure or reason
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Shot | None:
        """The newest if it was not taken before, waiting up to ``timeout_s`` for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._shot is not None or self.failure is not None, timeout_s)
            shot, self._shot = self._shot, None
            return shot
