"""Connections to a camera, each read in a thread of its own that keeps the newest fresh frame."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from monitor.runtime.clock import suspend_aware_s
from monitor.sources.capture import (
    Capture,
    CaptureAddress,
    CapturedFrame,
    CaptureError,
    CaptureFactory,
    ReadOutcome,
    thumbnail,
)
from monitor.sources.freshness import FrameStatus, FrozenFrameDetector
from monitor.types import ImageBGR

JOIN_TIMEOUT_S = 0.5
"""How long closing waits for a ``read`` that blocks. After that the thread, a daemon, is abandoned."""


class LatestFrameSlot:
    """Holds the newest frame: a queue would fill with old ones when the detector is slower than the camera.

    ``failure`` states why no more frames will come, None while they may; ``hint``: a remedy, None for the
    usual one.
    """

    def __init__(self) -> None:
        self.failure: str | None = None
        self.hint: str | None = None
        self._changed = threading.Condition()
        self._frame: CapturedFrame | None = None

    def put(self, frame: CapturedFrame) -> None:
        """Store a frame; it replaces one that was not taken."""
        with self._changed:
            self._frame = frame
            self._changed.notify_all()

    def fail(self, reason: str, hint: str | None = None) -> None:
        """No more frames will come; the first reason is kept, with its hint."""
        with self._changed:
            if self.failure is None:
                self.failure, self.hint = reason, hint
            self._changed.notify_all()

    def take(self, timeout_s: float) -> CapturedFrame | None:
        """The newest frame that was not taken yet, after waiting up to ``timeout_s`` for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self.failure is not None, timeout_s)
            frame, self._frame = self._frame, None
            return frame


class ReaderThread(ABC):
    """A connection that is read in a thread of its own; subclasses start ``_thread`` when they are ready."""

    def __init__(self, name: str) -> None:
        self._slot = LatestFrameSlot()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def failure(self) -> str | None:
        """Why no more frames will come, None while they may."""
        return self._slot.failure

    @property
    def hint(self) -> str | None:
        """A remedy for ``failure``, None for the usual one."""
        return self._slot.hint

    @property
    def is_alive(self) -> bool:
        """Whether the thread still runs, perhaps in a blocking call."""
        return self._thread.is_alive()

    def take(self, timeout_s: float) -> CapturedFrame | None:
        """The newest frame that was not taken yet, after waiting up to ``timeout_s`` for one."""
        return self._slot.take(timeout_s)

    def close(self) -> None:
        """Ask the thread to end, and wait ``JOIN_TIMEOUT_S`` for it."""
        self._closing.set()
        self._thread.join(JOIN_TIMEOUT_S)

    @abstractmethod
    def _run(self) -> None:
        """Read until ``_closing`` is set; put new frames, or the reason of a failure, into ``_slot``."""


RETRY_READ_S = 0.02
"""The pause after a failed ``read``: some drivers fail immediately and forever, and would use a whole
core."""

DUPLICATE_PAUSE_S = 0.005
"""The pause after a frame that is not fresh, because a frozen driver may return it again immediately. With a
longer one a stream of 60 frames per second would lag more and more."""

MAX_FAILING_S = 2.0
"""A connection that delivered frames has ended when every ``read`` has failed for this long: neither FFmpeg
nor the driver of an unplugged camera recovers. Single failures are ignored."""


@dataclass(frozen=True)
class ConnectionStats:
    """The frames that a connection delivered besides fresh ones; times on the suspend-aware clock, None for
    never.

    ``black_since_s``: only black frames have arrived since then. ``duplicate_at_s``: time of the last
    duplicate. ``received_any``: any frame arrived. ``no_participants``: no frame is expected, because the
    online lesson has no participant.
    """

    black_since_s: float | None = None
    duplicate_at_s: float | None = None
    received_any: bool = False
    no_participants: bool = False


class Connection(Protocol):
    """The interface that a live source needs; ``CaptureThread`` implements it."""

    @property
    def failure(self) -> str | None:
        """Why no more frames will come, None while they may."""
        ...

    @property
    def hint(self) -> str | None:
        """A remedy for ``failure``, None for the usual one."""
        ...

    @property
    def stats(self) -> ConnectionStats:
        """The frames that arrived besides fresh ones."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether its thread still runs, also after ``close``."""
        ...

    def take(self, timeout_s: float) -> CapturedFrame | None:
        """The newest frame that was not taken yet, after waiting up to ``timeout_s`` for one."""
        ...

    def close(self) -> None:
        """Ask it to end. Returns soon, even if a call to the camera blocks."""
        ...


OpenConnection = Callable[[CaptureAddress, FrozenFrameDetector, float], Connection]
"""Starts a connection to a camera or stream; the number is how many frames per second are wanted. Must not
block."""


class FrameClassifier:
    """Selects the fresh frames of one connection and detects its end."""

    def __init__(self, frozen_detector: FrozenFrameDetector, clock: Callable[[], float]) -> None:
        self.stats = ConnectionStats()
        self._frozen_detector = frozen_detector
        self._clock = clock
        self._failing_since_s: float | None = None
        self._fresh_s: float | None = None

    def classify(self, image_bgr: ImageBGR | None) -> CapturedFrame | None:
        """Take the frame that was read, None if there was none; returns it if it is fresh."""
        now_s = self._clock()
        if image_bgr is None:
            if self._failing_since_s is None:
                self._failing_since_s = now_s
            return None
        self._failing_since_s = None
        return self._classify_image(image_bgr, now_s)

    @property
    def has_ended(self) -> bool:
        """Whether frames arrived, and every ``read`` has failed for ``MAX_FAILING_S`` since."""
        since_s = self._failing_since_s
        return self.stats.received_any and since_s is not None and self._clock() - since_s >= MAX_FAILING_S

    def _classify_image(self, image_bgr: ImageBGR, now_s: float) -> CapturedFrame | None:
        status = self._frozen_detector.classify(thumbnail(image_bgr))
        if status is FrameStatus.BLACK:
            since_s = self.stats.black_since_s
            self.stats = replace(
                self.stats, black_since_s=now_s if since_s is None else since_s, received_any=True
            )
            return None
        if status is FrameStatus.DUPLICATE:
            self.stats = ConnectionStats(None, now_s, True)
            return None
        self.stats = ConnectionStats(None, None, True)
        frame = CapturedFrame(image_bgr, datetime.now(UTC), now_s, self._fresh_s)
        self._fresh_s = now_s
        return frame


MAX_INTERVAL_S = 0.1
INTERVAL_PER_SAMPLE = 0.4
"""Frames that arrive within this part of a sampling interval, at most ``MAX_INTERVAL_S``, after the last one
are decoded, but not compared: of a camera of 30 frames per second that is sampled twice a second, two of
three. Converting and comparing a frame costs as much as decoding it."""


class CaptureThread(ReaderThread):
    """Reads a capture in a thread and keeps the newest fresh frame."""

    def __init__(
        self,
        address: CaptureAddress,
        frozen_detector: FrozenFrameDetector,
        sample_fps: float,
        factory: CaptureFactory,
        clock: Callable[[], float] = suspend_aware_s,
    ) -> None:
        super().__init__("capture")
        self._address = address
        self._min_interval_s = min(MAX_INTERVAL_S, INTERVAL_PER_SAMPLE / sample_fps)
        self._factory = factory
        self._classifier = FrameClassifier(frozen_detector, clock)
        self._thread.start()

    @property
    def stats(self) -> ConnectionStats:
        """The frames that arrived besides fresh ones."""
        return self._classifier.stats

    def _run(self) -> None:
        try:
            capture = self._factory(self._address, self._min_interval_s)
            # Released here, not in close(): a capture must not be released while a thread reads it.
            try:
                self._read(capture)
            finally:
                capture.release()
        except CaptureError as error:
            self._slot.fail(error.reason, error.hint)
        finally:
            # Whatever else ended the thread, no caller may wait for it.
            self._slot.fail("the capture thread has ended")

    def _read(self, capture: Capture) -> None:
        while not self._closing.is_set():
            image = capture.read()
            if image is ReadOutcome.SKIPPED:
                continue
            frame = self._classifier.classify(None if isinstance(image, ReadOutcome) else image)
            if frame is not None:
                self._slot.put(frame)
            elif self._classifier.has_ended:
                self._slot.fail("no more frames arrive")
                return
            else:
                self._closing.wait(RETRY_READ_S if image is ReadOutcome.FAILED else DUPLICATE_PAUSE_S)


MAX_ABANDONED = 4
"""With this many connections stuck in a blocking call (each is a thread and a socket) no further one is
opened. Calls of FFmpeg end after ten seconds themselves; those of a driver may not."""


class ConnectionManager:
    """Opens and closes connections. ``current`` is None while none is open, also if too many are stuck."""

    def __init__(self, address: CaptureAddress, connect: OpenConnection, tolerance: int) -> None:
        self.current: Connection | None = None
        self._address = address
        self._connect = connect
        self._tolerance = tolerance
        self._frozen_detector = FrozenFrameDetector(tolerance)
        self._abandoned: list[Connection] = []

    @property
    def stuck_count(self) -> int:
        """How many connections were closed and still run."""
        self._abandoned = [connection for connection in self._abandoned if connection.is_alive]
        return len(self._abandoned)

    def open(self, sample_fps: float) -> None:
        """Start a new connection for ``sample_fps`` frames per second; the last fresh frame of the previous
        one does not count as fresh again."""
        self.close()
        if self.stuck_count < MAX_ABANDONED:
            # A copy, because an abandoned thread may still read and classify frames.
            self._frozen_detector = FrozenFrameDetector(self._tolerance, self._frozen_detector.last_thumbnail)
            self.current = self._connect(self._address, self._frozen_detector, sample_fps)

    def close(self) -> None:
        """Close the current connection, if there is one."""
        connection, self.current = self.current, None
        if connection is not None:
            connection.close()
            if connection.is_alive:
                self._abandoned.append(connection)
