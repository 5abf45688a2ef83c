"""The supervisor: starts, observes, restarts and ends the recorder workers of one computer.

Each room is recorded by a process of its own, so that a fault in one (a crashing codec, a read that never
returns) costs that room some seconds and the others nothing. Nothing here blocks: one thread reports events
and time to :class:`Supervisor`, which acts through the functions it was given.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from db.records import SessionStatus
from monitor.daemon.errors import CommandRejected, RecordingConflict, RecordingNotFound
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
from monitor.daemon.status import Problem, ProblemKind
from monitor.runtime.backoff import RestartBackoff
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

log = logging.getLogger(__name__)

HEARTBEAT_TIMEOUT_S = 60.0
"""A worker sends its status every second from its start. One that is silent for a minute hangs (in a kernel
driver, or as a stopped process) and is replaced."""

PROGRESS_TIMEOUT_S = 120.0
"""A worker whose media time does not advance for this long is killed. It advances at least once per second,
in gaps too. One step takes seconds on the slowest computer, and loading the models up to half a minute from a
cold disk."""

STOP_TIMEOUT_S = 90.0
"""A worker that has not ended this long after a stop request is killed. A session that ends retries for a
minute to write what a locked database or a full disk rejected."""

STILL_PAUSED = "it was paused when Classpulse ended; use 'classpulse resume'"


class Worker(Protocol):
    """A process that records one room."""

    def send(self, command: Command) -> None:
        """Send a command; does nothing after the process has ended."""
        ...

    def kill(self) -> None:
        """Kill the process."""
        ...


SpawnWorker = Callable[[RecordingRequest, int], Worker]
"""Starts a worker for a request, with the id under which its messages are reported. Raises OSError or
ValueError."""


@dataclass
class RecordingSlot:
    """The recording of one room: its request, its worker and its state. ``worker`` is None between two
    attempts. Times are monotonic seconds."""

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
    """The last request to pause (True) or resume (False), None without one. The status follows up to a second
    later."""
    cancelled: bool = False
    backoff: RestartBackoff = field(default_factory=RestartBackoff)

    @property
    def is_wanted(self) -> bool:
        """Whether no stop was requested."""
        return self.stop_requested_s is None

    @property
    def problem(self) -> Problem | None:
        """Why the request is not being recorded, None if it is."""
        if not self.reason:
            return None
        text = f"{self.request.place_label}: {self.reason}"
        return Problem(self.request.class_name, self.request.room, ProblemKind.RECORDING, text)

    @property
    def is_paused(self) -> bool:
        """Whether the recording is paused, by the last request, else by the status."""
        if self.pause_requested is not None:
            return self.pause_requested
        return self.status is not None and self.status.state is SessionState.PAUSED

    def is_hung(self, now_s: float) -> bool:
        """Whether the worker must be killed."""
        if self.stop_requested_s is not None:
            return now_s - self.stop_requested_s > STOP_TIMEOUT_S
        return (
            now_s - self.last_heartbeat_s > HEARTBEAT_TIMEOUT_S
            or now_s - self.last_progress_s > PROGRESS_TIMEOUT_S
        )

    def crash_outcome(self, exit_code: int) -> SessionEnded | StartFailed:
        """The outcome of a worker that ended without one; ``exit_code`` is negative for a signal."""
        how = f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
        reason = f"the recorder worker ended ({how})"
        if self.request.preview:
            reason += "; if the preview window caused it, omit --preview"
        if self.status is not None and self.status.session_id is not None:
            return SessionEnded(self.status.session_id, SessionStatus.INTERRUPTED, reason, is_retryable=True)
        if not self.is_wanted:
            reason = "stopped before the first frame: nothing was recorded"
        return StartFailed(reason, is_retryable=True)

    def set_paused(self, status: RecordingStatus, *, paused: bool) -> None:
        """Record a request to pause or resume. Raises CommandRejected if ``status`` does not allow it."""
        label = self.request.place_label
        # A working camera reports the age of its last frame, a video has none.
        if status.camera is CameraState.FRESH and status.camera_age_s is None:
            raise CommandRejected(
                f"{label} is analysed from a video, which cannot be paused.", "Stop it instead."
            )
        self.pause_requested = paused

    def current_status(self, target_fps: float) -> RecordingStatus:
        """The last status of the worker; before the first, one made from the request."""
        if self.status is not None:
            is_ending = self.stop_requested_s is not None and self.status.state not in (
                SessionState.FINISHED,
                SessionState.INTERRUPTED,
            )
            return replace(self.status, state=SessionState.ENDING) if is_ending else self.status
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
    """The slots by room, iterated in the order of the room names. Changes during an iteration do not affect
    it."""

    def __init__(self) -> None:
        self._slots: dict[str | None, RecordingSlot] = {}

    def __iter__(self) -> Iterator[RecordingSlot]:
        return iter([self._slots[key] for key in sorted(self._slots, key=lambda key: key or "")])

    def __bool__(self) -> bool:
        return bool(self._slots)

    def add(self, slot: RecordingSlot) -> None:
        """Add a slot; it replaces the one of the same room."""
        self._slots[slot.request.room] = slot

    def remove(self, slot: RecordingSlot) -> None:
        """Remove a slot."""
        del self._slots[slot.request.room]

    def by_worker_id(self, worker_id: int) -> RecordingSlot | None:
        """The slot of the current worker with that id."""
        return next((slot for slot in self if slot.worker_id == worker_id), None)

    def conflicting(self, request: RecordingRequest) -> RecordingSlot | None:
        """A slot with the room or the source of a request."""
        return next(
            (
                slot
                for slot in self
                if slot.request.room == request.room or slot.request.source == request.source
            ),
            None,
        )

    def find(
        self, room: str | None, session_id: int | None = None, class_name: str | None = None
    ) -> RecordingSlot:
        """The slot of ``room`` (None: the only one), of a session, or of a class in exactly that room. Raises
        RecordingNotFound."""
        if session_id is not None:
            return self._of_session(session_id)
        if class_name is not None:
            return self._of_class(room, class_name)
        if room is None and len(self._slots) == 1:
            return next(iter(self))
        if room is not None and room in self._slots:
            return self._slots[room]
        raise self._not_found(room)

    def _of_session(self, session_id: int) -> RecordingSlot:
        for slot in self:
            if slot.status is not None and slot.status.session_id == session_id:
                return slot
        raise RecordingNotFound(f"Session {session_id} is no longer being recorded.")

    def _of_class(self, room: str | None, class_name: str) -> RecordingSlot:
        slot = self._slots.get(room)
        if slot is None or slot.request.class_name != class_name:
            raise RecordingNotFound(f"Class {class_name!r} is no longer being recorded there.")
        return slot

    def _not_found(self, room: str | None) -> RecordingNotFound:
        if not self._slots:
            return RecordingNotFound("Nothing is being recorded.", "Start a session with 'classpulse start'.")
        names = ", ".join(sorted(repr(name) for name in self._slots if name is not None))
        if room is None:
            return RecordingNotFound(
                f"{len(self._slots)} rooms are being recorded.", f"Choose one with --room: {names}."
            )
        hint = f"Use one of {names}." if names else "The recording has no room: omit --room."
        return RecordingNotFound(f"Room {room!r} is not being recorded.", hint)


def conflict_error(request: RecordingRequest, other: RecordingSlot) -> RecordingConflict:
    """Why ``request`` cannot start while ``other`` is being recorded."""
    if other.request.room != request.room:
        return RecordingConflict(
            f"The camera of {request.place_label} is in use: {other.request.place_label} is being recorded "
            "with it."
        )
    session_id = None if other.status is None else other.status.session_id
    session = "" if session_id is None else f" (session {session_id})"
    return RecordingConflict(
        f"{other.request.place_label} is already being recorded{session}.",
        "Stop it with 'classpulse stop' first.",
    )


class Supervisor:
    """The recordings of one computer. All methods are called in one thread.

    ``spawn`` starts a worker; ``on_result`` is called at the end of each; ``clock`` returns monotonic
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
        """Whether nothing is recorded and no request waits."""
        return not self._slots and not self._queue

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why requests are not being recorded at the moment."""
        waiting = (
            Problem(
                request.class_name,
                request.room,
                ProblemKind.WAITING,
                f"{request.place_label} is waiting: {other.request.place_label} is still being recorded",
            )
            for request in self._queue.values()
            if (other := self._slots.conflicting(request)) is not None
        )
        return (*(slot.problem for slot in self._slots if slot.problem is not None), *waiting)

    def start(self, request: RecordingRequest) -> None:
        """Record ``request``.

        Raises RecordingConflict if its room or camera is in use. A scheduled request waits for them instead;
        if a manual recording of the same class uses them, it continues until the end of the scheduled one.
        """
        other = self._slots.conflicting(request)
        if other is None:
            self._start_worker(request)
        elif not request.scheduled:
            raise conflict_error(request, other)
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
        """End a recording, selected as by :meth:`RecordingSlots.find`; returns its status before. Raises
        RecordingNotFound."""
        slot = self._slots.find(room, session_id, class_name)
        slot.cancelled = True
        return self._request_stop(slot, immediate=immediate).current_status(self._target_fps)

    def stop_all(self, *, immediate: bool = False, reason: str = "") -> None:
        """End every recording and drop all waiting requests; ``reason`` as in ``Command``."""
        self._queue.clear()
        for slot in self._slots:
            slot.cancelled = True
            self._request_stop(slot, immediate=immediate, reason=reason)

    def kill_all(self) -> None:
        """Kill every worker; data not yet written are lost."""
        for slot in self._slots:
            if slot.worker is not None:
                slot.worker.kill()

    def is_paused(
        self, room: str | None, *, session_id: int | None = None, class_name: str | None = None
    ) -> bool:
        """Whether a recording, selected as by :meth:`RecordingSlots.find`, is paused. Raises
        RecordingNotFound."""
        return self._slots.find(room, session_id, class_name).is_paused

    def send_command(
        self,
        command: Command,
        room: str | None,
        *,
        session_id: int | None = None,
        class_name: str | None = None,
    ) -> RecordingStatus:
        """Send a command to a recording, selected as by :meth:`RecordingSlots.find`; returns its status. To
        pause a paused recording, or to resume another one, changes nothing.

        Raises RecordingNotFound, CommandRejected."""
        slot = self._slots.find(room, session_id, class_name)
        status = slot.current_status(self._target_fps)
        if command.verb in ("pause", "resume") and (command.verb == "pause") is slot.is_paused:
            return status
        if command.verb == "resume" and slot.worker is None and slot.is_paused:
            slot.pause_requested, slot.retry_at_s = False, self._clock()
            return status
        label = slot.request.place_label
        if status.session_id is None or slot.worker is None:
            raise CommandRejected(f"{label} has not started yet: no frame has arrived.")
        if not slot.is_wanted:
            raise CommandRejected(f"{label} is ending and accepts no more commands.")
        if command.verb in ("pause", "resume"):
            slot.set_paused(status, paused=command.verb == "pause")
        slot.worker.send(command)
        return status

    def handle_message(self, worker_id: int, message: Message) -> None:
        """Take a message of a worker; late messages of replaced workers are ignored."""
        slot = self._slots.by_worker_id(worker_id)
        if slot is None:
            return
        slot.last_heartbeat_s = self._clock()
        match message:
            case StatusUpdate(status):
                if slot.status is None or status.media_s != slot.status.media_s:
                    slot.last_progress_s = slot.last_heartbeat_s
                if status.session_id is not None:
                    slot.reason = ""
                slot.status = status
            case SessionEnded() | StartFailed():
                slot.outcome = message
            case PreviewFrame():
                pass  # delivered by the service

    def handle_exit(self, worker_id: int, exit_code: int) -> None:
        """Take the end of a worker; ``exit_code`` is negative for a signal."""
        slot = self._slots.by_worker_id(worker_id)
        if slot is None:
            return
        self._handle_outcome(slot, slot.outcome or slot.crash_outcome(exit_code))

    def tick(self) -> None:
        """Act on the time that has passed: end recordings at their end, kill hung workers, retry, drop late
        requests."""
        now_s = self._clock()
        for slot in self._slots:
            if slot.worker is None:
                self._retry(slot, now_s)
            elif slot.is_hung(now_s):
                log.error("the recorder worker of %s is stuck and is killed", slot.request.place_label)
                slot.worker.kill()
                slot.last_heartbeat_s = slot.last_progress_s = now_s
            elif slot.is_wanted and not self._is_due(slot.request):
                self._request_stop(slot)
        for room, request in list(self._queue.items()):
            if not self._is_due(request):
                del self._queue[room]
                reason = "its room was in use until the lesson ended"
                self._on_result(RecordingResult(request, None, None, reason, is_final=True))

    def statuses(self) -> tuple[RecordingStatus, ...]:
        """The status of each recording, by room."""
        return tuple(slot.current_status(self._target_fps) for slot in self._slots)

    def heartbeat_ages_s(self) -> tuple[float, ...]:
        """Seconds since the last message of each of :meth:`statuses`."""
        now_s = self._clock()
        return tuple(now_s - slot.last_heartbeat_s for slot in self._slots)

    def _start_worker(
        self, request: RecordingRequest, backoff: RestartBackoff | None = None, reason: str = ""
    ) -> None:
        self._last_worker_id += 1
        now_s = self._clock()
        slot = RecordingSlot(
            request, self._last_worker_id, None, now_s, now_s, self._utc_now(), reason=reason,
            backoff=backoff or RestartBackoff(),
        )  # fmt: skip
        self._slots.add(slot)
        if request.starts_paused:
            slot.request = replace(request, starts_paused=False)
            slot.pause_requested, slot.reason = True, STILL_PAUSED
            return
        try:
            slot.worker = self._spawn(request, self._last_worker_id)
        except (OSError, ValueError) as error:
            log.error("the recorder worker of %s could not be started: %s", request.place_label, error)
            reason = f"the recorder worker could not be started ({getattr(error, 'strerror', None) or error})"
            self._handle_outcome(slot, StartFailed(reason, is_retryable=True))

    def _handle_outcome(self, slot: RecordingSlot, outcome: SessionEnded | StartFailed) -> None:
        """Report the end of a worker; schedule a retry, or release the slot."""
        slot.worker = None
        will_retry = (
            slot.is_wanted
            and outcome.is_retryable
            and self._is_due(slot.request)
            and self._may_retry(slot, outcome)
        )
        was_running = slot.status is not None
        pause_s = slot.backoff.pause_s(self._clock(), was_running=was_running) if will_retry else None
        self._report_result(slot, outcome, is_final=pause_s is None)
        if pause_s is None:
            self._release(slot)
            return
        # A paused recording stays paused: it is retried on resume.
        slot.pause_requested = slot.is_paused
        slot.retry_at_s = None if slot.pause_requested else self._clock() + pause_s
        slot.reason = outcome.reason
        slot.status = None
        # The window may be the cause, and the lesson is more important.
        slot.request = replace(slot.request, preview=False)

    def _request_stop(
        self, slot: RecordingSlot, *, immediate: bool = False, reason: str = ""
    ) -> RecordingSlot:
        if slot.worker is None:  # between two attempts
            outcome = StartFailed(slot.reason or "stopped before it started", is_retryable=False)
            self._report_result(slot, outcome, is_final=True)
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
        """False for a manual request that could not start: its user waits for the error."""
        return slot.request.scheduled or not isinstance(outcome, StartFailed) or slot.backoff.has_begun

    def _release(self, slot: RecordingSlot) -> None:
        """Remove a slot and start the requests that waited for its room or camera."""
        self._slots.remove(slot)
        for room, request in list(self._queue.items()):
            # A request that cannot start releases its slot at once, and this loop runs within itself then.
            is_waiting = self._queue.get(room) is request
            if is_waiting and self._slots.conflicting(request) is None and self._is_due(request):
                del self._queue[room]
                self._start_worker(request)

    def _is_due(self, request: RecordingRequest) -> bool:
        return request.until is None or self._utc_now() < request.until

    def _report_result(
        self, slot: RecordingSlot, outcome: SessionEnded | StartFailed, *, is_final: bool
    ) -> None:
        ended = outcome if isinstance(outcome, SessionEnded) else None
        slot.backoff.has_begun = slot.backoff.has_begun or ended is not None
        self._on_result(
            RecordingResult(
                slot.request,
                None if ended is None else ended.session_id,
                None if ended is None else ended.status,
                outcome.reason,
                is_final,
                cancelled=slot.cancelled and ended is None,
            )
        )
