"""A camera or stream as OpenCV opens it, and its pictures made small enough to compare."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import cv2
import numpy as np

from monitor.sources.freshness import Thumbnail
from monitor.types import ImageBGR

OPEN_TIMEOUT_MS = 10_000
"""The limit inside OpenCV for opening a URL and for one read of it; its own default is 30 s."""

THUMBNAIL_PX = 120
"""The least width of a thumbnail. At 1080p a block is 16 pixels wide, less than a face that can be read."""

FFMPEG_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
FFMPEG_LOG = "OPENCV_FFMPEG_LOGLEVEL"
FFMPEG_QUIET = "-8"
"""FFmpeg's ``AV_LOG_QUIET``."""


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
    # Over UDP each lost packet smears the picture until the next key frame, and a smeared face is still
    # found and read; firewalls often let UDP not through at all. Over TCP a picture comes whole or late.
    # OpenCV reads both options from the environment alone, and what the user has put there stands.
    os.environ.setdefault(FFMPEG_LOG, FFMPEG_QUIET)
    os.environ.setdefault(FFMPEG_OPTIONS, "rtsp_transport;tcp")
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
    ]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)


@dataclass(frozen=True)
class CapturedFrame:
    """One fresh picture as it was read; ``read_s`` is on the steady clock, ``captured_at`` aware UTC.
    ``previous_read_s`` is when the fresh one before it was read, None for the first of a connection. ``active_tiles`` as in
    ``monitor.types.Frame``."""

    image_bgr: ImageBGR
    captured_at: datetime
    read_s: float
    previous_read_s: float | None
    active_tiles: frozenset[int] | None = None


def as_bgr(image: Any) -> ImageBGR:
    """``(H, W, 3)`` also from a grey camera, whose pictures are ``(H, W)`` or ``(H, W, 1)``."""
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return np.asarray(image, dtype=np.uint8)


def thumbnail(image_bgr: ImageBGR) -> Thumbnail:
    """The means of square blocks, of every other pixel's green: 0.6 ms for 1080p.

    All pixels of all colours would take 2.5 ms, and tell no more: green is most of what is seen as bright.
    """
    block = max(2, image_bgr.shape[1] // THUMBNAIL_PX // 2 * 2)
    rows, columns = (max(1, length // block) for length in image_bgr.shape[:2])
    # Whole blocks only: OpenCV is three times as fast at them.
    green = np.ascontiguousarray(image_bgr[: rows * block : 2, : columns * block : 2, 1])
    return np.asarray(cv2.resize(green, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)
