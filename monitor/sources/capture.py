"""Opening a camera or stream with OpenCV, and thumbnails of its frames."""

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
"""OpenCV's timeout for opening a URL and for one read of it; its own default is 30 s."""

THUMBNAIL_PX = 120
"""The least width of a thumbnail. At 1080p a block is 16 pixels wide, less than a face that can be read."""

FFMPEG_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
FFMPEG_LOG = "OPENCV_FFMPEG_LOGLEVEL"
FFMPEG_QUIET = "-8"
"""FFmpeg's ``AV_LOG_QUIET``."""


class Capture(Protocol):
    """The part of ``cv2.VideoCapture`` that is used."""

    def isOpened(self) -> bool:
        """Whether frames can be read."""
        ...

    def read(self) -> tuple[bool, Any]:
        """True and the next frame, BGR; False if there is none."""
        ...

    def release(self) -> None:
        """Close the device."""
        ...


CaptureFactory = Callable[[int | str], Capture]
"""Opens the number of a camera or a URL. May block; runs in the capture thread."""


def open_capture(address: int | str) -> Capture:
    """OpenCV's capture of the number of a camera or a URL; may block for ``OPEN_TIMEOUT_MS``."""
    # The caller reports a missing camera in one line; OpenCV's own warnings would repeat it.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    if isinstance(address, int):
        return cv2.VideoCapture(address)
    # Over UDP each lost packet smears the image until the next key frame, and faces are still detected in
    # smeared images; firewalls often block UDP. Over TCP a frame arrives whole or late. OpenCV reads both
    # options from the environment only, and values set by the user take precedence.
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
    """One fresh frame. ``read_s`` is its time on the suspend-aware clock, ``captured_at`` in aware UTC;
    ``previous_read_s`` belongs to the fresh frame before it, None for the first of a connection.
    ``active_tiles`` as in ``monitor.types.Frame``."""

    image_bgr: ImageBGR
    captured_at: datetime
    read_s: float
    previous_read_s: float | None
    active_tiles: frozenset[int] | None = None


def as_bgr(image: Any) -> ImageBGR:
    """The image as ``(H, W, 3)``; grey cameras deliver ``(H, W)`` or ``(H, W, 1)``."""
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return np.asarray(image, dtype=np.uint8)


def thumbnail(image_bgr: ImageBGR) -> Thumbnail:
    """The means of square blocks over the green channel of every other pixel: 0.6 ms for 1080p.

    All pixels and channels would take 2.5 ms without a gain: green has most of the luminance.
    """
    block = max(2, image_bgr.shape[1] // THUMBNAIL_PX // 2 * 2)
    rows, columns = (max(1, length // block) for length in image_bgr.shape[:2])
    # Whole blocks only: OpenCV is three times as fast with them.
    green = np.ascontiguousarray(image_bgr[: rows * block : 2, : columns * block : 2, 1])
    return np.asarray(cv2.resize(green, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)
