"""The timetable at work: lessons are begun and ended, what was missed is told, and the night's work is done.

For the daemon::

    scheduler = LessonScheduler(timetable_of(config), config.data_folder, hooks, late_start=...,
    night_hour=...) with scheduler: ...                     # until the daemon ends

``Hooks`` are what is called: ``begin``, ``end`` and ``missed`` one at a time, in a thread of the scheduler's,
so they must soon return (begin starts a process, end asks it to stop; the report is somebody else's).
``nightly`` has a thread of its own. What a hook raises is logged and forgotten.

What is decided is in ``monitor.daemon.timetable``; here are the thread and the clock, which are APScheduler's. Its
jobs, one for each slot and one for the night, survive restarts in ``schedule.db`` beside the record. It is a
file of its own, because APScheduler makes its table itself, outside our migrations, keeps pickles in it, and
writes at times when a recording must not wait for a lock; and because the record may be on a server, while
the timetable is this computer's. It holds no name and no address, and it can be deleted: then it is not known
what was missed until now.

The jobs of the timetable, in a file that survives restarts (``monitor.daemon.scheduler``).

Lessons of the timetable and the sessions that they came to.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

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
from tzlocal import get_localzone

from classpulse.config.settings import Config
from classpulse.errors import RunError
from db import sessions as queries
from db.clock import now_utc
from db.records import SessionRecord, SessionStatus
from db.unit_of_work import Store
from monitor.daemon.timetable import LessonSlot, ScheduledLesson, Timetable, local_to_utc
from monitor.types import GapReason

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
            return open_job_store(path)
        except OperationalError:
            raise
        except SQLAlchemyDatabaseError:
            log.warning(
                "%s is damaged; it is made anew, and what was missed until now is not told", path.name
            )
            for ending in ("", "-journal"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            return open_job_store(path)
    except (OperationalError, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise RunError(
            f"{path} cannot be used ({reason}); expected a file of Classpulse's that can be written: "
            "give its folder write permission and room, or delete it"
        ) from None


def open_job_store(path: Path) -> BackgroundScheduler:
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
        if scheduler.is_alive:
            scheduler.shutdown(wait=False)
        store.engine.dispose()
        raise
    return scheduler


SCHEDULE_FILE = "schedule.db"
NIGHTLY_KEY = "night"

_TICK_S = 15
"""A computer that slept wakes with a timer that was set before, and the waiting goes on as if it had not
slept: so the scheduler looks at the clock at least so often."""

_SKEW = timedelta(minutes=5)
"""How far the clock may have been set back since APScheduler read it."""

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Hooks:
    """``begin`` and ``end`` a lesson's recording. ``missed``: a lesson whose start was missed for good is
    told once. ``nightly``: once a night, or when the computer is on again. ``is_finished``: whether a lesson that is
    on when the daemon starts is not to be begun, because somebody ended its recording by hand."""

    begin: Callable[[ScheduledLesson], object]
    end: Callable[[ScheduledLesson], object]
    missed: Callable[[ScheduledLesson], object]
    nightly: Callable[[], object]
    is_finished: Callable[[ScheduledLesson], bool] = lambda _lesson: False


def build_timetable(config: Config) -> Timetable:
    """The timetable of the configuration, in its zone. Raises Overlap, which the settings have refused
    before."""
    settings = config.settings
    name = settings.schedule.zone or settings.output.time_zone
    return Timetable(settings.lesson_slots(), _zone(name), settings.schedule.holidays)


def _zone(name: str | None) -> Any:
    from zoneinfo import ZoneInfo

    return get_localzone() if name is None else ZoneInfo(name)


class LessonScheduler:
    """Calls the hooks when the timetable says so, from ``start`` to ``stop``. One at a time for a folder.

    ``late_start`` is how much of a lesson must be left for it to be begun late; ``night_hour`` the local hour
    of the night's work; ``clock`` gives aware UTC for what is decided (APScheduler's own cannot be changed).
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
        """Take up the stored jobs, put them in line with the timetable, begin what is on."""
        key = str(self._folder)
        if key in _RUNNING:
            raise RuntimeError(f"a scheduler runs already on {key}")
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
        """Call no hook any more; waits for one that is at work, so it is not to be called from one."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=True)
        if _RUNNING.get(str(self._folder)) is self:
            del _RUNNING[str(self._folder)]

    def next_lesson(self) -> ScheduledLesson | None:
        """The next lesson that begins."""
        return self.timetable.next_lesson(self._clock())

    def next_start(self, key: str, after: datetime) -> datetime | None:
        """For the stored jobs: when a slot's next lesson, or the next night's work, begins after that
        moment."""
        if key == NIGHTLY_KEY:
            day = after.astimezone(self.timetable.zone).date()
            nights = (local_to_utc(day + n * _DAY, self._night_at, self.timetable.zone) for n in range(-1, 4))
            return next(night for night in nights if night > after)
        slot = self._slots.get(key)
        lesson = None if slot is None else self.timetable.next_of_slot(slot, after)
        return None if lesson is None else lesson.starts_at

    def run_job(self, key: str, scheduled_at: datetime | None = None) -> None:
        """For the stored jobs: it is time for a slot, or for the night's work. ``scheduled_at``: for which moment,
        where APScheduler says so, which it does when it is late."""
        if key == NIGHTLY_KEY:
            self._hooks.nightly()
            return
        slot = self._slots.get(key)
        lesson = (
            None
            if slot is None
            else self.timetable.latest_of_slot(slot, scheduled_at or self._clock() + _SKEW)
        )
        # Of another moment: what was planned is on the timetable no more.
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
        """A lesson that was on at the start: one that was begun before the restart goes on. If it is too late
        for that, it is missed only if it was not begun: which the stored job knows."""
        if lesson in self._handled or not lesson.may_start(self._clock(), self._late_start):
            return
        if self._hooks.is_finished(lesson):
            self._handled.add(lesson)
        self._decide(lesson)

    def _on_missed_job(self, event: JobExecutionEvent) -> None:
        """APScheduler found a start past its time of grace; each has an event of its own, after a week off as
        well. It tells so from several threads, but hooks are called from one."""
        if event.job_id in self._slots:
            self._run_at(self._clock(), self.run_job, event.job_id, event.scheduled_run_time.astimezone(UTC))

    def _run_at(self, at: datetime, call: Callable[..., object], *arguments: object) -> None:
        if self._scheduler is not None:
            self._scheduler.add_job(
                call, "date", run_date=at, args=arguments, jobstore="memory", misfire_grace_time=None
            )

    def _reconcile(self, scheduler: BackgroundScheduler) -> None:
        """Drop the jobs of lessons that are on the timetable no more, add those of new ones, leave the
        others: of them the next start is known, and if it has passed, that it was missed."""
        now = self._clock()
        stored = {job.id: job for job in scheduler.get_jobs(jobstore="default")}
        for key in stored.keys() - self._slots.keys() - {NIGHTLY_KEY}:
            scheduler.remove_job(key, jobstore="default")
        for key in (*self._slots, NIGHTLY_KEY):
            planned = stored[key].next_run_time if key in stored else None
            # Else it is new, or has another zone, holiday or hour.
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
            # Every missed lesson is told; of missed nights one is enough.
            coalesce=night,
            misfire_grace_time=None if night else self._grace_s(key),
            executor="night" if night else "default",
        )

    def _grace_s(self, key: str) -> int:
        """How late APScheduler may be before it says so; by the rule for a usual day. On the days of a clock
        change it is corrected by ``_decide``, which has the lesson itself."""
        slot = self._slots[key]
        day = datetime(2000, 1, 1, tzinfo=UTC)
        usual = ScheduledLesson(
            "", None, "", *(datetime.combine(day, at, UTC) for at in (slot.starts, slot.ends))
        )
        return max(1, int((usual.latest_start(self._late_start) - usual.starts_at).total_seconds()))


class SlotTrigger(BaseTrigger):  # type: ignore[misc]
    """When a slot's lessons begin: asks the timetable that runs in this process. All that is stored is
    whose."""

    def __init__(self, folder: str, key: str) -> None:
        self.folder, self.key = folder, key

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """After the previous one where there is one, so that missed ones are counted one by one."""
        running = _RUNNING.get(self.folder)
        return None if running is None else running.next_start(self.key, previous_fire_time or now)

    def __getstate__(self) -> dict[str, str]:
        return {"folder": self.folder, "key": self.key}

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"<SlotTrigger {self.key}>"


_RUNNING: dict[str, LessonScheduler] = {}
"""By data folder. A stored job can name a function of a module, not an object: here it finds its
scheduler."""


def _run_job(folder: str, key: str) -> None:
    running = _RUNNING.get(folder)
    if running is not None:
        running.run_job(key)


def _nothing() -> None:
    pass


def _by_key(slots: Iterable[LessonSlot]) -> dict[str, LessonSlot]:
    """The slots by a name that stays as long as class, room, days and times do. The source is left out: it
    may hold a password, and is no reason to forget what was missed."""
    found: dict[str, LessonSlot] = {}
    for slot in slots:
        parts = (slot.class_name, slot.room or "", *sorted(slot.days), f"{slot.starts}", f"{slot.ends}")
        key = "lesson-" + hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()[:16]
        while key in found:
            key += "x"
        found[key] = slot
    return found


def sessions_of(engine: Engine, lesson: ScheduledLesson) -> list[SessionRecord]:
    """The sessions of its class (and of its room, where both say one) that began during a lesson, the newest
    first."""
    found = queries.list_sessions(engine, lesson.class_name, since=lesson.starts_at, until=lesson.ends_at)
    return [one for one in found if None in (one.room, lesson.room) or one.room == lesson.room]


def was_ended_by_user(engine: Engine, lesson: ScheduledLesson) -> bool:
    """Whether the newest session of a lesson that is still on was ended in good order: by somebody, then. The
    scheduler's ``is_finished``: a restart is no reason to watch again."""
    found = sessions_of(engine, lesson)
    return bool(found) and found[0].status is SessionStatus.FINISHED


def ended_while_paused(engine: Engine, lesson: ScheduledLesson) -> bool:
    """Whether the newest session of a lesson that is still on was paused to its last: who paused it wants
    nothing seen, after a restart as before it."""
    found = sessions_of(engine, lesson)
    gaps = queries.list_gaps(engine, found[0].id) if found else []
    return bool(gaps) and gaps[-1].reason == GapReason.PAUSED.value and gaps[-1].end_s >= found[0].end_s


def record_missed_lesson(engine: Engine, lesson: ScheduledLesson, now: datetime) -> bool:
    """Tell the log and the audit of a lesson that was not recorded, because too little was left of it when it
    could have been. False, and nothing is told, where somebody recorded it without the timetable."""
    if sessions_of(engine, lesson):
        return False
    room = f" in room {lesson.room}" if lesson.room else ""
    when = f"{lesson.starts_at:%Y-%m-%d %H:%M} to {lesson.ends_at:%H:%M} UTC"
    log.warning("the lesson of class %r%s, %s, was missed", lesson.class_name, room, when)
    with Store(engine).unit_of_work() as unit:
        unit.add_audit_entry("missed", f"lesson of class {lesson.class_name}{room}", now, when)
        unit.commit()
    return True
