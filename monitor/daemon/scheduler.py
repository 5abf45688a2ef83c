"""Runs the timetable: starts lessons, reports missed ones and runs the nightly job.

``Hooks`` are the callbacks. ``begin``, ``end`` and ``missed`` are called one at a time in a thread of the
scheduler, so they must return soon; ``nightly`` has a thread of its own. An exception of a hook is logged.

``monitor.daemon.timetable`` decides; this module adds threads and clock, by APScheduler. Its jobs, one per
slot and one for the night, survive restarts in ``schedule.db`` in the data folder, so that a start missed
meanwhile is known. It is a database of its own: APScheduler creates its table outside of our migrations,
stores pickles and writes at times when a recording must not wait for a lock; and the database may be on a
server, while the timetable belongs to this computer. The file contains no name and no address. It can be
deleted: lessons missed before are not reported then.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import TracebackType

from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED
from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError as SQLAlchemyDatabaseError
from sqlalchemy.exc import OperationalError

from db import sessions as queries
from db.clock import now_utc
from db.records import SessionRecord, SessionStatus
from db.unit_of_work import Store
from monitor.daemon.timetable import LessonSlot, ScheduledLesson, Timetable, local_to_utc
from monitor.errors import RunError
from monitor.types import GapReason

log = logging.getLogger(__name__)


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]
    """Works around three faults of APScheduler's shutdown: it processes its jobs once more afterwards, so a
    due start would count as submitted without being run; it does not find a job that it is just submitting;
    and it waits for running jobs while it holds the lock of the job list, forever if one of them adds a
    job."""

    def shutdown(self, wait: bool = True) -> None:
        """Submit no more jobs; with ``wait``, wait for the running ones."""
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
    """A started, paused scheduler with the job store at ``path``. A damaged store is recreated. Raises
    RunError."""
    try:
        try:
            return open_job_store(path)
        except OperationalError:
            raise
        except SQLAlchemyDatabaseError:
            log.warning(
                "%s is damaged and is recreated; lessons missed before now are not reported", path.name
            )
            for ending in ("", "-journal"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            return open_job_store(path)
    except (OperationalError, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise RunError(
            f"{path} cannot be used ({reason}).", "Check write permission and free space, or delete the file."
        ) from None


def open_job_store(path: Path) -> BackgroundScheduler:
    """A started, paused scheduler with the job store at ``path``; raises the errors of SQLAlchemy."""
    if not path.exists():
        path.touch(mode=0o600)
    # A missed start is reported by the hook.
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


SCHEDULE_FILE = "schedule.db"
NIGHTLY_KEY = "night"

_TICK_S = 15
"""Longest time between two readings of the clock: a timer does not advance while the computer is suspended,
so a scheduler that waits for one is late after it."""

_SKEW = timedelta(minutes=5)
"""How far the clock may have been set back since APScheduler read it."""

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Hooks:
    """``begin`` and ``end``: of the recording of a lesson. ``missed``: called once for a lesson that can no
    longer start. ``nightly``: once per night, or when the computer is on again. ``is_finished``: whether a
    lesson that takes place when the daemon starts must not be started, because a user ended its recording."""

    begin: Callable[[ScheduledLesson], object]
    end: Callable[[ScheduledLesson], object]
    missed: Callable[[ScheduledLesson], object]
    nightly: Callable[[], object]
    is_finished: Callable[[ScheduledLesson], bool] = lambda _lesson: False


class LessonScheduler:
    """Calls the hooks by the timetable, from ``start`` to ``stop``. One per data folder at a time.

    ``late_start``: how much of a lesson must remain for a late start. ``night_hour``: the local hour of the
    nightly job. ``clock`` returns aware UTC for decisions (APScheduler's own cannot be replaced).
    """

    def __init__(
        self,
        timetable: Timetable,
        folder: Path,
        hooks: Hooks,
        *,
        late_start: timedelta,
        night_hour: int = 3,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self.timetable = timetable
        self._folder = folder.resolve()
        self._hooks = hooks
        self._late_start = late_start
        self._night_at = time(night_hour)
        self._clock = clock
        self._slots = _by_key(timetable.slots)
        self._handled: set[ScheduledLesson] = set()
        self._scheduler: BackgroundScheduler | None = None

    def __enter__(self) -> LessonScheduler:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Load the stored jobs, reconcile them with the timetable and start the current lessons. Raises
        RunError."""
        key = str(self._folder)
        if key in _RUNNING:
            raise RuntimeError(f"a scheduler is already running on {key}")
        self._folder.mkdir(parents=True, exist_ok=True)
        _RUNNING[key] = self
        try:
            self._scheduler = scheduler = paused_scheduler(self._folder / SCHEDULE_FILE)
            self._reconcile(scheduler)
            scheduler.add_listener(self._on_missed_job, EVENT_JOB_MISSED)
            scheduler.add_job(
                _nothing, "interval", seconds=_TICK_S, id="tick", coalesce=True, jobstore="memory"
            )
            now = self._clock()
            for lesson in self.timetable.lessons_at(now):
                self._run_at(now, self._resume, lesson)
            scheduler.resume()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Call no more hooks; waits for a running one, so it must not be called in a hook."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=True)
        if _RUNNING.get(str(self._folder)) is self:
            del _RUNNING[str(self._folder)]

    def next_lesson(self) -> ScheduledLesson | None:
        """The next lesson of the timetable."""
        return self.timetable.next_lesson(self._clock())

    def next_start(self, key: str, after: datetime) -> datetime | None:
        """The start of a slot's next lesson, or of the next nightly job, after ``after``; called by the
        stored jobs."""
        if key == NIGHTLY_KEY:
            day = after.astimezone(self.timetable.zone).date()
            nights = (local_to_utc(day + n * _DAY, self._night_at, self.timetable.zone) for n in range(-1, 4))
            return next(night for night in nights if night > after)
        slot = self._slots.get(key)
        lesson = None if slot is None else self.timetable.next_of_slot(slot, after)
        return None if lesson is None else lesson.starts_at

    def run_job(self, key: str, scheduled_at: datetime | None = None) -> None:
        """Run the job of a slot, or the nightly one; called by the stored jobs. ``scheduled_at``: the time
        for which it was scheduled, given if it is late."""
        if key == NIGHTLY_KEY:
            self._hooks.nightly()
            return
        slot = self._slots.get(key)
        lesson = (
            None
            if slot is None
            else self.timetable.latest_of_slot(slot, scheduled_at or self._clock() + _SKEW)
        )
        # Another time: the scheduled lesson is no longer in the timetable.
        if lesson is not None and scheduled_at in (None, lesson.starts_at):
            self._decide(lesson)

    def _decide(self, lesson: ScheduledLesson) -> None:
        if lesson in self._handled:
            return
        self._handled.add(lesson)
        if lesson.may_start(max(self._clock(), lesson.starts_at), self._late_start):
            self._run_at(lesson.ends_at, self._hooks.end, lesson)
            self._hooks.begin(lesson)
        else:
            self._hooks.missed(lesson)

    def _resume(self, lesson: ScheduledLesson) -> None:
        """Continue a lesson that takes place at the start of the daemon. If it is too late, the stored job
        decides whether the lesson was missed or had been started before."""
        if lesson in self._handled or not lesson.may_start(self._clock(), self._late_start):
            return
        if self._hooks.is_finished(lesson):
            self._handled.add(lesson)
        self._decide(lesson)

    def _on_missed_job(self, event: JobExecutionEvent) -> None:
        """Handle a start past its grace time; each has its own event, also after a week off. The events come
        in several threads, hooks are called in one."""
        if event.job_id in self._slots:
            self._run_at(self._clock(), self.run_job, event.job_id, event.scheduled_run_time.astimezone(UTC))

    def _run_at(self, at: datetime, call: Callable[..., object], *arguments: object) -> None:
        if self._scheduler is not None:
            self._scheduler.add_job(
                call, "date", run_date=at, args=arguments, jobstore="memory", misfire_grace_time=None
            )

    def _reconcile(self, scheduler: BackgroundScheduler) -> None:
        """Remove the jobs of removed slots, add those of new ones and keep the others: their stored next
        start, if it has passed, was missed."""
        now = self._clock()
        stored = {job.id: job for job in scheduler.get_jobs(jobstore="default")}
        for key in stored.keys() - self._slots.keys() - {NIGHTLY_KEY}:
            scheduler.remove_job(key, jobstore="default")
        for key in (*self._slots, NIGHTLY_KEY):
            planned = stored[key].next_run_time if key in stored else None
            # Otherwise it is new, or has another time zone, holiday or hour.
            if planned is None or planned != self.next_start(key, min(planned - _SECOND, now)):
                self._store(scheduler, key, self.next_start(key, now))

    def _store(self, scheduler: BackgroundScheduler, key: str, first: datetime | None) -> None:
        if first is None:
            if scheduler.get_job(key, jobstore="default") is not None:
                scheduler.remove_job(key, jobstore="default")
            return
        night = key == NIGHTLY_KEY
        scheduler.add_job(
            _run_job,
            SlotTrigger(str(self._folder), key),
            args=(str(self._folder), key),
            id=key,
            name=key,
            replace_existing=True,
            next_run_time=first,
            # Every missed lesson is reported; missed nights are made up for once.
            coalesce=night,
            misfire_grace_time=None if night else self._grace_s(key),
            executor="night" if night else "default",
        )

    def _grace_s(self, key: str) -> int:
        """How late a start may be, in seconds, before APScheduler reports it as missed, by the rule for a
        normal day. On days of a clock change ``_decide``, which has the lesson itself, corrects it."""
        slot = self._slots[key]
        day = datetime(2000, 1, 1, tzinfo=UTC)
        normal = ScheduledLesson(
            "", None, "", *(datetime.combine(day, at, UTC) for at in (slot.starts, slot.ends))
        )
        return max(1, int((normal.latest_start(self._late_start) - normal.starts_at).total_seconds()))


class SlotTrigger(BaseTrigger):  # type: ignore[misc]
    """The starts of a slot's lessons, from the scheduler that runs in this process. Only its folder and the
    slot's key are stored."""

    def __init__(self, folder: str, key: str) -> None:
        self.folder, self.key = folder, key

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The start after the previous one, if any, so that each missed start is counted."""
        running = _RUNNING.get(self.folder)
        return None if running is None else running.next_start(self.key, previous_fire_time or now)

    def __getstate__(self) -> dict[str, str]:
        return {"folder": self.folder, "key": self.key}

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"<SlotTrigger {self.key}>"


_RUNNING: dict[str, LessonScheduler] = {}
"""By data folder. A stored job can only name a function of a module; it finds its scheduler here."""


def _run_job(folder: str, key: str) -> None:
    running = _RUNNING.get(folder)
    if running is not None:
        running.run_job(key)


def _nothing() -> None:
    pass


def _by_key(slots: Iterable[LessonSlot]) -> dict[str, LessonSlot]:
    """The slots by a key that depends on class, room, days and times. The source is omitted: it may contain a
    password, and another one is no reason to forget missed lessons."""
    slots_by_key: dict[str, LessonSlot] = {}
    for slot in slots:
        parts = (slot.class_name, slot.room or "", *sorted(slot.days), f"{slot.starts}", f"{slot.ends}")
        key = "lesson-" + hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()[:16]
        while key in slots_by_key:
            key += "x"
        slots_by_key[key] = slot
    return slots_by_key


def sessions_of(engine: Engine, lesson: ScheduledLesson) -> list[SessionRecord]:
    """The sessions of a lesson's class (and room, if both have one) that started during it, the newest
    first."""
    sessions = queries.list_sessions(engine, lesson.class_name, since=lesson.starts_at, until=lesson.ends_at)
    return [s for s in sessions if None in (s.room, lesson.room) or s.room == lesson.room]


def was_ended_by_user(engine: Engine, lesson: ScheduledLesson) -> bool:
    """Whether the newest session of a lesson that is not over is finished: a user ended it, and a restart
    must not record again. The ``is_finished`` of ``Hooks``."""
    sessions = sessions_of(engine, lesson)
    return bool(sessions) and sessions[0].status is SessionStatus.FINISHED


def ended_while_paused(engine: Engine, lesson: ScheduledLesson) -> bool:
    """Whether the newest session of a lesson that is not over was paused at its end: it must stay paused
    after a restart."""
    sessions = sessions_of(engine, lesson)
    gaps = queries.list_gaps(engine, sessions[0].id) if sessions else []
    return bool(gaps) and gaps[-1].reason == GapReason.PAUSED.value and gaps[-1].end_s >= sessions[0].end_s


def record_missed_lesson(engine: Engine, lesson: ScheduledLesson, now: datetime) -> bool:
    """Write to log and audit that a lesson was not recorded, because too little of it remained when it could
    have started. Returns False, without writing, if it was recorded without the timetable."""
    if sessions_of(engine, lesson):
        return False
    room = f" in room {lesson.room}" if lesson.room else ""
    when = f"{lesson.starts_at:%Y-%m-%d %H:%M} to {lesson.ends_at:%H:%M} UTC"
    log.warning("the lesson of class %r%s, %s, was missed", lesson.class_name, room, when)
    with Store(engine).unit_of_work() as unit:
        unit.add_audit_entry("lesson_missed", f"lesson of class {lesson.class_name}{room}", now, when)
        unit.commit()
    return True
