"""The recordings of one computer: started, watched over, started again, ended.

Each room is recorded by a process of its own, so that a fault in one (a codec that crashes, a read that never
returns) costs that room some seconds and the others nothing. Nothing here waits: :class:`Supervisor` is told
what happens and what time it is, by one thread, and acts through the functions it was given.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from monitor.control import ControlError
from monitor.messages import Command, Message, Over, Pictured, Refused, Told
from monitor.order import Ended, Order
from monitor.respawn import Respawns
from monitor.room import Recording, Room
from monitor.rooms import Rooms, taken
from monitor.status import RecordingStatus

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
