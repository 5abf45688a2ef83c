"""Opens, ends and maintains the online lessons of a dashboard. Locks, threads and the clock are here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from classpulse.config.policy import require_policy
from classpulse.config.settings import Config
from classpulse.errors import RunError, UserError
from classpulse.online.erasure import (
    RegenerateReport,
    WithdrawnStudent,
    erase_withdrawn_student,
    regenerate_in_background,
)
from classpulse.online.feed import FrameServer
from classpulse.online.lesson import (
    OnlineLesson,
    OnlineParticipant,
    ParticipantState,
    fold_pseudonym,
    generate_code,
)
from db.clock import now_utc
from db.errors import DatabaseError
from db.roster import list_roster
from db.unit_of_work import Store
from monitor.daemon.control import Request, daemon_status
from monitor.daemon.control import send_request as send_to_daemon
from monitor.daemon.errors import ControlError, DaemonNotRunning
from monitor.runtime.clock import suspend_aware_s
from monitor.sources.online import ImageRequest
from monitor.sources.participant_grid import ParticipantList

log = logging.getLogger(__name__)

MAINTENANCE_INTERVAL_S = 2.0
"""How often the recordings and the pending erasures are checked."""

RECORDING_START_TIMEOUT_S = 30.0
"""A recording must appear in the daemon's status within this time."""

IDLE_TIMEOUT_S = 1800.0
"""A lesson without heartbeats ends after this time."""

WITHDRAWAL_PERIOD_S = 24 * 3600.0
"""After the end of a lesson, participants can withdraw for this time in the browser that they joined with;
the teacher can erase a student at any time."""

SendRequest = Callable[[Request], object]
"""Sends a request to the daemon. Raises ControlError."""


class LessonAlreadyOpen(UserError):
    """The class already has an open online lesson."""

    def __init__(self, class_name: str) -> None:
        super().__init__(f"{class_name} already has an open online lesson.", "End it first.")
        self.class_name = class_name


class RecordingNotStarted(RunError):
    """The recording of an online lesson did not start in time."""

    def __init__(self) -> None:
        super().__init__("The recording did not start.")


@dataclass
class _ActiveLesson:
    """A lesson and its frame server."""

    lesson: OnlineLesson
    feed: FrameServer
    opened_s: float
    was_recorded: bool = False


class OnlineLessonManager:
    """All online lessons. Thread-safe.

    ``send_request`` sends a request to the daemon, ``recorded_rooms`` returns the rooms that it records,
    ``regenerate`` regenerates a report. The first lesson starts a maintenance thread unless ``runs_thread``
    is False (tests call ``run_maintenance``).
    """

    def __init__(
        self,
        config: Config,
        engine: Engine,
        *,
        send_request: SendRequest | None = None,
        recorded_rooms: Callable[[], frozenset[str | None]] | None = None,
        regenerate: RegenerateReport = regenerate_in_background,
        clock: Callable[[], float] = suspend_aware_s,
        runs_thread: bool = True,
    ) -> None:
        self._config = config
        self._engine = engine
        self._send_request = send_request or (lambda request: send_to_daemon(config.data_folder, request))
        self._recorded_rooms = recorded_rooms or self._query_recorded_rooms
        self._regenerate = regenerate
        self._clock = clock
        self._runs_thread = runs_thread
        self._lock = threading.RLock()
        self._active: dict[int, _ActiveLesson] = {}
        self._last_number = 0

    # -- for the teacher's pages

    def open(self, class_name: str, capacity: int) -> OnlineLesson:
        """Open a lesson and start its recording. Raises UserError, ControlError."""
        policy = require_policy(self._config.settings.policy, self._config.file_name)
        with self._lock:
            if any(other.class_name == class_name and not other.ended for other in self.lessons()):
                raise LessonAlreadyOpen(class_name)
            self._last_number += 1
            lesson = OnlineLesson(
                self._last_number, generate_code(), class_name, capacity, policy.mode, now_utc()
            )
            feed = FrameServer(self._config.data_folder, self._poll_handler(lesson))
            self._active[lesson.number] = _ActiveLesson(lesson, feed, self._clock())
        try:
            self._send_request(
                Request("start", room=lesson.room, class_name=class_name, source=feed.source_spec)
            )
        except ControlError:
            with self._lock:
                del self._active[lesson.number]
            feed.close()
            raise
        if self._runs_thread and lesson.number == 1:
            threading.Thread(target=self._maintenance_loop, name="online lessons", daemon=True).start()
        return lesson

    def end(self, lesson: OnlineLesson) -> None:
        """End a lesson and stop its recording; the lesson ends even if the daemon cannot be reached. Raises
        ControlError."""
        with self._lock:
            lesson.end(self._clock())
            active = self._active[lesson.number]
        try:
            self._send_request(Request("stop", room=lesson.room))
        finally:
            active.feed.close()

    def lessons(self) -> list[OnlineLesson]:
        """All lessons, newest first."""
        with self._lock:
            return [
                active.lesson
                for active in sorted(self._active.values(), key=lambda other: -other.lesson.number)
            ]

    def by_number(self, number: int) -> OnlineLesson | None:
        """The lesson with this number."""
        with self._lock:
            active = self._active.get(number)
            return None if active is None else active.lesson

    # -- for the students' pages

    def by_code(self, code: str) -> OnlineLesson | None:
        """The lesson with this code (``parse_code``)."""
        with self._lock:
            return next(
                (active.lesson for active in self._active.values() if active.lesson.code == code), None
            )

    def join(self, lesson: OnlineLesson, token: str, pseudonym: str) -> OnlineParticipant:
        """Add a student who has consented. Raises RequestRejected."""
        roster = {
            fold_pseudonym(entry.pseudonym): entry.student_id if entry.consent is not False else None
            for entry in list_roster(self._engine, lesson.class_name)
        }
        with self.locked() as now_s:
            previous = lesson.participant(token)
            participant = lesson.join(token, pseudonym, roster, now_s)
        if previous is None:
            self._audit("join", lesson, f"tile {participant.tile + 1}")
        return participant

    def leave(self, lesson: OnlineLesson, token: str) -> None:
        """Mark a participant as left."""
        with self.locked():
            participant = lesson.leave(token)
        if participant is not None:
            self._audit("leave", lesson, f"tile {participant.tile + 1}")

    def withdraw_consent(self, lesson: OnlineLesson, token: str) -> OnlineParticipant | None:
        """Start the erasure of a participant's data; ``run_maintenance`` completes it."""
        with self.locked():
            previous = lesson.participant(token)
            is_new = previous is not None and previous.state is not ParticipantState.ERASING
            participant = lesson.withdraw_consent(token)
        if participant is not None and is_new:
            self._audit("withdraw consent", lesson, f"tile {participant.tile + 1}")
        return participant

    @contextmanager
    def locked(self) -> Iterator[float]:
        """Lock all lessons for a short operation; yields the current time."""
        with self._lock:
            yield self._clock()

    # -- maintenance

    def run_maintenance(self) -> None:
        """End lessons whose recording has ended or that are idle, erase data of withdrawn participants, and
        drop lessons after ``WITHDRAWAL_PERIOD_S``."""
        rooms = self._try_recorded_rooms()
        with self._lock:
            now_s, active_lessons = self._clock(), list(self._active.values())
            for active in active_lessons:
                self._end_unrecorded(active, rooms, now_s)
            idle = [active.lesson for active in active_lessons if self._is_idle(active, now_s)]
        for lesson in idle:
            try:
                self.end(lesson)
            except ControlError as error:
                log.warning("an idle online lesson could not be ended: %s", error)
        for active in active_lessons:
            self._erase_withdrawn(active.lesson)
            ended_s = active.lesson.ended_s
            if ended_s is not None and self._clock() - ended_s > WITHDRAWAL_PERIOD_S:
                with self._lock:
                    self._active.pop(active.lesson.number, None)

    def close(self) -> None:
        """End all lessons when the dashboard stops."""
        with self._lock:
            for active in self._active.values():
                active.lesson.end(self._clock())
                active.feed.close()

    def _is_idle(self, active: _ActiveLesson, now_s: float) -> bool:
        last_heartbeat_s = max(
            [active.opened_s, *(participant.last_heartbeat_s for participant in active.lesson.participants())]
        )
        return not active.lesson.ended and now_s - last_heartbeat_s > IDLE_TIMEOUT_S

    def _end_unrecorded(
        self, active: _ActiveLesson, rooms: frozenset[str | None] | None, now_s: float
    ) -> None:
        """End a lesson whose recording has ended or has not started in time."""
        if rooms is None or active.lesson.ended:
            return
        if active.lesson.room in rooms:
            active.was_recorded = True
        elif active.was_recorded or now_s - active.opened_s > RECORDING_START_TIMEOUT_S:
            active.lesson.error = None if active.was_recorded else RecordingNotStarted()
            active.lesson.end(now_s)
            active.feed.close()

    def _erase_withdrawn(self, lesson: OnlineLesson) -> None:
        with self._lock:
            withdrawing = [
                participant
                for participant in lesson.participants()
                if participant.state is ParticipantState.ERASING
            ]
        for participant in withdrawing:
            withdrawn = WithdrawnStudent(
                lesson.class_name,
                lesson.room,
                lesson.opened_at,
                participant.pseudonym,
                participant.student_id,
            )
            try:
                is_erased = erase_withdrawn_student(
                    self._engine,
                    self._config,
                    withdrawn,
                    self._regenerate,
                    acknowledged=participant.erasure_acknowledged,
                )
            except (DatabaseError, OSError) as error:
                log.warning("the data of a withdrawn participant could not be erased; retrying: %s", error)
                continue
            # Before the recorder has confirmed, it may still start a session with the participant.
            if is_erased and (participant.erasure_acknowledged or lesson.ended):
                with self._lock:
                    lesson.forget_participant(participant.tile)

    def _poll_handler(
        self, lesson: OnlineLesson
    ) -> Callable[[ImageRequest], tuple[ParticipantList, list[bytes]]]:
        def answer(request: ImageRequest) -> tuple[ParticipantList, list[bytes]]:
            with self._lock:
                return lesson.poll(request.after_number, request.erased_tiles, self._clock(), request.faces)

        return answer

    def _maintenance_loop(self) -> None:
        pause = threading.Event()
        while not pause.wait(MAINTENANCE_INTERVAL_S):
            try:
                self.run_maintenance()
            except Exception:
                log.exception("maintenance of online lessons failed")

    def _try_recorded_rooms(self) -> frozenset[str | None] | None:
        try:
            return self._recorded_rooms()
        except DaemonNotRunning:
            return frozenset()
        except ControlError as error:
            log.warning("the daemon does not answer: %s", error)
            return None

    def _query_recorded_rooms(self) -> frozenset[str | None]:
        daemon = daemon_status(self._config.data_folder)
        return frozenset() if daemon is None else frozenset(recording.room for recording in daemon.recordings)

    def _audit(self, action: str, lesson: OnlineLesson, detail: str) -> None:
        """Add an audit entry, without the pseudonym because audit entries outlive an erasure."""
        with Store(self._engine).unit_of_work() as unit:
            unit.add_audit_entry(action, f"online lesson of {lesson.class_name}", now_utc(), detail)
            unit.commit()
