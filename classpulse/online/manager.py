"""The online lessons of one dashboard: opened, asked, ended; locks, threads and the clock are here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from classpulse.config.policy import require_policy
from classpulse.config.settings import Config
from classpulse.errors import UserError
from classpulse.online.erasure import Remake, Withdrawn, erase, report_anew
from classpulse.online.feed import Feed
from classpulse.online.lesson import Member, OnlineLesson, State, folded, new_code
from db.clock import now_utc
from db.errors import DatabaseError
from db.roster import roster
from db.unit_of_work import Store
from monitor.daemon.control import Request, ask, ask_daemon
from monitor.daemon.errors import ControlError, NobodyThere
from monitor.runtime.clock import steady_s
from monitor.sources.online import Asked
from monitor.sources.participant_grid import Attendance

log = logging.getLogger(__name__)

TIDY_S = 2.0
"""How often it is looked whether recordings still run, and what is still to be erased."""

STARTING_S = 30.0
"""A recording may take so long to turn up among the service's."""

IDLE_S = 1800.0
"""A lesson that everybody has left and the teacher has forgotten ends after half an hour."""

KEPT_S = 24 * 3600.0
"""So long after its end a student can still erase what a lesson holds of them, from the browser it was joined
with; the teacher can at any time."""

Order = Callable[[Request], object]
"""Gives the program that records an order. Raises ControlError."""


@dataclass
class _Open:
    """A lesson and what belongs to it."""

    lesson: OnlineLesson
    feed: Feed
    begun_s: float
    seen: bool = False


class OnlineLessons:
    """Thread-safe. ``order`` reaches the program that records, ``rooms`` says which rooms it records;
    ``remake`` makes a report again. A thread looks after everything from the first lesson on; tests give
    ``watched`` False and call ``tidy``."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        *,
        order: Order | None = None,
        rooms: Callable[[], frozenset[str | None]] | None = None,
        remake: Remake = report_anew,
        clock: Callable[[], float] = steady_s,
        watched: bool = True,
    ) -> None:
        self._config = config
        self._engine = engine
        self._order = order or (lambda request: ask(config.data_folder, request))
        self._rooms = rooms or self._asked_rooms
        self._remake = remake
        self._clock = clock
        self._watched = watched
        self._lock = threading.RLock()
        self._open: dict[int, _Open] = {}
        self._numbers = 0

    # -- the teacher's ------------------------------------------------------------------------------------

    def open(self, class_name: str, places: int) -> OnlineLesson:
        """Open a lesson and have it recorded. Raises UserError, ControlError."""
        policy = require_policy(self._config.settings.policy, self._config.name)
        with self._lock:
            if any(one.class_name == class_name and not one.ended for one in self.lessons()):
                raise UserError(f"{class_name} has an online lesson already; end it first")
            self._numbers += 1
            lesson = OnlineLesson(self._numbers, new_code(), class_name, places, policy.mode, now_utc())
            feed = Feed(self._config.data_folder, self._answering(lesson))
            self._open[lesson.number] = _Open(lesson, feed, self._clock())
        try:
            self._order(Request("start", room=lesson.room, class_name=class_name, source=feed.spec))
        except ControlError:
            with self._lock:
                del self._open[lesson.number]
            feed.close()
            raise
        if self._watched and lesson.number == 1:
            threading.Thread(target=self._keep_tidy, name="tidy", daemon=True).start()
        return lesson

    def end(self, lesson: OnlineLesson) -> None:
        """End a lesson: nobody is seen from now on, also where the recording cannot be reached. Raises
        ControlError."""
        with self._lock:
            lesson.end(self._clock())
            opened = self._open[lesson.number]
        try:
            self._order(Request("stop", room=lesson.room))
        finally:
            opened.feed.close()

    def lessons(self) -> list[OnlineLesson]:
        """All that are known, the newest first."""
        with self._lock:
            return [one.lesson for one in sorted(self._open.values(), key=lambda o: -o.lesson.number)]

    def by_number(self, number: int) -> OnlineLesson | None:
        """The teacher's lesson of that number."""
        with self._lock:
            found = self._open.get(number)
            return None if found is None else found.lesson

    # -- the students' ------------------------------------------------------------------------------------

    def by_code(self, code: str) -> OnlineLesson | None:
        """The lesson of a code (``read_code``)."""
        with self._lock:
            return next((one.lesson for one in self._open.values() if one.lesson.code == code), None)

    def join(self, lesson: OnlineLesson, token: str, pseudonym: str) -> Member:
        """Somebody joins, who has consented. Raises Refused."""
        known = {
            folded(one.pseudonym): one.student_id if one.consent is not False else None
            for one in roster(self._engine, lesson.class_name)
        }
        with self.held() as now_s:
            before = lesson.member(token)
            member = lesson.join(token, pseudonym, known, now_s)
        if before is None:
            self._audit("join", lesson, f"place {member.tile + 1}")
        return member

    def leave(self, lesson: OnlineLesson, token: str) -> None:
        """Somebody leaves, or their tab was closed."""
        with self.held():
            member = lesson.leave(token)
        if member is not None:
            self._audit("leave", lesson, f"place {member.tile + 1}")

    def withdraw(self, lesson: OnlineLesson, token: str) -> Member | None:
        """Somebody leaves and wants nothing kept; it is erased at once or as soon as it can be."""
        with self.held():
            before = lesson.member(token)
            news = before is not None and before.state is not State.ERASING
            member = lesson.erase(token)
        if member is not None and news:
            self._audit("withdraw", lesson, f"place {member.tile + 1}")
        return member

    @contextmanager
    def held(self) -> Iterator[float]:
        """All lessons are nobody else's for the moment; gives the time. For something short."""
        with self._lock:
            yield self._clock()

    # -- what goes on by itself ---------------------------------------------------------------------------

    def tidy(self) -> None:
        """End what is not recorded any more, erase what is to be erased, forget what is long over."""
        rooms = self._rooms_or_none()
        with self._lock:
            now_s, opened = self._clock(), list(self._open.values())
            for one in opened:
                self._end_lost(one, rooms, now_s)
            idle = [one.lesson for one in opened if self._is_idle(one, now_s)]
        for lesson in idle:
            try:
                self.end(lesson)
            except ControlError as error:
                log.warning("an online lesson that nobody was in could not be ended: %s", error)
        for one in opened:
            self._erase_withdrawn(one.lesson)
            over_s = one.lesson.ended_s
            if over_s is not None and self._clock() - over_s > KEPT_S:
                with self._lock:
                    self._open.pop(one.lesson.number, None)

    def close(self) -> None:
        """The dashboard ends: so does every camera."""
        with self._lock:
            for one in self._open.values():
                one.lesson.end(self._clock())
                one.feed.close()

    def _is_idle(self, one: _Open, now_s: float) -> bool:
        heard_s = max([one.begun_s, *(member.heard_s for member in one.lesson.members())])
        return not one.lesson.ended and now_s - heard_s > IDLE_S

    def _end_lost(self, one: _Open, rooms: frozenset[str | None] | None, now_s: float) -> None:
        """A lesson ends with its recording, whoever ended that."""
        if rooms is None or one.lesson.ended:
            return
        if one.lesson.room in rooms:
            one.seen = True
        elif one.seen or now_s - one.begun_s > STARTING_S:
            one.lesson.problem = "" if one.seen else "the recording did not begin"
            one.lesson.end(now_s)
            one.feed.close()

    def _erase_withdrawn(self, lesson: OnlineLesson) -> None:
        with self._lock:
            waiting = [one for one in lesson.members() if one.state is State.ERASING]
        for member in waiting:
            who = Withdrawn(
                lesson.class_name, lesson.room, lesson.opened_at, member.pseudonym, member.student_id
            )
            try:
                done = erase(self._engine, self._config, who, self._remake, known=member.known)
            except (DatabaseError, OSError) as error:
                log.warning("what somebody withdrew is not erased yet, and tried again: %s", error)
                continue
            # Before the recording has understood, it may still begin a session with them.
            if done and (member.known or lesson.ended):
                with self._lock:
                    lesson.forget(member.tile)

    def _answering(self, lesson: OnlineLesson) -> Callable[[Asked], tuple[Attendance, list[bytes]]]:
        def answer(asked: Asked) -> tuple[Attendance, list[bytes]]:
            with self._lock:
                return lesson.asked(asked.after, asked.erased, self._clock(), asked.faces)

        return answer

    def _keep_tidy(self) -> None:
        pause = threading.Event()
        while not pause.wait(TIDY_S):
            try:
                self.tidy()
            except Exception:
                log.exception("online lessons could not be looked after")

    def _rooms_or_none(self) -> frozenset[str | None] | None:
        try:
            return self._rooms()
        except NobodyThere:
            return frozenset()
        except ControlError as error:
            log.warning("the service does not answer: %s", error)
            return None

    def _asked_rooms(self) -> frozenset[str | None]:
        daemon = ask_daemon(self._config.data_folder)
        return frozenset() if daemon is None else frozenset(one.room for one in daemon.recordings)

    def _audit(self, action: str, lesson: OnlineLesson, detail: str) -> None:
        """Without a pseudonym: the audit outlives what is erased."""
        with Store(self._engine).unit() as unit:
            unit.audit(action, f"online lesson of {lesson.class_name}", now_utc(), detail)
            unit.commit()
