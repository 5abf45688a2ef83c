"""What other threads want of a live source: that it pauses, that it goes on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """``at_s`` is when it was given, on the source's clock."""

    pause: bool
    at_s: float


class Orders:
    """Orders wait here, each in its turn, until the source's loop comes by."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._paused = False
        self._waiting: deque[Order] = deque()

    def give(self, *, pause: bool) -> None:
        """Add an order, unless it asks for what was asked for last. From any thread."""
        with self._lock:
            if pause is not self._paused:
                self._paused = pause
                self._waiting.append(Order(pause, self._clock()))

    def forget(self) -> bool:
        """Drop what waits; returns whether a pause is what was asked for last."""
        with self._lock:
            self._waiting.clear()
            return self._paused

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def next(self) -> Order:
        """The oldest that waits; it goes on waiting until it is ``done``."""
        return self._waiting[0]

    def done(self) -> None:
        """The oldest is carried out."""
        self._waiting.popleft()
