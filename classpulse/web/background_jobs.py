"""What takes seconds to make: one thread for all of it, and one making for each thing that is asked for."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundJobs:
    """One worker: the charts' library is not made for several threads, and a report takes a whole core."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="making")
        self._jobs: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def start(self, key: Hashable, job: Callable[[], T], *, restart: bool = False) -> Future[T]:
        """What is made under that key already, or else a new making, which waits for its turn. ``restart``:
        something has changed, of which one that has begun may not know; one that still waits will."""
        with self._lock:
            running = self._jobs.get(key)
            if running is not None and not running.done() and not (restart and running.running()):
                return running
            future = self._jobs[key] = self._worker.submit(job)
        future.add_done_callback(lambda done: self._forget(key, done))
        return future

    def is_running(self, key: Hashable) -> bool:
        """Whether that is being made, or waits for its turn."""
        with self._lock:
            return key in self._jobs

    async def result(self, key: Hashable, job: Callable[[], T]) -> T:
        """What comes of it, without holding a thread while it is waited for. Raises what ``job`` does."""
        # Whoever closes the page leaves; the making goes on.
        return await asyncio.shield(asyncio.wrap_future(self.start(key, job)))

    def _forget(self, key: Hashable, done: Future[Any]) -> None:
        with self._lock:
            if self._jobs.get(key) is done:
                del self._jobs[key]


def preload_modules() -> None:
    """Import what takes a second, so that the first who looks at a class does not wait for it."""
    for name in ("scipy.stats", "reports.charts.levels"):
        importlib.import_module(name)
