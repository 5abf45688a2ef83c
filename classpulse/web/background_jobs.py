"""Jobs of several seconds (reports, charts): one worker thread, and one job per key at a time."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundJobs:
    """Runs jobs one at a time: matplotlib is not thread-safe, and a report uses a whole core."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="jobs")
        self._jobs: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def start(self, key: Hashable, job: Callable[[], T], *, restart: bool = False) -> Future[T]:
        """Submit a job unless one with this key is pending or running. With ``restart``, a running job does
        not count: it may have read the data before they changed."""
        with self._lock:
            running = self._jobs.get(key)
            if running is not None and not running.done() and not (restart and running.running()):
                return running
            future = self._jobs[key] = self._worker.submit(job)
        future.add_done_callback(lambda done: self._forget(key, done))
        return future

    def is_running(self, key: Hashable) -> bool:
        """Whether a job with this key is pending or running."""
        with self._lock:
            return key in self._jobs

    async def result(self, key: Hashable, job: Callable[[], T]) -> T:
        """Await the result of the job without blocking a thread. Raises what ``job`` raises."""
        # A client disconnect must not cancel the job: other requests may be awaiting the same result.
        return await asyncio.shield(asyncio.wrap_future(self.start(key, job)))

    def _forget(self, key: Hashable, done: Future[Any]) -> None:
        with self._lock:
            if self._jobs.get(key) is done:
                del self._jobs[key]


def preload_modules() -> None:
    """Import modules that take a second to load, so that the first page view does not wait for them."""
    for name in ("scipy.stats", "reports.charts.levels"):
        importlib.import_module(name)
