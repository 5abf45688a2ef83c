"""One connection to a camera, read in a thread of its own: the newest fresh picture.

A connection that is read in a thread of its own, and its newest picture, for who looks.

The connections of one live source: at most one in use, and those that hang.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import cv2

from monitor.runtime.clock import suspend_aware_s
from monitor.sources.capture import Capture, CapturedFrame, CaptureFactory, as_bgr, thumbnail
from monitor.sources.freshness import FrameStatus, FrozenFrameDetector
from monitor.types import ImageBGR

JOIN_TIMEOUT_S = 0.5
"""How long closing waits for a ``read`` that blocks. The thread is a daemon and is left behind then."""


class LatestFrameSlot:
    """Room for one picture: a queue would fill with old ones whenever the detector is slower than the camera.

    ``failure`` says, once it is not None, why there will be no more.
    """

    def __init__(self) -> None:
        self.failure: str | None = None
        self._changed = threading.Condition()
        self._frame: CapturedFrame | None = None

    def put(self, frame: CapturedFrame) -> None:
        """Keep this one, in place of any that was not taken."""
        with self._changed:
            self._frame = frame
            self._changed.notify_all()

    def fail(self, reason: str) -> None:
        """There will be no more; the first reason is the one that is told."""
        with self._changed:
            self.failure = self.failure or reason
            self._changed.notify_all()

    def take(self, timeout_s: float) -> CapturedFrame | None:
        """The newest if it was not taken before, waiting up to ``timeout_s`` for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self.failure is not None, timeout_s)
            shot, self._frame = self._frame, None
            return shot


class ReaderThread(ABC):
    """A connection that is read in a thread of its own, which subclasses start when they are ready."""

    def __init__(self, name: str) -> None:
        self._slot = LatestFrameSlot()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def failure(self) -> str | None:
        """Why there will be no more pictures, if so."""
        return self._slot.failure

    @property
    def is_alive(self) -> bool:
        """Whether the thread still runs, perhaps in a call that blocks."""
        return self._thread.is_alive()

    def take(self, timeout_s: float) -> CapturedFrame | None:
        """The newest picture if it was not taken before, waiting up to ``timeout_s`` for one."""
        return self._slot.take(timeout_s)

    def close(self) -> None:
        """Ask the thread to end, and wait ``JOIN_TIMEOUT_S`` for it."""
        self._closing.set()
        self._thread.join(JOIN_TIMEOUT_S)

    @abstractmethod
    def _run(self) -> None:
        """Read until ``_closing`` is set, and keep what is new in ``_slot``; say there why no more
        comes."""


RETRY_READ_S = 0.02
"""The pause after a failed ``read``: some drivers fail at once, for ever, and would fill a core."""

DUPLICATE_PAUSE_S = 0.005
"""The pause after a picture that is not fresh, because a frozen driver may give it again at once. Longer,
and a stream of 60 pictures a second would come later and later."""

MAX_FAILING_S = 2.0
"""When every ``read`` has failed for so long after a good one, the connection is over: FFmpeg never comes
back from an error, nor a driver from an unplugged camera. Single failures are passed over."""


@dataclass(frozen=True)
class ConnectionStats:
    """What a connection gave that was not fresh; times on the steady clock, None for never.

    ``black_since_s``: only black pictures have come since then. ``duplicate_at_s``: the last one that showed the
    same as before. ``received_any``: whether any picture came at all. ``no_participants``: nothing came because nobody is
    there, which is how it should be.
    """

    black_since_s: float | None = None
    duplicate_at_s: float | None = None
    received_any: bool = False
    no_participants: bool = False


class Connection(Protocol):
    """What a live source needs of a connection; ``CaptureThread`` is one."""

    @property
    def failure(self) -> str | None:
        """Why there will be no more pictures."""
        ...

    @property
    def stats(self) -> ConnectionStats:
        """What came that was not fresh."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether anything of it still runs, also after ``close``."""
        ...

    def take(self, timeout_s: float) -> CapturedFrame | None:
        """The newest picture if it was not taken before, waiting up to ``timeout_s`` for one."""
        ...

    def close(self) -> None:
        """Ask it to end. Returns soon, even if a call to the camera does not."""
        ...


OpenConnection = Callable[[int | str, FrozenFrameDetector], Connection]
"""Begins a connection to a camera's number or a URL; must not block."""


class FrameClassifier:
    """Judges the pictures of one connection in order, and when they have failed to come for good."""

    def __init__(self, frozen_detector: FrozenFrameDetector, clock: Callable[[], float]) -> None:
        self.stats = ConnectionStats()
        self._frozen_detector = frozen_detector
        self._clock = clock
        self._failing_since_s: float | None = None
        self._fresh_s: float | None = None

    def classify(self, ok: bool, image: Any) -> CapturedFrame | None:
        """What ``read`` gave; the picture if it is fresh."""
        now_s = self._clock()
        if not ok or image is None:
            if self._failing_since_s is None:
                self._failing_since_s = now_s
            return None
        self._failing_since_s = None
        picture = as_bgr(image)
        return self._classify_image(picture, now_s)

    @property
    def has_ended(self) -> bool:
        """Whether pictures came, and every ``read`` has failed for ``MAX_FAILING_S`` since."""
        since_s = self._failing_since_s
        return self.stats.received_any and since_s is not None and self._clock() - since_s >= MAX_FAILING_S

    def _classify_image(self, image_bgr: ImageBGR, now_s: float) -> CapturedFrame | None:
        look = self._frozen_detector.classify(thumbnail(image_bgr))
        if look is FrameStatus.BLACK:
            since_s = self.stats.black_since_s
            self.stats = replace(
                self.stats, black_since_s=now_s if since_s is None else since_s, received_any=True
            )
            return None
        if look is FrameStatus.DUPLICATE:
            self.stats = ConnectionStats(None, now_s, True)
            return None
        self.stats = ConnectionStats(None, None, True)
        shot = CapturedFrame(image_bgr, datetime.now(UTC), now_s, self._fresh_s)
        self._fresh_s = now_s
        return shot


class CaptureThread(ReaderThread):
    """Reads a capture in a thread and keeps the newest fresh picture."""

    def __init__(
        self,
        address: int | str,
        frozen_detector: FrozenFrameDetector,
        factory: CaptureFactory,
        clock: Callable[[], float] = suspend_aware_s,
    ) -> None:
        super().__init__("capture")
        self._address = address
        self._factory = factory
        self._classifier = FrameClassifier(frozen_detector, clock)
        self._thread.start()

    @property
    def stats(self) -> ConnectionStats:
        """What came that was not fresh."""
        return self._classifier.stats

    def _run(self) -> None:
        try:
            capture = self._factory(self._address)
            # Released here, not in close(): a capture must not be released while a thread reads it.
            try:
                if capture.isOpened():
                    self._read(capture)
                else:
                    self._slot.fail("it cannot be opened")
            finally:
                capture.release()
        except (cv2.error, OSError) as error:
            self._slot.fail(" ".join(str(error).split()))
        finally:
            # Whatever else ended the thread, nobody must wait for it.
            self._slot.fail("its reader has ended")

    def _read(self, capture: Capture) -> None:
        while not self._closing.is_set():
            good, image = capture.read()
            shot = self._classifier.classify(good, image)
            if shot is not None:
                self._slot.put(shot)
            elif self._classifier.has_ended:
                self._slot.fail("no more pictures come")
                return
            else:
                self._closing.wait(DUPLICATE_PAUSE_S if good else RETRY_READ_S)


MAX_ABANDONED = 4
"""So many connections may hang in a call that does not return (each is a thread and a socket) before no
other is opened. OpenCV ends those to a URL after ten seconds by itself."""


class ConnectionManager:
    """Opens and closes. ``current`` is None while nothing is open, also if too many hang."""

    def __init__(self, address: int | str, connect: OpenConnection, tolerance: int) -> None:
        self.current: Connection | None = None
        self._address = address
        self._connect = connect
        self._tolerance = tolerance
        self._frozen_detector = FrozenFrameDetector(tolerance)
        self._abandoned: list[Connection] = []

    @property
    def stuck_count(self) -> int:
        """How many were closed and still run."""
        self._abandoned = [old for old in self._abandoned if old.is_alive]
        return len(self._abandoned)

    def open(self) -> None:
        """Begin a new one, in which the last fresh picture of the one before is not fresh again."""
        self.close()
        if self.stuck_count < MAX_ABANDONED:
            # A copy: one that was left behind may still read, and judge.
            self._frozen_detector = FrozenFrameDetector(self._tolerance, self._frozen_detector.last_thumbnail)
            self.current = self._connect(self._address, self._frozen_detector)

    def close(self) -> None:
        """Close the one in use, if there is one."""
        connection, self.current = self.current, None
        if connection is not None:
            connection.close()
            if connection.is_alive:
                self._abandoned.append(connection)
