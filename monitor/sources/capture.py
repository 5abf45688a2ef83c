"""The newest picture of a camera or stream, read in a thread of its own."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import cv2
import numpy as np

from monitor.domain import ImageBGR

OPEN_TIMEOUT_MS = 10_000
"""The limit inside OpenCV for opening a URL and for one read of it; its own default is 30 s."""

REREAD_S = 0.02
"""The pause after a failed ``read``: some drivers fail at once, for ever, and would fill a core."""

JOIN_S = 0.5
"""How long closing waits for a ``read`` that blocks. The thread is a daemon and is left behind then."""

FINGERPRINT_STEP = 8
"""Every eighth pixel both ways tells two pictures apart: a checksum of 1080p takes 0.1 ms, not 6."""


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool:
        """Whether there is something to read."""
        ...

    def read(self) -> tuple[bool, Any]:
        """The next picture, BGR, after True; False if there is none."""
        ...

    def release(self) -> None:
        """Give the device back."""
        ...


CaptureFactory = Callable[[int | str], Capture]
"""Opens a camera's number or a URL. May block; runs in the reader's thread."""


def open_capture(address: int | str) -> Capture:
    """OpenCV's capture of a camera's number or a URL; it may block for ``OPEN_TIMEOUT_MS``."""
    # What it has to say of a missing camera is told in one line by whoever asked for it.
    cv2.setLogLevel(0)
    if isinstance(address, int):
        return cv2.VideoCapture(address)
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
    ]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)


@dataclass(frozen=True)
class Shot:
    """One picture as it was read; ``read_s`` is on the monotonic clock, ``captured_at`` aware UTC."""

    image_bgr: ImageBGR
    captured_at: datetime
    read_s: float


class NewestShot:
    """Reads a capture in a thread and keeps the newest picture, never more than one.

    A queue would fill with old pictures whenever the detector is slower than the camera. A picture
    equal to the one before is not new: OpenCV can go on returning the last frame after a camera is
    unplugged (opencv #14044), and sensor noise makes two real pictures differ.

    ``failure`` says, once it is not None, why there will be no more pictures.
    """

    def __init__(self, address: int | str, factory: CaptureFactory) -> None:
        self.failure: str | None = None
        self._address = address
        self._factory = factory
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._newest: Shot | None = None
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Shot | None:
        """The newest picture if it was not taken before, waiting up to ``timeout_s`` for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self.failure is not None, timeout_s)
            shot, self._newest = self._newest, None
            return shot

    def close(self) -> None:
        """Ask the reader to end, and wait ``JOIN_S`` for it."""
        self._closing.set()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        try:
            capture = self._factory(self._address)
            # Released here, not in close(): a capture must not be released while a thread reads it.
            try:
                if capture.isOpened():
                    self._read(capture)
                else:
                    self._fail("it cannot be opened")
            finally:
                capture.release()
        except (cv2.error, OSError) as error:
            self._fail(" ".join(str(error).split()))

    def _read(self, capture: Capture) -> None:
        last = None
        while not self._closing.is_set():
            good, image = capture.read()
            mark = _fingerprint(image) if good and image is not None else None
            if mark is None or mark == last:
                self._closing.wait(REREAD_S)
                continue
            last = mark
            self._keep(Shot(_as_bgr(image), datetime.now(UTC), time.monotonic()))

    def _keep(self, shot: Shot) -> None:
        with self._changed:
            self._newest = shot
            self._changed.notify_all()

    def _fail(self, reason: str) -> None:
        with self._changed:
            self.failure = reason
            self._changed.notify_all()


def _fingerprint(image: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(image[::FINGERPRINT_STEP, ::FINGERPRINT_STEP]).tobytes())


def _as_bgr(image: Any) -> ImageBGR:
    """``(H, W, 3)`` also from a grey camera, whose pictures are ``(H, W)`` or ``(H, W, 1)``."""
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return np.asarray(image, dtype=np.uint8)
