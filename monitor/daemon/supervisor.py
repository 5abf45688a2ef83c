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
from monitor.daemon.protocol import (
    Command,
    Message,
    PreviewFrame,
    RecordingRequest,
    RecordingResult,
    SessionEnded,
    StartFailed,
    StatusUpdate,
)
from monitor.runtime.backoff import RestartBackoff
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

HEARTBEAT_TIMEOUT_S = 60.0
"""A recording tells of itself every second from the start of its process. One that says nothing for a minute
hangs (a driver in the kernel, a stopped process) and is replaced."""

PROGRESS_TIMEOUT_S = 120.0
"""Its place in the lecture moves on at least once a second, in gaps too. One step of the slowest computer
takes seconds; loading the models takes up to half a minute from a cold disk."""

STOP_TIMEOUT_S = 90.0
"""At its end a recording tries for a minute to write what a locked database or a full disk refused."""


class Worker(Protocol):
    """A process that records one room."""

    def send(self, command: Command) -> None:
        """Give it a command; does nothing when it is gone."""
        ...

    def kill(self) -> None:
        """End it without asking."""
        ...


@dataclass
class RecordingSlot:
    """One room's order and how it stands."""

    request: RecordingRequest
    worker_id: int
    worker: Worker | None
    last_heartbeat_s: float
    last_progress_s: float
    started_at: datetime
    status: RecordingStatus | None = None
    outcome: SessionEnded | StartFailed | None = None
    stop_requested_s: float | None = None
    retry_at_s: float | None = None
    reason: str = ""
    pause_requested: bool | None = None
    """What was last asked for; None: nothing. What it tells of itself comes up to a second later."""
    cancelled: bool = False
    backoff: RestartBackoff = field(default_factory=RestartBackoff)

    @property
    def is_wanted(self) -> bool:
        """Whether nobody has asked for its end."""
        return self.stop_requested_s is None

    @property
    def problem(self) -> str:
        """What keeps it from being recorded, one line; empty where nothing does."""
        return f"{self.request.place_label}: {self.reason}" if self.reason else ""

    @property
    def is_paused(self) -> bool:
        """Whether nothing is to be seen: what was last asked for, else what it tells."""
        if self.pause_requested is not None:
            return self.pause_requested
        return self.status is not None and self.status.state is SessionState.PAUSED

    def is_hung(self, now_s: float) -> bool:
        """Whether its recording is to be ended by force."""
        if self.stop_requested_s is not None:
            return now_s - self.stop_requested_s > STOP_TIMEOUT_S
        return (
            now_s - self.last_heartbeat_s > HEARTBEAT_TIMEOUT_S
            or now_s - self.last_progress_s > PROGRESS_TIMEOUT_S
        )

    def crash_outcome(self, exit_code: int) -> SessionEnded | StartFailed:
        """What to make of a recording whose process is gone without a last word; ``exit_code`` as for a
        process."""
        how = f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
        line = f"the process that recorded it ended ({how})"
        if self.request.preview:
            line += "; where it was the window, leave --preview out"
        if self.status is not None and self.status.session_id is not None:
            return SessionEnded(self.status.session_id, SessionStatus.INTERRUPTED, line, is_retryable=True)
        if not self.is_wanted:
            line = "stopped before the first picture came: nothing was recorded"
        return StartFailed(line, is_retryable=True)

    def set_paused(self, status: RecordingStatus, *, paused: bool) -> None:
        """Note that a pause begins or ends, by how it stands. Raises ControlError where that makes no
        sense."""
        where = self.request.place_label
        if paused and self.is_paused:
            raise ControlError(f"{where} is paused already; 'classpulse resume' goes on")
        if not paused and not self.is_paused:
            raise ControlError(f"{where} is not paused; it is {status.state.value}")
        # A camera that shows pictures knows how old the newest is; a film has no such thing.
        if status.camera is CameraState.FRESH and status.camera_age_s is None:
            raise ControlError(f"{where} is watched from a film, which cannot be paused; end it instead")
        self.pause_requested = paused

    def current_status(self, target_fps: float) -> RecordingStatus:
        """As its recording told, or what is known before it has told anything."""
        if self.status is not None:
            ending = self.stop_requested_s is not None and self.status.state not in (
                SessionState.FINISHED,
                SessionState.INTERRUPTED,
            )
            return replace(self.status, state=SessionState.ENDING) if ending else self.status
        return RecordingStatus(
            room=self.request.room,
            class_name=self.request.class_name,
            source="",
            session_id=None,
            state=SessionState.PAUSED if self.worker is None and self.is_paused else SessionState.STARTING,
            state_since=self.started_at,
            started_at=None,
            media_s=0.0,
            watched_s=0.0,
            camera=CameraState.CLOSED if self.worker is None else CameraState.OPENING,
            camera_reason=self.reason,
            camera_age_s=None,
            face_count=0,
            student_count=0,
            frames_sampled=0,
            frames_dropped=0,
            sample_fps=0.0,
            target_fps=target_fps,
            unwritten_bins=0,
            last_written_at=None,
        )


class RecordingSlots:
    """Each at most once, in the order of their names; what comes or goes while somebody goes through them
    changes nothing for those."""

    def __init__(self) -> None:
        self._slots: dict[str | None, RecordingSlot] = {}

    def __iter__(self) -> Iterator[RecordingSlot]:
        return iter([self._slots[key] for key in sorted(self._slots, key=lambda key: key or "")])

    def __bool__(self) -> bool:
        return bool(self._slots)

    def add(self, slot: RecordingSlot) -> None:
        """One more; it takes the place of what was recorded there before."""
        self._slots[slot.request.room] = slot

    def remove(self, slot: RecordingSlot) -> None:
        """It is recorded no more."""
        del self._slots[slot.request.room]

    def by_worker_id(self, worker_id: int) -> RecordingSlot | None:
        """The one whose present recording has that number."""
        return next((room for room in self if room.worker_id == worker_id), None)

    def conflicting(self, request: RecordingRequest) -> RecordingSlot | None:
        """The one that has the place or the camera of an order."""
        return next(
            (one for one in self if one.request.room == request.room or one.request.source == request.source),
            None,
        )

    def find(
        self, name: str | None, session_id: int | None = None, class_name: str | None = None
    ) -> RecordingSlot:
        """The one of that name (None: the only one), or of a session, or that of a class in exactly that
        room. Raises ControlError."""
        if session_id is not None:
            return self._of_session(session_id)
        if class_name is not None:
            return self._of_class(name, class_name)
        if name is None and len(self._slots) == 1:
            return next(iter(self))
        if name is not None and name in self._slots:
            return self._slots[name]
        raise ControlError(self._no_match_message(name))

    def _of_session(self, session_id: int) -> RecordingSlot:
        for one in self:
            if one.status is not None and one.status.session_id == session_id:
                return one
        raise ControlError(f"session {session_id} is not being recorded any more")

    def _of_class(self, name: str | None, class_name: str) -> RecordingSlot:
        known = self._slots.get(name)
        if known is None or known.request.class_name != class_name:
            raise ControlError(f"nothing is being recorded of {class_name!r} there any more")
        return known

    def _no_match_message(self, name: str | None) -> str:
        if not self._slots:
            return "nothing is being recorded; 'classpulse start' begins a session"
        names = ", ".join(sorted(repr(room) for room in self._slots if room is not None))
        if name is None:
            return f"{len(self._slots)} rooms are being recorded; say which with --room: {names}"
        return f"nothing is being recorded in {name!r}; expected one of {names or 'no room at all'}"


def conflict_message(request: RecordingRequest, other_slot: RecordingSlot) -> str:
    """Why ``request`` cannot be carried out while ``other_slot``, which is in its way, is recorded."""
    if other_slot.request.room != request.room:
        return f"the camera of {request.place_label} is in use: {other_slot.request.place_label} is being recorded with it"
    number = None if other_slot.status is None else other_slot.status.session_id
    session = "" if number is None else f"session {number}, "
    return f"{session}{other_slot.request.place_label}, is already being recorded; end it with 'classpulse stop' first"


log = logging.getLogger(__name__)

SpawnWorker = Callable[[RecordingRequest, int], Worker]
"""Starts a recording of an order, with the number that its messages come back under. Raises OSError
or ValueError where the computer gives no process."""

STILL_PAUSED = "it was paused when Classpulse ended; 'classpulse resume' goes on"


class Supervisor:
    """The rooms and their recordings. One thread owns it.

    ``spawn`` starts a process; ``on_result`` is told of each recording that is over; ``clock`` is steady
    seconds, ``utc_now`` aware UTC.
    """

    def __init__(
        self,
        spawn: SpawnWorker,
        on_result: Callable[[RecordingResult], None],
        *,
        target_fps: float,
        clock: Callable[[], float],
        utc_now: Callable[[], datetime],
    ) -> None:
        self._spawn = spawn
        self._on_result = on_result
        self._target_fps = target_fps
        self._clock = clock
        self._utc_now = utc_now
        self._slots = RecordingSlots()
        self._queue: dict[str | None, RecordingRequest] = {}
        self._last_worker_id = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is recorded and nothing is due."""
        return not self._slots and not self._queue

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps an order from being carried out now, one line each."""
        waiting = (
            f"{order.place_label} waits: {other.request.place_label} is still being recorded"
            for order in self._queue.values()
            if (other := self._slots.conflicting(order)) is not None
        )
        return (*(room.problem for room in self._slots if room.problem), *waiting)

    def start(self, request: RecordingRequest) -> None:
        """Record ``request`` from now on. Raises ControlError where its room or its camera is taken; a planned
        order then waits for it, and becomes the end of a recording of the same class that was begun by hand.
        """
        other = self._slots.conflicting(request)
        if other is None:
            self._start_worker(request)
        elif not request.scheduled:
            raise ControlError(conflict_message(request, other))
        elif (
            other.is_wanted and other.request.class_name == request.class_name and not other.request.scheduled
        ):
            other.request = replace(other.request, until=request.until, scheduled=True)
        else:
            self._queue[request.room] = request

    def stop(
        self,
        room: str | None,
        *,
        session_id: int | None = None,
        class_name: str | None = None,
        immediate: bool = False,
    ) -> RecordingStatus:
        """End the recording of ``slot`` (None: the only one), or of a session, or that of a class in exactly
        that room; returns how it stood. Raises ControlError."""
        found = self._slots.find(room, session_id, class_name)
        found.cancelled = True
        return self._request_stop(found, immediate=immediate).current_status(self._target_fps)

    def stop_all(self, *, immediate: bool = False, reason: str = "") -> None:
        """End every recording and forget what waits; ``reason`` as in ``Command``."""
        self._queue.clear()
        for room in self._slots:
            room.cancelled = True
            self._request_stop(room, immediate=immediate, reason=reason)

    def kill_all(self) -> None:
        """End every recording without asking; what it had not written by then is lost."""
        for room in self._slots:
            if room.worker is not None:
                room.worker.kill()

    def send_command(
        self,
        command: Command,
        room: str | None,
        *,
        session_id: int | None = None,
        class_name: str | None = None,
    ) -> RecordingStatus:
        """Hand a command to a recording, named as for :meth:`stop`; returns how it stands. Raises
        ControlError."""
        found = self._slots.find(room, session_id, class_name)
        status = found.current_status(self._target_fps)
        if command.verb == "resume" and found.worker is None and found.is_paused:
            found.pause_requested, found.retry_at_s = False, self._clock()
            return status
        if status.session_id is None or found.worker is None:
            raise ControlError(
                f"{found.request.place_label} has not begun yet: its first picture has not come"
            )
        if not found.is_wanted:
            raise ControlError(
                f"{found.request.place_label} is ending; what is said now finds no place any more"
            )
        if command.verb in ("pause", "resume"):
            found.set_paused(status, paused=command.verb == "pause")
        found.worker.send(command)
        return status

    def handle_message(self, worker_id: int, message: Message) -> None:
        """A recording said something. What an earlier recording of a room says late is ignored."""
        room = self._slots.by_worker_id(worker_id)
        if room is None:
            return
        room.last_heartbeat_s = self._clock()
        match message:
            case StatusUpdate(status):
                if room.status is None or status.media_s != room.status.media_s:
                    room.last_progress_s = room.last_heartbeat_s
                if status.session_id is not None:
                    room.reason = ""
                room.status = status
            case SessionEnded() | StartFailed():
                room.outcome = message
            case PreviewFrame():
                pass  # whoever asked for it gets it elsewhere

    def handle_exit(self, worker_id: int, exit_code: int) -> None:
        """A recording's process is gone; ``exit_code`` is its exit code, negative for a signal."""
        room = self._slots.by_worker_id(worker_id)
        if room is None:
            return
        self._handle_outcome(room, room.outcome or room.crash_outcome(exit_code))

    def tick(self) -> None:
        """Time has passed: what is over ends, what hangs is replaced, what is to be tried again is."""
        now_s = self._clock()
        for room in self._slots:
            if room.worker is None:
                self._retry(room, now_s)
            elif room.is_hung(now_s):
                log.error("the recording of %s hangs and is ended by force", room.request.place_label)
                room.worker.kill()
                room.last_heartbeat_s = room.last_progress_s = now_s
            elif room.is_wanted and not self._is_due(room.request):
                self._request_stop(room)
        for place, order in list(self._queue.items()):
            if not self._is_due(order):
                del self._queue[place]
                self._on_result(
                    RecordingResult(order, None, None, "its room was taken until it was over", is_final=True)
                )

    def statuses(self) -> tuple[RecordingStatus, ...]:
        """How each recording stands, in the order of rooms."""
        return tuple(room.current_status(self._target_fps) for room in self._slots)

    def heartbeat_ages_s(self) -> tuple[float, ...]:
        """How long ago each of :meth:`statuses` was told, seconds."""
        now_s = self._clock()
        return tuple(now_s - room.last_heartbeat_s for room in self._slots)

    # -- inside -------------------------------------------------------------------------------------------

    def _start_worker(
        self, request: RecordingRequest, backoff: RestartBackoff | None = None, reason: str = ""
    ) -> None:
        self._last_worker_id += 1
        now_s = self._clock()
        room = RecordingSlot(
            request, self._last_worker_id, None, now_s, now_s, self._utc_now(), reason=reason,
            backoff=backoff or RestartBackoff(),
        )  # fmt: skip
        self._slots.add(room)
        if request.starts_paused:
            room.request, room.pause_requested, room.reason = (
                replace(request, starts_paused=False),
                True,
                STILL_PAUSED,
            )
            return
        try:
            room.worker = self._spawn(request, self._last_worker_id)
        except (OSError, ValueError) as error:
            log.error("no process for the recording of %s: %s", request.place_label, error)
            line = f"its process could not be started ({getattr(error, 'strerror', None) or error})"
            self._handle_outcome(room, StartFailed(line, is_retryable=True))

    def _handle_outcome(self, slot: RecordingSlot, outcome: SessionEnded | StartFailed) -> None:
        """Its process is gone, or there never was one: that was it, or it is tried again after a while."""
        slot.worker = None
        again = (
            slot.is_wanted
            and outcome.is_retryable
            and self._is_due(slot.request)
            and self._may_retry(slot, outcome)
        )
        pause_s = slot.backoff.pause_s(self._clock(), was_running=slot.status is not None) if again else None
        self._report_result(slot, outcome, is_final=pause_s is None)
        if pause_s is None:
            self._release(slot)
            return
        # Who paused it wants nothing seen: it is sought again when they go on.
        slot.pause_requested = slot.is_paused
        slot.retry_at_s = None if slot.pause_requested else self._clock() + pause_s
        slot.reason = _reason(outcome)
        slot.status = None
        # A window is a part that can break, and the lecture matters more.
        slot.request = replace(slot.request, preview=False)

    def _request_stop(
        self, slot: RecordingSlot, *, immediate: bool = False, reason: str = ""
    ) -> RecordingSlot:
        if slot.worker is None:  # between two tries
            self._report_result(
                slot, StartFailed(slot.reason or "stopped before it began", is_retryable=False), is_final=True
            )
            self._release(slot)
            return slot
        if slot.is_wanted or immediate:
            slot.worker.send(Command("stop", immediate=immediate, reason=reason))
        slot.stop_requested_s = self._clock() if slot.stop_requested_s is None else slot.stop_requested_s
        return slot

    def _retry(self, slot: RecordingSlot, now_s: float) -> None:
        if not self._is_due(slot.request):
            self._request_stop(slot)
        elif slot.retry_at_s is not None and now_s >= slot.retry_at_s:
            self._start_worker(slot.request, slot.backoff, slot.reason)

    def _may_retry(self, slot: RecordingSlot, outcome: SessionEnded | StartFailed) -> bool:
        """By hand: somebody waits to hear that it does not begin. Planned: nobody does."""
        return slot.request.scheduled or not isinstance(outcome, StartFailed) or slot.backoff.has_begun

    def _release(self, slot: RecordingSlot) -> None:
        """A room is free again, and its camera; what waited for them begins."""
        self._slots.remove(slot)
        for place, order in list(self._queue.items()):
            # One that cannot begin leaves at once, and then all this has been gone through already.
            waits = self._queue.get(place) is order
            if waits and self._slots.conflicting(order) is None and self._is_due(order):
                del self._queue[place]
                self._start_worker(order)

    def _is_due(self, request: RecordingRequest) -> bool:
        return request.until is None or self._utc_now() < request.until

    def _report_result(
        self, slot: RecordingSlot, outcome: SessionEnded | StartFailed, *, is_final: bool
    ) -> None:
        began = isinstance(outcome, SessionEnded)
        slot.backoff.has_begun = slot.backoff.has_begun or began
        self._on_result(
            RecordingResult(
                slot.request,
                outcome.session_id if isinstance(outcome, SessionEnded) else None,
                outcome.status if isinstance(outcome, SessionEnded) else None,
                _reason(outcome),
                is_final,
                cancelled=slot.cancelled and not began,
            )
        )


def _reason(outcome: SessionEnded | StartFailed) -> str:
    return outcome.reason
