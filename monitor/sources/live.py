"""A camera or a stream as a source: frames at their own pace, and gaps between them.

``monitor.sources.camera_state`` has the states and transitions; ``docs/explanation/camera.md`` explains them.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from monitor.imaging import image_size, letterbox
from monitor.runtime.backoff import ReconnectBackoff
from monitor.runtime.clock import SuspendAwareClock, suspend_aware_s
from monitor.sources.adjustment import Adjustment
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
from monitor.sources.capture import CaptureAddress, CapturedFrame
from monitor.sources.capture_thread import Connection, ConnectionManager, ConnectionStats, OpenConnection
from monitor.sources.errors import NO_SIGNAL_HINT, NoSignal, SignalLost
from monitor.sources.geometry import adjusted
from monitor.sources.sampling import Sampler
from monitor.types import Frame, Gap, GapReason

POLL_INTERVAL_S = 0.2
"""How often a waiting loop checks its stop event and the age of the last frame."""

MAX_FRAME_GAP_S = 2.0
"""A longer time without a fresh frame is a gap, unless sampling is slower than once a second. A sample stands
for at most as much time (``monitor.session.session.MAX_SAMPLE_DURATION_S``)."""

DUPLICATE_RECENT_S = 1.0
"""A duplicate within this time means that the image is frozen, otherwise that no frames arrive."""

MIN_OPENING_S = 10.0
"""The least time for the first frame of an attempt, however short ``stale_s`` is: opening a stream took three
seconds on one machine, and a camera that wakes up takes longer. Equal to OpenCV's own timeout."""

MAX_HOLD_S = 120.0
"""The longest time that a connection with only black frames or duplicates is kept. Reconnecting did not help
before, and a student who enters the dark or empty room of a working camera must be seen immediately."""


@dataclass(frozen=True)
class ReconnectSettings:
    """``stale_s``: a connection without a fresh frame for this long is given up. ``reconnect_s``: the budget
    of retries for one outage. ``tolerance``: see ``FrozenFrameDetector``."""

    stale_s: float
    reconnect_s: float
    tolerance: int


class ReconnectPolicy:
    """Decides when a connection without fresh frames is given up, and when the next attempt is due.

    Time in which the computer was suspended does not count. ``jitter`` returns numbers in 0..1.
    """

    def __init__(
        self, settings: ReconnectSettings, clock: Callable[[], float], jitter: Callable[[], float]
    ) -> None:
        self._stale_s = settings.stale_s
        self._clock = SuspendAwareClock(clock)
        self._backoff = ReconnectBackoff(settings.reconnect_s, jitter)
        self._waiting_since_s = 0.0
        self._hold_s = settings.stale_s
        self._due_s = 0.0

    def reset(self) -> None:
        """Forget earlier failures."""
        self._backoff.reset()
        self._hold_s = self._stale_s

    def start_attempt(self) -> None:
        """A connection is being opened: wait for its first frame from now on."""
        self._waiting_since_s = self._clock()

    def record_frame(self) -> None:
        """A fresh frame arrived."""
        self._waiting_since_s = self._clock()
        self._hold_s = self._stale_s
        self._backoff.record_frame(self._waiting_since_s)

    def exceeded_wait_s(self) -> float | None:
        """The time without a fresh frame if that is too long, else None."""
        waited_s = self._clock() - self._waiting_since_s
        return waited_s if waited_s >= self._hold_s else None

    def record_failure(self, *, received_any: bool) -> bool:
        """A connection was given up; returns whether there will be another attempt.

        ``received_any``: it delivered frames, though no fresh one. The next connection is then kept longer
        than this one.
        """
        due_s = self._backoff.record_failure(self._clock(), received_any=received_any)
        if due_s is None:
            return False
        self._due_s = due_s
        least_s = max(MIN_OPENING_S, self._stale_s)
        longer_s = min(max(2 * self._hold_s, least_s), max(MAX_HOLD_S, least_s))
        self._hold_s = longer_s if received_any else least_s
        return True

    def is_due(self) -> bool:
        """Whether the pause before the next attempt is over."""
        return self._clock() >= self._due_s


class GapReporter:
    """The gaps of a live source, and the reason why no fresh frame arrives. Times are media seconds."""

    def __init__(self) -> None:
        self.reason = ""
        """In a few words, for ``LiveSource.status``."""
        self.is_enabled = False
        """False before the first frame, with which the session starts: no gap is reported until then."""
        self.outage_start_s: float | None = None
        """The start of the open gap and of those before it that it continues; None without one."""
        self._tracker = GapTracker()

    @property
    def last_end_s(self) -> float:
        """The end of the last gap so far, media seconds; 0 before the first."""
        return self._tracker.end_s

    @property
    def is_open(self) -> bool:
        """Whether a gap is open."""
        return self._tracker.reason is not None

    def update(self, reason: GapReason, since_s: float, now_s: float) -> list[Gap]:
        """The gaps to report now if no frame is available since ``since_s``."""
        if not self.is_enabled:
            return []
        if self.outage_start_s is None:
            self.outage_start_s = min(since_s, now_s)
        return self._tracker.update(reason, since_s, now_s)

    def request(self, reason: GapReason, at_s: float) -> list[Gap]:
        """A pause begins or ends at ``at_s``: what follows is not a part of the same outage."""
        self.outage_start_s = at_s
        return self.update(reason, at_s, at_s)

    def extend(self, now_s: float) -> list[Gap]:
        """The open gap, if it is to be reported again."""
        reason = self._tracker.reason
        return [] if reason is None else self.update(reason, now_s, now_s)

    def end(self, now_s: float) -> list[Gap]:
        """Close the open gap and return it, if there is one."""
        self.outage_start_s = None
        return self._tracker.end(now_s)


class LiveSource:
    """A camera, by its number, or a stream, by its URL.

    ``media_s`` is the time since ``frames`` was first called, on a clock that includes suspend;
    ``captured_at`` is when the frame was read. Nothing is opened before ``frames``, and then in the thread
    of ``connect``, because opening may block. ``pause``, ``resume``, ``now_s``, ``status`` and ``pop_notes``
    may be called from any thread. ``clock`` is monotonic; ``jitter`` returns numbers in 0..1 for the pauses
    between attempts. ``adjustment`` is applied to every image.
    """

    is_live = True
    expected_s: float | None = None

    def __init__(
        self,
        address: CaptureAddress,
        name: str,
        settings: ReconnectSettings,
        connect: OpenConnection,
        *,
        clock: Callable[[], float] = suspend_aware_s,
        jitter: Callable[[], float] = random.random,
        adjustment: Adjustment | None = None,
    ) -> None:
        self.name = name
        self.frames_dropped = 0
        self._settings = settings
        self._adjustment = adjustment or Adjustment()
        self._sample_fps = 1.0
        self._connections = ConnectionManager(address, connect, settings.tolerance)
        self._clock = clock
        self._policy = ReconnectPolicy(settings, clock, jitter)
        self._state_machine = CameraStateMachine()
        self._gaps = GapReporter()
        self._notes = SourceNotes()
        self._pause_requests = PauseRequests(clock)
        self._origin_s: float | None = None
        # When the last fresh frame was read; and whether the connection was given up since.
        self._fresh_s: float | None = None
        self._was_lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_connection()

    def pause(self, age_s: float = 0.0) -> None:
        """Close the camera until ``resume``; frames that are read from now on are not yielded. The gap begins
        ``age_s`` seconds ago, when the pause was requested; frames since then may have been yielded."""
        self._pause_requests.add(pause=True, age_s=age_s)

    def resume(self) -> None:
        """Open the camera again after ``pause``."""
        self._pause_requests.add(pause=False)

    def now_s(self) -> float:
        """The current media time in seconds; 0 before ``frames`` was called."""
        return 0.0 if self._origin_s is None else self._media_s(self._clock())

    def status(self) -> CameraStatus:
        """The current state of the camera."""
        state, fresh_s = self._state_machine.state, self._fresh_s
        age_s = None if fresh_s is None else max(0.0, self._clock() - fresh_s)
        return CameraStatus(state, "" if state is CameraState.FRESH else self._gaps.reason, age_s)

    def pop_notes(self) -> list[tuple[float, str]]:
        """The new notes for the timeline: media seconds and a few words."""
        return self._notes.pop()

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """Yield the newest frame of each sampling interval, and gaps; see ``Source.frames`` and ``Gap``.

        All frames have the size of the first. Sampling times without a fresh frame (a slow reader, a slow
        camera) are counted in ``frames_dropped``, except in gaps. May be called again.

        Raises:
            NoSignal: the camera or stream cannot be opened, or delivers no first frame for ``stale_s``.
            SignalLost: it stopped, and could not be reached again for ``reconnect_s``.
        """
        self._close_connection()
        # Before the reader starts, so that its first frame is not before zero.
        if self._origin_s is None:
            self._origin_s = self._clock()
        self._sample_fps = sample_fps
        sampler = Sampler(sample_fps)
        max_gap_s = max(MAX_FRAME_GAP_S, 2 / sample_fps)
        try:
            self._start()
            while not stop.is_set():
                yield from self._apply_requests()
                if self._state_machine.state in CONNECTED:
                    yield from self._read_connection(sampler, max_gap_s)
                else:
                    yield from self._wait(stop)
            yield from self._gaps.end(self.now_s())
        finally:
            self._close_connection()

    # Pause and resume.

    def _start(self) -> None:
        if self._pause_requests.clear():
            self._gaps.reason = GapReason.PAUSED.value
        else:
            self._reopen()

    def _apply_requests(self) -> Iterator[Gap]:
        while self._pause_requests:
            request = self._pause_requests.next
            if request.pause:
                self._close_connection()
                self._gaps.reason = GapReason.PAUSED.value
            else:
                self._reopen()
            reason = GapReason.PAUSED if request.pause else GapReason.NO_SIGNAL
            at_s = max(self._media_s(request.requested_s), self._gaps.last_end_s)
            yield from self._gaps.request(reason, at_s)
            # Only now: a pending request keeps frames from being yielded.
            self._pause_requests.complete()

    def _reopen(self) -> None:
        """Open the camera for the first time or after a pause: earlier failures do not count."""
        self._policy.reset()
        self._was_lost = False
        self._state_machine.handle(CameraEvent.OPEN)
        self._open("opening")

    def _open(self, reason: str) -> None:
        self._gaps.reason = reason
        self._policy.start_attempt()
        self._connections.open(self._sample_fps)

    def _close_connection(self) -> None:
        self._connections.close()
        self._state_machine.handle(CameraEvent.CLOSE)

    # One step of the loop.

    def _wait(self, stop: threading.Event) -> list[Gap]:
        """While paused, or between two attempts."""
        stop.wait(POLL_INTERVAL_S)
        now_s, is_due = self._clock(), self._policy.is_due()
        if self._state_machine.state is CameraState.RECONNECTING and is_due and not self._pause_requests:
            self._state_machine.handle(CameraEvent.RETRY)
            self._open(self._gaps.reason)
        return self._gaps.extend(self._media_s(now_s))

    def _read_connection(self, sampler: Sampler, max_gap_s: float) -> Iterator[Frame | Gap]:
        """While connected: a fresh frame, none, or the end of the connection."""
        connection = self._connections.current
        if connection is None:
            stuck = f"{self._connections.stuck_count} earlier connections are stuck"
            yield from self._give_up(stuck, GapReason.NO_SIGNAL)
            return
        frame = connection.take(POLL_INTERVAL_S)
        if self._pause_requests:
            return
        if frame is not None:
            yield from self._handle_fresh(frame, sampler, max_gap_s)
        elif connection.failure is not None:
            yield from self._give_up(connection.failure, GapReason.NO_SIGNAL, hint=connection.hint)
        else:
            yield from self._handle_no_frame(connection, sampler, max_gap_s)

    def _handle_fresh(
        self, frame: CapturedFrame, sampler: Sampler, max_gap_s: float
    ) -> Iterator[Frame | Gap]:
        media_s = self._media_s(frame.read_s)
        outage_start_s = self._gaps.outage_start_s
        if self._gaps.is_open:
            sampler.restart()
            yield from self._gaps.end(media_s)
        elif frame.previous_read_s is not None and frame.read_s - frame.previous_read_s > max_gap_s:
            # The camera is that slow, or the computer was suspended and the loop did not notice.
            sampler.restart()
            yield Gap(self._media_s(frame.previous_read_s), media_s, GapReason.NO_SIGNAL)
        self._state_machine.handle(CameraEvent.FRESH_FRAME)
        self._fresh_s = frame.read_s
        self._gaps.is_enabled = True
        self._policy.record_frame()
        if self._was_lost and outage_start_s is not None:
            self._notes.add_reconnected(media_s, media_s - outage_start_s)
        self._was_lost = False
        image = adjusted(frame.image_bgr, self._adjustment)
        size = self._notes.add_size(media_s, image_size(image))
        missed = sampler.missed
        if sampler.is_due(media_s):
            self.frames_dropped += sampler.missed - missed
            yield Frame(letterbox(image, size), frame.captured_at, media_s, frame.active_tiles)

    def _handle_no_frame(self, connection: Connection, sampler: Sampler, max_gap_s: float) -> Iterator[Gap]:
        now_s, stats = self._clock(), connection.stats
        since_s = now_s if self._fresh_s is None else self._fresh_s
        reason = _gap_reason(stats, now_s)
        may_be_opening = reason is not GapReason.FROZEN and self._state_machine.state is CameraState.OPENING
        is_gap = now_s - since_s > max_gap_s and not may_be_opening
        if stats.black_since_s is not None:
            # Black is certain at once; an image that has not changed becomes a gap only after a while.
            reason, since_s, is_gap = GapReason.BLACK, stats.black_since_s, True
        if is_gap:
            self._state_machine.handle(CameraEvent.NO_FRESH_FRAME)
            self._gaps.reason = reason.value
            sampler.restart()
            yield from self._gaps.update(reason, self._media_s(since_s), self._media_s(now_s))
        else:
            yield from self._gaps.extend(self._media_s(now_s))
        waited_s = self._policy.exceeded_wait_s()
        if waited_s is not None:
            message = f"{reason.value} for {waited_s:.0f} s"
            yield from self._give_up(message, reason, received_any=stats.received_any)

    def _give_up(
        self, message: str, reason: GapReason, *, received_any: bool = False, hint: str | None = None
    ) -> Iterator[Gap]:
        """Close the connection and schedule the next attempt, or raise. ``received_any``: it delivered
        frames. ``hint``: a remedy, None for the usual one."""
        self._connections.close()
        self._gaps.reason = message
        if self._fresh_s is None:
            raise NoSignal(self.name, message, hint or NO_SIGNAL_HINT)
        self._state_machine.handle(CameraEvent.GIVE_UP)
        now_s, fresh_s = self._media_s(self._clock()), self._media_s(self._fresh_s)
        yield from self._gaps.update(reason, fresh_s, now_s)
        self._was_lost = True
        if not self._policy.record_failure(received_any=received_any):
            yield from self._gaps.end(now_s)
            self._state_machine.handle(CameraEvent.RETRIES_EXHAUSTED)
            raise SignalLost(self.name, fresh_s, message, self._settings.reconnect_s)

    def _media_s(self, at_s: float) -> float:
        return max(0.0, at_s - (self._origin_s or 0.0))


def _gap_reason(stats: ConnectionStats, now_s: float) -> GapReason:
    """Why a connection delivers no fresh frame, apart from black ones."""
    if stats.duplicate_at_s is not None and now_s - stats.duplicate_at_s <= DUPLICATE_RECENT_S:
        return GapReason.FROZEN
    return GapReason.NO_PARTICIPANTS if stats.no_participants else GapReason.NO_SIGNAL
