"""Runs the timetable: starts lessons, reports missed ones and runs the nightly job.

``Hooks`` are the callbacks. ``begin``, ``end`` and ``missed`` are called one at a time in a thread of the
scheduler, so they must return soon; ``nightly`` has a thread of its own. An exception of a hook is logged.

``monitor.daemon.timetable`` decides; this module adds threads and clock: two checks that APScheduler runs
every second. The next start of each slot and of the nightly job is stored in ``schedule.json`` in the data
folder: a start that has passed when the daemon starts was missed meanwhile. The file contains no name and no
address. It can be deleted: lessons missed before are not reported then.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import TracebackType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from db import sessions as queries
from db.clock import now_utc
from db.records import SessionRecord, SessionStatus
from db.unit_of_work import Store
from monitor.daemon.timetable import LessonSlot, ScheduledLesson, Timetable, local_to_utc
from monitor.errors import RunError
from monitor.runtime.files import write_private
from monitor.runtime.ipc import error_line
from monitor.types import GapReason

log = logging.getLogger(__name__)

SCHEDULE_FILE = "schedule.json"
NIGHTLY_KEY = "night"

CHECK_INTERVAL_S = 1
"""Interval of the checks for what is due. A timer until the next start would be late after a suspend."""

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


def load_starts(path: Path) -> dict[str, datetime]:
    """The stored next starts (aware UTC) by key; none without a file. A damaged file is ignored. Raises
    RunError."""
    try:
        stored = json.loads(path.read_bytes())
        return {key: datetime.fromisoformat(start).astimezone(UTC) for key, start in stored.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error) from None
    except (ValueError, TypeError, AttributeError):
        log.warning("%s is damaged and is recreated; lessons missed before now are not reported", path.name)
        return {}


def save_starts(path: Path, starts: Mapping[str, datetime]) -> None:
    """Store the next starts by key. Raises OSError."""
    write_private(path, json.dumps({key: start.isoformat() for key, start in starts.items()}))


def _unusable(path: Path, error: OSError) -> RunError:
    return RunError(
        f"{path} cannot be used ({error_line(error)}).",
        "Check write permission and free space, or delete the file.",
    )


class LessonScheduler:
    """Calls the hooks by the timetable, from ``start`` to ``stop``. One per data folder at a time.

    ``late_start``: how much of a lesson must remain for a late start. ``night_hour``: the local hour of the
    nightly job. ``clock`` returns aware UTC.
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
        self._path = folder / SCHEDULE_FILE
        self._hooks = hooks
        self._late_start = late_start
        self._night_at = time(night_hour)
        self._clock = clock
        self._slots = _by_key(timetable.slots)
        self._starts: dict[str, datetime] = {}
        self._current: list[ScheduledLesson] = []
        self._running: list[ScheduledLesson] = []
        self._handled: set[ScheduledLesson] = set()
        self._scheduler: BackgroundScheduler | None = None
        # Held during the checks, so that stop() can wait for a running hook.
        self._lesson_lock, self._night_lock = threading.Lock(), threading.Lock()
        self._starts_lock = threading.Lock()

    def __enter__(self) -> LessonScheduler:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Load the stored starts, reconcile them with the timetable and start the current lessons. Raises
        RunError."""
        now = self._clock()
        self._starts = self._reconcile(load_starts(self._path), now)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            save_starts(self._path, self._starts)
        except OSError as error:
            raise _unusable(self._path, error) from None
        self._current = self.timetable.lessons_at(now)
        for name in ("apscheduler.scheduler", "apscheduler.executors.default"):
            # A check that is skipped or late is made up for by the next one.
            logging.getLogger(name).setLevel(logging.ERROR)
        self._scheduler = scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1), "night": ThreadPoolExecutor(1)},
            timezone=UTC,
            daemon=True,
        )
        for check, executor in ((self.run_due, "default"), (self.run_night, "night")):
            scheduler.add_job(
                check,
                "interval",
                seconds=CHECK_INTERVAL_S,
                executor=executor,
                coalesce=True,
                next_run_time=now,
            )
        scheduler.start()

    def stop(self) -> None:
        """Call no more hooks; waits for a running one, so it must not be called in a hook."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None:
            scheduler.shutdown(wait=False)
        with self._lesson_lock, self._night_lock:
            pass

    def next_lesson(self) -> ScheduledLesson | None:
        """The next lesson of the timetable."""
        return self.timetable.next_lesson(self._clock())

    def next_start(self, key: str, after: datetime) -> datetime | None:
        """The start of a slot's next lesson, or of the next nightly job, after ``after``."""
        if key == NIGHTLY_KEY:
            day = after.astimezone(self.timetable.zone).date()
            nights = (local_to_utc(day + n * _DAY, self._night_at, self.timetable.zone) for n in range(-1, 4))
            return next(night for night in nights if night > after)
        slot = self._slots.get(key)
        lesson = None if slot is None else self.timetable.next_of_slot(slot, after)
        return None if lesson is None else lesson.starts_at

    def _reconcile(self, stored: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
        """The next start of each slot and of the nightly job. A stored one that the timetable still has is
        kept: if it has passed, it was missed. Any other slot is new, or has another time zone, holiday or
        hour."""
        starts = {}
        for key in (*self._slots, NIGHTLY_KEY):
            start = stored.get(key)
            if start is None or start != self.next_start(key, min(start - _SECOND, now)):
                start = self.next_start(key, now)
            if start is not None:
                starts[key] = start
        return starts

    def run_due(self) -> None:
        """Start the current lessons after a start of the daemon, then handle every start and end that has
        passed; called by the scheduler."""
        with self._lesson_lock:
            if self._scheduler is None:
                return
            current, self._current = self._current, []
            for lesson in current:
                _logged(self._resume, lesson)
            now = self._clock()
            due = [lesson for key in self._slots for lesson in self._pop_due(key, now)]
            if due:
                self._save()  # first, so that a crash in a hook does not repeat it
            for lesson in sorted(due, key=lambda lesson: lesson.starts_at):
                _logged(self._decide, lesson)
            for lesson in [lesson for lesson in self._running if lesson.ends_at <= now]:
                self._running.remove(lesson)
                _logged(self._hooks.end, lesson)

    def run_night(self) -> None:
        """Run the nightly job if it is due; of several missed nights one is made up for. Called by the
        scheduler."""
        with self._night_lock:
            now = self._clock()
            if self._scheduler is None or self._starts[NIGHTLY_KEY] > now:
                return
            self._set_start(NIGHTLY_KEY, self.next_start(NIGHTLY_KEY, now))
            self._save()
            _logged(self._hooks.nightly)

    def _pop_due(self, key: str, now: datetime) -> list[ScheduledLesson]:
        """The lessons of a slot from its next start until ``now``; advances the next start."""
        lessons = []
        start = self._starts.get(key)
        while start is not None and start <= now:
            lesson = self.timetable.latest_of_slot(self._slots[key], start)
            if lesson is not None and lesson.starts_at == start:
                lessons.append(lesson)
            start = self.next_start(key, start)
        self._set_start(key, start)
        return lessons

    def _set_start(self, key: str, start: datetime | None) -> None:
        with self._starts_lock:
            if start is None:
                self._starts.pop(key, None)
            else:
                self._starts[key] = start

    def _save(self) -> None:
        try:
            with self._starts_lock:
                save_starts(self._path, self._starts)
        except OSError as error:
            # A full disk must not stop the lessons.
            log.warning("%s cannot be written: %s", self._path.name, error_line(error))

    def _resume(self, lesson: ScheduledLesson) -> None:
        """Continue a lesson that takes place at the start of the daemon. If it is too late, its stored start
        decides whether the lesson was missed or had been started before."""
        if lesson in self._handled or not lesson.may_start(self._clock(), self._late_start):
            return
        if self._hooks.is_finished(lesson):
            self._handled.add(lesson)
        self._decide(lesson)

    def _decide(self, lesson: ScheduledLesson) -> None:
        if lesson in self._handled:
            return
        self._handled.add(lesson)
        if lesson.may_start(max(self._clock(), lesson.starts_at), self._late_start):
            self._running.append(lesson)
            self._hooks.begin(lesson)
        else:
            self._hooks.missed(lesson)


def _logged(call: Callable[..., object], *arguments: object) -> None:
    try:
        call(*arguments)
    except Exception:
        log.exception("a job of the timetable failed")


def _by_key(slots: Iterable[LessonSlot]) -> dict[str, LessonSlot]:
    """The slots by a key that depends on class, room, days and times. The source is omitted: it may contain a
    password, and a changed source must not hide missed lessons."""
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
