"""The recordings of one computer: started, watched over, started again, ended.

Each room is recorded by a process of its own, so that a fault in one (a codec that crashes, a read that never
returns) costs that room some seconds and the others nothing. Nothing here waits: :class:`Supervisor` is told
what happens and what time it is, by one thread, and acts through the functions it was given.

The rooms that are being recorded, and which of them somebody means.

One room that is being recorded: what was ordered, and how it stands. Nothing here waits or acts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from db.records import SessionStatus
from monitor.daemon.errors import ControlError
from monitor.daemon.protocol import Command, Ended, Message, Order, Over, Pictured, Refused, Told
from monitor.runtime.backoff import Respawns
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

SILENT_S = 60.0
"""A recording tells of itself every second from the start of its process. One that says nothing for a minute
hangs (a driver in the kernel, a stopped process) and is replaced."""

STUCK_S = 120.0
"""Its place in the lecture moves on at least once a second, in gaps too. One step of the slowest computer
takes seconds; loading the models takes up to half a minute from a cold disk."""

ENDING_S = 90.0
"""At its end a recording tries for a minute to write what a locked database or a full disk refused."""


class Recording(Protocol):
    """A process that records one room."""

    def send(self, command: Command) -> None:
        """Give it a command; does nothing when it is gone."""
        ...

    def kill(self) -> None:
        """End it without asking."""
        ...


@dataclass
class Room:
    """One room's order and how it stands."""

    order: Order
    number: int
    recording: Recording | None
    heard_s: float
    moved_s: float
    since: datetime
    status: RecordingStatus | None = None
    outcome: Over | Refused | None = None
    stopping_s: float | None = None
    next_try_s: float | None = None
    reason: str = ""
    paused: bool | None = None
    """What was last asked for; None: nothing. What it tells of itself comes up to a second later."""
    called_off: bool = False
    respawns: Respawns = field(default_factory=Respawns)

    @property
    def wanted(self) -> bool:
        """Whether nobody has asked for its end."""
        return self.stopping_s is None

    @property
    def problem(self) -> str:
        """What keeps it from being recorded, one line; empty where nothing does."""
        return f"{self.order.where}: {self.reason}" if self.reason else ""

    @property
    def is_paused(self) -> bool:
        """Whether nothing is to be seen: what was last asked for, else what it tells."""
        if self.paused is not None:
            return self.paused
        return self.status is not None and self.status.state is SessionState.PAUSED

    def hangs(self, now_s: float) -> bool:
        """Whether its recording is to be ended by force."""
        if self.stopping_s is not None:
            return now_s - self.stopping_s > ENDING_S
        return now_s - self.heard_s > SILENT_S or now_s - self.moved_s > STUCK_S

    def crash(self, code: int) -> Over | Refused:
        """What to make of a recording whose process is gone without a last word; ``code`` as for a
        process."""
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        line = f"the process that recorded it ended ({how})"
        if self.order.preview:
            line += "; where it was the window, leave --preview out"
        if self.status is not None and self.status.session_id is not None:
            return Over(self.status.session_id, SessionStatus.INTERRUPTED, line, again=True)
        if not self.wanted:
            line = "stopped before the first picture came: nothing was recorded"
        return Refused(line, again=True)

    def set_paused(self, status: RecordingStatus, *, paused: bool) -> None:
        """Note that a pause begins or ends, by how it stands. Raises ControlError where that makes no
        sense."""
        where = self.order.where
        if paused and self.is_paused:
            raise ControlError(f"{where} is paused already; 'classpulse resume' goes on")
        if not paused and not self.is_paused:
            raise ControlError(f"{where} is not paused; it is {status.state.value}")
        # A camera that shows pictures knows how old the newest is; a film has no such thing.
        if status.camera is CameraState.FRESH and status.camera_age_s is None:
            raise ControlError(f"{where} is watched from a film, which cannot be paused; end it instead")
        self.paused = paused

    def standing(self, wanted_fps: float) -> RecordingStatus:
        """As its recording told, or what is known before it has told anything."""
        if self.status is not None:
            ending = self.stopping_s is not None and self.status.state not in (
                SessionState.FINISHED,
                SessionState.INTERRUPTED,
            )
            return replace(self.status, state=SessionState.ENDING) if ending else self.status
        return RecordingStatus(
            room=self.order.room,
            class_name=self.order.class_name,
            source="",
            session_id=None,
            state=SessionState.PAUSED if self.recording is None and self.is_paused else SessionState.STARTING,
            since=self.since,
            started_at=None,
            media_s=0.0,
            watched_s=0.0,
            camera=CameraState.CLOSED if self.recording is None else CameraState.OPENING,
            camera_reason=self.reason,
            camera_age_s=None,
            faces_now=0,
            students=0,
            frames_sampled=0,
            frames_dropped=0,
            sample_fps=0.0,
            wanted_fps=wanted_fps,
            unwritten_bins=0,
            last_written_at=None,
        )


class Rooms:
    """Each at most once, in the order of their names; what comes or goes while somebody goes through them
    changes nothing for those."""

    def __init__(self) -> None:
        self._rooms: dict[str | None, Room] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter([self._rooms[key] for key in sorted(self._rooms, key=lambda key: key or "")])

    def __bool__(self) -> bool:
        return bool(self._rooms)

    def add(self, room: Room) -> None:
        """One more; it takes the place of what was recorded there before."""
        self._rooms[room.order.room] = room

    def remove(self, room: Room) -> None:
        """It is recorded no more."""
        del self._rooms[room.order.room]

    def by_number(self, number: int) -> Room | None:
        """The one whose present recording has that number."""
        return next((room for room in self if room.number == number), None)

    def in_the_way(self, order: Order) -> Room | None:
        """The one that has the place or the camera of an order."""
        return next(
            (one for one in self if one.order.room == order.room or one.order.source == order.source), None
        )

    def find(self, name: str | None, session_id: int | None = None, class_name: str | None = None) -> Room:
        """The one of that name (None: the only one), or of a session, or that of a class in exactly that
        room. Raises ControlError."""
        if session_id is not None:
            return self._of_session(session_id)
        if class_name is not None:
            return self._of_class(name, class_name)
        if name is None and len(self._rooms) == 1:
            return next(iter(self))
        if name is not None and name in self._rooms:
            return self._rooms[name]
        raise ControlError(self._nothing_meant(name))

    def _of_session(self, session_id: int) -> Room:
        for one in self:
            if one.status is not None and one.status.session_id == session_id:
                return one
        raise ControlError(f"session {session_id} is not being recorded any more")

    def _of_class(self, name: str | None, class_name: str) -> Room:
        known = self._rooms.get(name)
        if known is None or known.order.class_name != class_name:
            raise ControlError(f"nothing is being recorded of {class_name!r} there any more")
        return known

    def _nothing_meant(self, name: str | None) -> str:
        if not self._rooms:
            return "nothing is being recorded; 'classpulse start' begins a session"
        names = ", ".join(sorted(repr(room) for room in self._rooms if room is not None))
        if name is None:
            return f"{len(self._rooms)} rooms are being recorded; say which with --room: {names}"
        return f"nothing is being recorded in {name!r}; expected one of {names or 'no room at all'}"


def taken(order: Order, other: Room) -> str:
    """Why ``order`` cannot be carried out while ``other``, which is in its way, is recorded."""
    if other.order.room != order.room:
        return f"the camera of {order.where} is in use: {other.order.where} is being recorded with it"
    number = None if other.status is None else other.status.session_id
    session = "" if number is None else f"session {number}, "
    return f"{session}{other.order.where}, is already being recorded; end it with 'classpulse stop' first"


log = logging.getLogger(__name__)

Spawn = Callable[[Order, int], Recording]
"""Starts a recording of an order, with the number that its messages come back under. Raises OSError
or ValueError where the computer gives no process."""

STILL_PAUSED = "it was paused when Classpulse ended; 'classpulse resume' goes on"


class Supervisor:
    """The rooms and their recordings. One thread owns it.

    ``spawn`` starts a process; ``on_ended`` is told of each recording that is over; ``clock`` is steady
    seconds, ``now`` aware UTC.
    """

    def __init__(
        self,
        spawn: Spawn,
        on_ended: Callable[[Ended], None],
        *,
        wanted_fps: float,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._spawn = spawn
        self._on_ended = on_ended
        self._wanted_fps = wanted_fps
        self._clock = clock
        self._now = now
        self._rooms = Rooms()
        self._queue: dict[str | None, Order] = {}
        self._numbers = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is recorded and nothing is due."""
        return not self._rooms and not self._queue

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps an order from being carried out now, one line each."""
        waiting = (
            f"{order.where} waits: {other.order.where} is still being recorded"
            for order in self._queue.values()
            if (other := self._rooms.in_the_way(order)) is not None
        )
        return (*(room.problem for room in self._rooms if room.problem), *waiting)

    def start(self, order: Order) -> None:
        """Record ``order`` from now on. Raises ControlError where its room or its camera is taken; a planned
        order then waits for it, and becomes the end of a recording of the same class that was begun by hand.
        """
        other = self._rooms.in_the_way(order)
        if other is None:
            self._begin(order)
        elif not order.planned:
            raise ControlError(taken(order, other))
        elif other.wanted and other.order.class_name == order.class_name and not other.order.planned:
            other.order = replace(other.order, until=order.until, planned=True)
        else:
            self._queue[order.room] = order

    def stop(
        self,
        room: str | None,
        *,
        session_id: int | None = None,
        class_name: str | None = None,
        hurry: bool = False,
    ) -> RecordingStatus:
        """End the recording of ``room`` (None: the only one), or of a session, or that of a class in exactly
        that room; returns how it stood. Raises ControlError."""
        found = self._rooms.find(room, session_id, class_name)
        found.called_off = True
        return self._end(found, hurry=hurry).standing(self._wanted_fps)

    def stop_all(self, *, hurry: bool = False, interruption: str = "") -> None:
        """End every recording and forget what waits; ``interruption`` as in ``Command``."""
        self._queue.clear()
        for room in self._rooms:
            room.called_off = True
            self._end(room, hurry=hurry, interruption=interruption)

    def kill_all(self) -> None:
        """End every recording without asking; what it had not written by then is lost."""
        for room in self._rooms:
            if room.recording is not None:
                room.recording.kill()

    def command(
        self,
        command: Command,
        room: str | None,
        *,
        session_id: int | None = None,
        class_name: str | None = None,
    ) -> RecordingStatus:
        """Hand a command to a recording, named as for :meth:`stop`; returns how it stands. Raises
        ControlError."""
        found = self._rooms.find(room, session_id, class_name)
        status = found.standing(self._wanted_fps)
        if command.verb == "resume" and found.recording is None and found.is_paused:
            found.paused, found.next_try_s = False, self._clock()
            return status
        if status.session_id is None or found.recording is None:
            raise ControlError(f"{found.order.where} has not begun yet: its first picture has not come")
        if not found.wanted:
            raise ControlError(f"{found.order.where} is ending; what is said now finds no place any more")
        if command.verb in ("pause", "resume"):
            found.set_paused(status, paused=command.verb == "pause")
        found.recording.send(command)
        return status

    def heard(self, number: int, message: Message) -> None:
        """A recording said something. What an earlier recording of a room says late is ignored."""
        room = self._rooms.by_number(number)
        if room is None:
            return
        room.heard_s = self._clock()
        match message:
            case Told(status):
                if room.status is None or status.media_s != room.status.media_s:
                    room.moved_s = room.heard_s
                if status.session_id is not None:
                    room.reason = ""
                room.status = status
            case Over() | Refused():
                room.outcome = message
            case Pictured():
                pass  # whoever asked for it gets it elsewhere

    def exited(self, number: int, code: int) -> None:
        """A recording's process is gone; ``code`` is its exit code, negative for a signal."""
        room = self._rooms.by_number(number)
        if room is None:
            return
        self._over(room, room.outcome or room.crash(code))

    def tick(self) -> None:
        """Time has passed: what is over ends, what hangs is replaced, what is to be tried again is."""
        now_s = self._clock()
        for room in self._rooms:
            if room.recording is None:
                self._retry(room, now_s)
            elif room.hangs(now_s):
                log.error("the recording of %s hangs and is ended by force", room.order.where)
                room.recording.kill()
                room.heard_s = room.moved_s = now_s
            elif room.wanted and not self._still_on(room.order):
                self._end(room)
        for place, order in list(self._queue.items()):
            if not self._still_on(order):
                del self._queue[place]
                self._on_ended(Ended(order, None, None, "its room was taken until it was over", last=True))

    def statuses(self) -> tuple[RecordingStatus, ...]:
        """How each recording stands, in the order of rooms."""
        return tuple(room.standing(self._wanted_fps) for room in self._rooms)

    def silences_s(self) -> tuple[float, ...]:
        """How long ago each of :meth:`statuses` was told, seconds."""
        now_s = self._clock()
        return tuple(now_s - room.heard_s for room in self._rooms)

    # -- inside -------------------------------------------------------------------------------------------

    def _begin(self, order: Order, respawns: Respawns | None = None, reason: str = "") -> None:
        self._numbers += 1
        now_s = self._clock()
        room = Room(
            order, self._numbers, None, now_s, now_s, self._now(), reason=reason,
            respawns=respawns or Respawns(),
        )  # fmt: skip
        self._rooms.add(room)
        if order.paused:
            room.order, room.paused, room.reason = replace(order, paused=False), True, STILL_PAUSED
            return
        try:
            room.recording = self._spawn(order, self._numbers)
        except (OSError, ValueError) as error:
            log.error("no process for the recording of %s: %s", order.where, error)
            line = f"its process could not be started ({getattr(error, 'strerror', None) or error})"
            self._over(room, Refused(line, again=True))

    def _over(self, room: Room, outcome: Over | Refused) -> None:
        """Its process is gone, or there never was one: that was it, or it is tried again after a while."""
        room.recording = None
        again = room.wanted and outcome.again and self._still_on(room.order) and self._worth_it(room, outcome)
        pause_s = room.respawns.pause_s(self._clock(), ran=room.status is not None) if again else None
        self._tell(room, outcome, last=pause_s is None)
        if pause_s is None:
            self._leave(room)
            return
        # Who paused it wants nothing seen: it is sought again when they go on.
        room.paused = room.is_paused
        room.next_try_s = None if room.paused else self._clock() + pause_s
        room.reason = _reason(outcome)
        room.status = None
        # A window is a part that can break, and the lecture matters more.
        room.order = replace(room.order, preview=False)

    def _end(self, room: Room, *, hurry: bool = False, interruption: str = "") -> Room:
        if room.recording is None:  # between two tries
            self._tell(room, Refused(room.reason or "stopped before it began", again=False), last=True)
            self._leave(room)
            return room
        if room.wanted or hurry:
            room.recording.send(Command("stop", hurry=hurry, interruption=interruption))
        room.stopping_s = self._clock() if room.stopping_s is None else room.stopping_s
        return room

    def _retry(self, room: Room, now_s: float) -> None:
        if not self._still_on(room.order):
            self._end(room)
        elif room.next_try_s is not None and now_s >= room.next_try_s:
            self._begin(room.order, room.respawns, room.reason)

    def _worth_it(self, room: Room, outcome: Over | Refused) -> bool:
        """By hand: somebody waits to hear that it does not begin. Planned: nobody does."""
        return room.order.planned or not isinstance(outcome, Refused) or room.respawns.began

    def _leave(self, room: Room) -> None:
        """A room is free again, and its camera; what waited for them begins."""
        self._rooms.remove(room)
        for place, order in list(self._queue.items()):
            # One that cannot begin leaves at once, and then all this has been gone through already.
            waits = self._queue.get(place) is order
            if waits and self._rooms.in_the_way(order) is None and self._still_on(order):
                del self._queue[place]
                self._begin(order)

    def _still_on(self, order: Order) -> bool:
        return order.until is None or self._now() < order.until

    def _tell(self, room: Room, outcome: Over | Refused, *, last: bool) -> None:
        began = isinstance(outcome, Over)
        room.respawns.began = room.respawns.began or began
        self._on_ended(
            Ended(
                room.order,
                outcome.session_id if isinstance(outcome, Over) else None,
                outcome.status if isinstance(outcome, Over) else None,
                _reason(outcome),
                last,
                called_off=room.called_off and not began,
            )
        )


def _reason(outcome: Over | Refused) -> str:
    return outcome.reason if isinstance(outcome, Over) else outcome.line
