"""A camera or a stream: frames that come at their own pace, and gaps where they do not.

``docs/explanation/camera.md`` draws how it stands when; ``monitor.sources.camera_state`` has the table.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from monitor.errors import SourceError, SourceLost
from monitor.imaging import image_size, letterbox
from monitor.runtime.backoff import ReconnectBackoff
from monitor.runtime.clock import SuspendAwareClock, suspend_aware_s
from monitor.sources.camera_state import (
    CONNECTED,
    CameraEvent,
    CameraState,
    CameraStateMachine,
    CameraStatus,
    GapTracker,
    PauseRequests,
    SourceNotes,
)
from monitor.sources.capture import CapturedFrame
from monitor.sources.capture_thread import Connection, ConnectionManager, OpenConnection
from monitor.sources.sampling import Sampler
from monitor.types import Frame, Gap, GapReason, Size

POLL_INTERVAL_S = 0.2
"""How often a waiting reader looks at its stop event and at the age of the last picture."""

MAX_FRAME_GAP_S = 2.0
"""Longer without a fresh picture is a gap, unless sampling is slower than once a second. A sample stands
for at most as much time (``monitor.session.session.MAX_SAMPLE_DURATION_S``)."""

DUPLICATE_RECENT_S = 1.0
"""The same picture again within this time means that the picture is frozen, else that none comes."""

MIN_OPENING_S = 10.0
"""So long a try may take at least before its first picture, however short ``stale_s`` is: a stream is opened
in three seconds on one machine, and a camera that wakes up takes more. As long as OpenCV itself waits."""

MAX_HOLD_S = 120.0
"""The longest a connection is kept whose pictures stay black or the same. Opening it again did not help
before, and who comes into the dark or empty room before a sound camera must be seen at once."""


@dataclass(frozen=True)
class ReconnectPolicy:
    """``stale_s``: a connection without a fresh picture for so long is given up. ``reconnect_s``: so long
    the camera is sought then. ``tolerance``: see ``Freshness``."""

    stale_s: float
    reconnect_s: float
    tolerance: int


class LiveSource:
    """A camera by its number or a stream by its URL.

    ``media_s`` is the steady time since ``frames`` was first called; ``captured_at`` is when the picture
    was read. Nothing is opened before ``frames``, and then in the thread of ``connect``, because opening may
    block. ``pause``, ``resume``, ``now_s``, ``status`` and ``pop_notes`` may be called from any thread.
    ``clock`` is any that is never set back; ``jitter`` gives numbers in 0..1 for the pauses between tries.
    """

    is_live = True
    expected_s: float | None = None

    def __init__(
        self,
        address: int | str,
        name: str,
        policy: ReconnectPolicy,
        connect: OpenConnection,
        *,
        clock: Callable[[], float] = suspend_aware_s,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.frames_dropped = 0
        self._policy = policy
        self._connections = ConnectionManager(address, connect, policy.tolerance)
        self._clock = clock
        self._awake = SuspendAwareClock(clock)
        self._backoff = ReconnectBackoff(policy.reconnect_s, jitter)
        self._state_machine = CameraStateMachine()
        self._gap_tracker = GapTracker()
        self._notes = SourceNotes()
        self._pause_requests = PauseRequests(clock)
        self._origin_s: float | None = None
        self._size: Size | None = None
        self._reason = ""
        # When the last fresh picture was read; and the one before the connection was given up.
        self._fresh_s: float | None = None
        self._lost_s: float | None = None
        # On the waking clock: since when nothing fresh came, for how long that is borne, the next try.
        self._since_s = 0.0
        self._hold_s = policy.stale_s
        self._due_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_connection()

    def pause(self) -> None:
        """Close the camera and look at nothing until ``resume``; what is read from now on is not given."""
        self._pause_requests.add(pause=True)

    def resume(self) -> None:
        """Open the camera again after ``pause``."""
        self._pause_requests.add(pause=False)

    def now_s(self) -> float:
        """This moment as media seconds; 0 before ``frames`` was called."""
        return 0.0 if self._origin_s is None else self._media_s(self._clock())

    def status(self) -> CameraStatus:
        """How the camera stands at this moment."""
        state, fresh_s = self._state_machine.state, self._fresh_s
        age_s = None if fresh_s is None else max(0.0, self._clock() - fresh_s)
        return CameraStatus(state, "" if state is CameraState.FRESH else self._reason, age_s)

    def pop_notes(self) -> list[tuple[float, str]]:
        """What is worth a marker and has not been asked for yet: media seconds and a few words."""
        return self._notes.pop()

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """Yield the newest picture of each sampling interval, and gaps; see ``Source.frames`` and ``Gap``.

        All pictures have the size of the first. Sampling times that pass without a fresh picture (a slow
        reader, a slow camera) are counted in ``frames_dropped``, except in gaps. May be called again.

        Raises:
            SourceError: the camera or stream cannot be opened, or gives no first picture for ``stale_s``.
            SourceLost: it was gone, and not found again for ``reconnect_s``.
        """
        self._close_connection()
        # Before the reader starts: its first picture must not lie before zero.
        if self._origin_s is None:
            self._origin_s = self._clock()
        sampler = Sampler(sample_fps)
        quiet_s = max(MAX_FRAME_GAP_S, 2 / sample_fps)
        try:
            self._start()
            while not stop.is_set():
                yield from self._apply_requests()
                if self._state_machine.state in CONNECTED:
                    yield from self._read_connection(sampler, quiet_s)
                else:
                    yield from self._wait(stop)
            yield from self._gap_tracker.end(self.now_s())
        finally:
            self._close_connection()

    # What was ordered.

    def _start(self) -> None:
        if self._pause_requests.clear():
            self._reason = GapReason.PAUSED.value
        else:
            self._reopen()

    def _apply_requests(self) -> Iterator[Gap]:
        while self._pause_requests:
            order = self._pause_requests.next
            if order.pause:
                self._close_connection()
                self._reason = GapReason.PAUSED.value
                yield from self._gaps_since(GapReason.PAUSED, order.requested_s, order.requested_s)
            else:
                self._reopen()
                yield from self._gaps_since(GapReason.NO_SIGNAL, order.requested_s, order.requested_s)
            # Only now: an order that waits keeps pictures from being given.
            self._pause_requests.complete()

    def _reopen(self) -> None:
        """Pictures are wanted, and what failed before does not count."""
        self._backoff.reset()
        self._hold_s = self._policy.stale_s
        self._lost_s = None
        self._state_machine.handle(CameraEvent.OPEN)
        self._open("opening")

    def _open(self, reason: str) -> None:
        self._reason = reason
        self._since_s = self._awake()
        self._connections.open()

    def _close_connection(self) -> None:
        self._connections.close()
        self._state_machine.handle(CameraEvent.CLOSE)

    # One step of the loop.

    def _wait(self, stop: threading.Event) -> list[Gap]:
        """Paused, or between two tries."""
        stop.wait(POLL_INTERVAL_S)
        now_s, awake_s = self._clock(), self._awake()
        if (
            self._state_machine.state is CameraState.RECONNECTING
            and awake_s >= self._due_s
            and not self._pause_requests
        ):
            self._state_machine.handle(CameraEvent.RETRY)
            self._open(self._reason)
        return self._extend_gap(now_s)

    def _read_connection(self, sampler: Sampler, max_gap_s: float) -> Iterator[Frame | Gap]:
        """At the connection: a fresh picture, none, or its end."""
        connection = self._connections.current
        if connection is None:
            words = f"{self._connections.stuck_count} earlier connections hang"
            yield from self._give_up(words, GapReason.NO_SIGNAL)
            return
        shot = connection.take(POLL_INTERVAL_S)
        if self._pause_requests:
            return
        if shot is not None:
            yield from self._handle_fresh(shot, sampler, max_gap_s)
        elif connection.failure is not None:
            yield from self._give_up(connection.failure, GapReason.NO_SIGNAL)
        else:
            yield from self._handle_no_frame(connection, sampler, max_gap_s)

    def _handle_fresh(
        self, frame: CapturedFrame, sampler: Sampler, max_gap_s: float
    ) -> Iterator[Frame | Gap]:
        media_s = self._media_s(frame.read_s)
        if self._gap_tracker.reason is not None:
            sampler.restart()
            yield from self._gap_tracker.end(media_s)
        elif frame.previous_read_s is not None and frame.read_s - frame.previous_read_s > max_gap_s:
            # The camera is as slow as that, or the computer slept: the loop saw nothing of it.
            sampler.restart()
            yield Gap(self._media_s(frame.previous_read_s), media_s, GapReason.NO_SIGNAL)
        self._state_machine.handle(CameraEvent.FRESH_FRAME)
        self._fresh_s = frame.read_s
        self._since_s = self._awake()
        self._hold_s = self._policy.stale_s
        self._backoff.record_frame(self._since_s)
        if self._lost_s is not None:
            self._notes.add_reconnected(media_s, frame.read_s - self._lost_s)
            self._lost_s = None
        size = image_size(frame.image_bgr)
        self._notes.add_size(media_s, size)
        self._size = self._size or size
        missed = sampler.missed
        if sampler.is_due(media_s):
            self.frames_dropped += sampler.missed - missed
            yield Frame(
                letterbox(frame.image_bgr, self._size), frame.captured_at, media_s, frame.active_tiles
            )

    def _handle_no_frame(self, connection: Connection, sampler: Sampler, max_gap_s: float) -> Iterator[Gap]:
        now_s, seen = self._clock(), connection.stats
        since_s = now_s if self._fresh_s is None else self._fresh_s
        same = seen.duplicate_at_s is not None and now_s - seen.duplicate_at_s <= DUPLICATE_RECENT_S
        reason = (
            GapReason.FROZEN
            if same
            else GapReason.NO_PARTICIPANTS
            if seen.no_participants
            else GapReason.NO_SIGNAL
        )
        told = now_s - since_s > max_gap_s and (same or self._state_machine.state is not CameraState.OPENING)
        if seen.black_since_s is not None:
            # Black shows at once. What has not changed may still do so, and is a gap from hindsight.
            reason, since_s, told = GapReason.BLACK, seen.black_since_s, True
        if told:
            self._state_machine.handle(CameraEvent.NO_FRESH_FRAME)
            self._reason = reason.value
            sampler.restart()
            yield from self._gaps_since(reason, since_s, now_s)
        else:
            yield from self._extend_gap(now_s)
        stale_s = self._awake() - self._since_s
        if stale_s >= self._hold_s:
            yield from self._give_up(
                f"{reason.value} for {stale_s:.0f} s", reason, received_any=seen.received_any
            )

    def _give_up(self, message: str, reason: GapReason, *, received_any: bool = False) -> Iterator[Gap]:
        """Close the connection and say when to try again, or raise. ``received_any``: it did give pictures."""
        self._connections.close()
        self._reason = message
        if self._fresh_s is None:
            raise SourceError(
                f"{self.name} gives no picture ({message}); expected a connected camera or a stream that "
                "runs, not used by another program"
            )
        self._state_machine.handle(CameraEvent.GIVE_UP)
        now_s = self._clock()
        yield from self._gaps_since(reason, self._fresh_s, now_s)
        self._lost_s = self._fresh_s if self._lost_s is None else self._lost_s
        due_s = self._backoff.record_failure(self._awake(), received_any=received_any)
        if due_s is None:
            yield from self._gap_tracker.end(self._media_s(now_s))
            self._state_machine.handle(CameraEvent.RETRIES_EXHAUSTED)
            raise self._source_lost(message, self._media_s(self._fresh_s))
        self._due_s = due_s
        least_s = max(MIN_OPENING_S, self._policy.stale_s)
        self._hold_s = (
            min(max(2 * self._hold_s, least_s), max(MAX_HOLD_S, least_s)) if received_any else least_s
        )

    def _source_lost(self, message: str, position_s: float) -> SourceLost:
        sought = f", sought for {self._policy.reconnect_s:.0f} s" if self._policy.reconnect_s else ""
        where = f"{self.name} broke off at {position_s:.1f} s"
        return SourceLost(f"{where}: {message}{sought}; is it still connected?", position_s)

    # Gaps.

    def _gaps_since(self, reason: GapReason, since_s: float, now_s: float) -> list[Gap]:
        """The gaps to hand on; none before the first picture, with which the session begins. Steady time."""
        if self._size is None:
            return []
        return self._gap_tracker.update(reason, self._media_s(since_s), self._media_s(now_s))

    def _extend_gap(self, now_s: float) -> list[Gap]:
        reason = self._gap_tracker.reason
        return [] if reason is None else self._gaps_since(reason, now_s, now_s)

    def _media_s(self, at_s: float) -> float:
        return max(0.0, at_s - (self._origin_s or 0.0))
