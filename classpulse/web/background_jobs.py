"""What takes seconds to make: one thread for all of it, and one making for each thing that is asked for."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Making:
    """One worker: the charts' library is not made for several threads, and a report takes a whole core."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="making")
        self._going: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def start(self, key: Hashable, make: Callable[[], T], *, anew: bool = False) -> Future[T]:
        """What is made under that key already, or else a new making, which waits for its turn. ``anew``:
        something has changed, of which one that has begun may not know; one that still waits will."""
        with self._lock:
            going = self._going.get(key)
            if going is not None and not going.done() and not (anew and going.running()):
                return going
            future = self._going[key] = self._worker.submit(make)
        future.add_done_callback(lambda done: self._forget(key, done))
        return future

    def is_going(self, key: Hashable) -> bool:
        """Whether that is being made, or waits for its turn."""
        with self._lock:
            return key in self._going

    async def made(self, key: Hashable, make: Callable[[], T]) -> T:
        """What comes of it, without holding a thread while it is waited for. Raises what ``make`` does."""
        # Whoever closes the page leaves; the making goes on.
        return await asyncio.shield(asyncio.wrap_future(self.start(key, make)))

    def _forget(self, key: Hashable, done: Future[Any]) -> None:
        with self._lock:
            if self._going.get(key) is done:
                del self._going[key]


def warm() -> None:
    """Import what takes a second, so that the first who looks at a class does not wait for it."""
    for name in ("scipy.stats", "reports.charts.levels"):
        importlib.import_module(name)
