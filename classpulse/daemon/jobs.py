"""The jobs of the timetable, in a file that survives restarts (``classpulse.daemon.scheduling``)."""

from __future__ import annotations

import logging
from datetime import UTC
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED
from sqlalchemy.exc import DatabaseError as SQLAlchemyDatabaseError
from sqlalchemy.exc import OperationalError

from classpulse.errors import RunError

log = logging.getLogger(__name__)


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]
    """APScheduler looks at its jobs once more when it has been shut down: a start that fell due since would
    count as given, and be given to nobody. And it does not find a job that it has just given if it is shut
    down meanwhile. And it waits for what is at work with the jobs locked, for ever where that is just adding
    one."""

    def shutdown(self, wait: bool = True) -> None:
        """No more jobs are given; with ``wait`` those that were are waited for."""
        pools = [executor._pool for executor in self._executors.values()]
        super().shutdown(wait=False)
        if wait:
            for pool in pools:
                pool.shutdown()

    def _process_jobs(self) -> float | None:
        if self.state == STATE_STOPPED:
            return None
        try:
            wait_s: float | None = super()._process_jobs()
        except JobLookupError:
            if self.state != STATE_STOPPED:
                raise
            return None
        return wait_s


def paused_scheduler(path: Path) -> BackgroundScheduler:
    """A scheduler that is started and paused, over a store that can be read. A damaged one is made anew."""
    try:
        try:
            return open_jobs(path)
        except OperationalError:
            raise
        except SQLAlchemyDatabaseError:
            log.warning(
                "%s is damaged; it is made anew, and what was missed until now is not told", path.name
            )
            for ending in ("", "-journal"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            return open_jobs(path)
    except (OperationalError, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise RunError(
            f"{path} cannot be used ({reason}); expected a file of Classpulse's that can be written: "
            "give its folder write permission and room, or delete it"
        ) from None


def open_jobs(path: Path) -> BackgroundScheduler:
    """The same, of a store that is sound."""
    if not path.exists():
        path.touch(mode=0o600)
    # That a start was missed is told by us, once and in words.
    logging.getLogger("apscheduler.executors.default").setLevel(logging.ERROR)
    store = SQLAlchemyJobStore(url=f"sqlite:///{path}")
    scheduler = _Scheduler(
        jobstores={"default": store, "memory": MemoryJobStore()},
        executors={"default": ThreadPoolExecutor(1), "night": ThreadPoolExecutor(1)},
        timezone=UTC,
        daemon=True,
    )
    try:
        scheduler.start(paused=True)
        scheduler.get_jobs(jobstore="default")
    except BaseException:
        if scheduler.running:
            scheduler.shutdown(wait=False)
        store.engine.dispose()
        raise
    return scheduler
