"""A connection that is read in a thread of its own, and its newest picture, for who looks."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from monitor.sources.capture import Shot

JOIN_S = 0.5
"""How long closing waits for a ``read`` that blocks. The thread is a daemon and is left behind then."""


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


class Reading(ABC):
    """A connection that is read in a thread of its own, which subclasses start when they are ready."""

    def __init__(self, name: str) -> None:
        self._newest = Newest()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def failure(self) -> str | None:
        """Why there will be no more pictures, if so."""
        return self._newest.failure

    @property
    def alive(self) -> bool:
        """Whether the thread still runs, perhaps in a call that blocks."""
        return self._thread.is_alive()

    def take(self, timeout_s: float) -> Shot | None:
        """The newest picture if it was not taken before, waiting up to ``timeout_s`` for one."""
        return self._newest.take(timeout_s)

    def close(self) -> None:
        """Ask the thread to end, and wait ``JOIN_S`` for it."""
        self._closing.set()
        self._thread.join(JOIN_S)

    @abstractmethod
    def _run(self) -> None:
        """Read until ``_closing`` is set, and keep what is new in ``_newest``; say there why no more
        comes."""
