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

from monitor.runtime.clock import steady_s
from monitor.sources.capture import Capture, CaptureFactory, Shot, as_bgr, thumbnail
from monitor.sources.freshness import Freshness, Look
from monitor.types import ImageBGR

JOIN_S = 0.5
"""How long closing waits for a ``read`` that blocks. The thread is a daemon and is left behind then."""


class Newest:
    """Room for one picture: a queue would fill with old ones whenever the detector is slower than the camera.

    ``failure`` says, once it is not None, why there will be no more.
    """

    def __init__(self) -> None:
        self.failure: str | None = None
        self._changed = threading.Condition()
        self._shot: Shot | None = None

    def put(self, shot: Shot) -> None:
        """Keep this one, in place of any that was not taken."""
        with self._changed:
            self._shot = shot
            self._changed.notify_all()

    def fail(self, reason: str) -> None:
        """There will be no more; the first reason is the one that is told."""
        with self._changed:
            self.failure = self.failure or reason
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Shot | None:
        """The newest if it was not taken before, waiting up to ``timeout_s`` for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._shot is not None or self.failure is not None, timeout_s)
            shot, self._shot = self._shot, None
            return shot


class Reading(ABC):
    """A connection that is read in a thread of its own, which subclasses start when they are ready."""

    def __init__(self, name: str) -> None:
        self._newest = Newest()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def failure(self) -> str | None:
        """Why there will be no more pictures, if so."""
        return self._newest.failure

    @property
    def alive(self) -> bool:
        """Whether the thread still runs, perhaps in a call that blocks."""
        return self._thread.is_alive()

    def take(self, timeout_s: float) -> Shot | None:
        """The newest picture if it was not taken before, waiting up to ``timeout_s`` for one."""
        return self._newest.take(timeout_s)

    def close(self) -> None:
        """Ask the thread to end, and wait ``JOIN_S`` for it."""
        self._closing.set()
        self._thread.join(JOIN_S)

    @abstractmethod
    def _run(self) -> None:
        """Read until ``_closing`` is set, and keep what is new in ``_newest``; say there why no more
        comes."""


REREAD_S = 0.02
"""The pause after a failed ``read``: some drivers fail at once, for ever, and would fill a core."""

SAME_PAUSE_S = 0.005
"""The pause after a picture that is not fresh, because a frozen driver may give it again at once. Longer,
and a stream of 60 pictures a second would come later and later."""

FAILING_S = 2.0
"""When every ``read`` has failed for so long after a good one, the connection is over: FFmpeg never comes
back from an error, nor a driver from an unplugged camera. Single failures are passed over."""


@dataclass(frozen=True)
class Seen:
    """What a connection gave that was not fresh; times on the steady clock, None for never.

    ``black_since_s``: only black pictures have come since then. ``same_s``: the last one that showed the
    same as before. ``shown``: whether any picture came at all. ``nobody``: nothing came because nobody is
    there, which is how it should be.
    """

    black_since_s: float | None = None
    same_s: float | None = None
    shown: bool = False
    nobody: bool = False


class Connection(Protocol):
    """What a live source needs of a connection; ``NewestShot`` is one."""

    @property
    def failure(self) -> str | None:
        """Why there will be no more pictures."""
        ...

    @property
    def seen(self) -> Seen:
        """What came that was not fresh."""
        ...

    @property
    def alive(self) -> bool:
        """Whether anything of it still runs, also after ``close``."""
        ...

    def take(self, timeout_s: float) -> Shot | None:
        """The newest picture if it was not taken before, waiting up to ``timeout_s`` for one."""
        ...

    def close(self) -> None:
        """Ask it to end. Returns soon, even if a call to the camera does not."""
        ...


Connect = Callable[[int | str, Freshness], Connection]
"""Begins a connection to a camera's number or a URL; must not block."""


class Judged:
    """Judges the pictures of one connection in order, and when they have failed to come for good."""

    def __init__(self, freshness: Freshness, clock: Callable[[], float]) -> None:
        self.seen = Seen()
        self._freshness = freshness
        self._clock = clock
        self._failing_since_s: float | None = None
        self._fresh_s: float | None = None

    def put(self, good: bool, image: Any) -> Shot | None:
        """What ``read`` gave; the picture if it is fresh."""
        now_s = self._clock()
        if not good or image is None:
            if self._failing_since_s is None:
                self._failing_since_s = now_s
            return None
        self._failing_since_s = None
        picture = as_bgr(image)
        return self._judged(picture, now_s)

    @property
    def over(self) -> bool:
        """Whether pictures came, and every ``read`` has failed for ``FAILING_S`` since."""
        since_s = self._failing_since_s
        return self.seen.shown and since_s is not None and self._clock() - since_s >= FAILING_S

    def _judged(self, picture: ImageBGR, now_s: float) -> Shot | None:
        look = self._freshness.judge(thumbnail(picture))
        if look is Look.BLACK:
            since_s = self.seen.black_since_s
            self.seen = replace(self.seen, black_since_s=now_s if since_s is None else since_s, shown=True)
            return None
        if look is Look.SAME:
            self.seen = Seen(None, now_s, True)
            return None
        self.seen = Seen(None, None, True)
        shot = Shot(picture, datetime.now(UTC), now_s, self._fresh_s)
        self._fresh_s = now_s
        return shot


class NewestShot(Reading):
    """Reads a capture in a thread and keeps the newest fresh picture."""

    def __init__(
        self,
        address: int | str,
        freshness: Freshness,
        factory: CaptureFactory,
        clock: Callable[[], float] = steady_s,
    ) -> None:
        super().__init__("capture")
        self._address = address
        self._factory = factory
        self._judged = Judged(freshness, clock)
        self._thread.start()

    @property
    def seen(self) -> Seen:
        """What came that was not fresh."""
        return self._judged.seen

    def _run(self) -> None:
        try:
            capture = self._factory(self._address)
            # Released here, not in close(): a capture must not be released while a thread reads it.
            try:
                if capture.isOpened():
                    self._read(capture)
                else:
                    self._newest.fail("it cannot be opened")
            finally:
                capture.release()
        except (cv2.error, OSError) as error:
            self._newest.fail(" ".join(str(error).split()))
        finally:
            # Whatever else ended the thread, nobody must wait for it.
            self._newest.fail("its reader has ended")

    def _read(self, capture: Capture) -> None:
        while not self._closing.is_set():
            good, image = capture.read()
            shot = self._judged.put(good, image)
            if shot is not None:
                self._newest.put(shot)
            elif self._judged.over:
                self._newest.fail("no more pictures come")
                return
            else:
                self._closing.wait(SAME_PAUSE_S if good else REREAD_S)


MAX_LEFT_BEHIND = 4
"""So many connections may hang in a call that does not return (each is a thread and a socket) before no
other is opened. OpenCV ends those to a URL after ten seconds by itself."""


class Connections:
    """Opens and closes. ``current`` is None while nothing is open, also if too many hang."""

    def __init__(self, address: int | str, connect: Connect, tolerance: int) -> None:
        self.current: Connection | None = None
        self._address = address
        self._connect = connect
        self._tolerance = tolerance
        self._freshness = Freshness(tolerance)
        self._left_behind: list[Connection] = []

    @property
    def hanging(self) -> int:
        """How many were closed and still run."""
        self._left_behind = [old for old in self._left_behind if old.alive]
        return len(self._left_behind)

    def open(self) -> None:
        """Begin a new one, in which the last fresh picture of the one before is not fresh again."""
        self.close()
        if self.hanging < MAX_LEFT_BEHIND:
            # A copy: one that was left behind may still read, and judge.
            self._freshness = Freshness(self._tolerance, self._freshness.last)
            self.current = self._connect(self._address, self._freshness)

    def close(self) -> None:
        """Close the one in use, if there is one."""
        connection, self.current = self.current, None
        if connection is not None:
            connection.close()
            if connection.alive:
                self._left_behind.append(connection)
