"""What a camera or a stream is read with, cameras of this computer, and thumbnails of frames."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

import cv2
import numpy as np

from monitor.sources.address import StreamAddress
from monitor.sources.freshness import Thumbnail
from monitor.types import ImageBGR

THUMBNAIL_PX = 120
"""The least width of a thumbnail. At 1080p a block is 16 pixels wide, less than a face that can be read."""

RECORDING_HINT = "Download it and use 'classpulse analyze' with the file."


class CaptureError(Exception):
    """A camera or stream cannot be opened, or has ended. ``reason`` says why in a few words, without its
    address; ``hint``: a remedy, None for the usual one."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint

    @classmethod
    def recording(cls, duration_s: float) -> CaptureError:
        """The address is that of a recording, which would be over in a moment and start again."""
        return cls(f"it is a recording of {duration_s:.0f} s, not a live stream", RECORDING_HINT)


class ReadOutcome(Enum):
    """Why ``Capture.read`` returned no image."""

    FAILED = "failed"
    """There was no frame. The caller waits a little before it reads again."""
    SKIPPED = "skipped"
    """Something arrived that is not to be used: a part of a frame, or one that was kept back."""


class Capture(Protocol):
    """An open camera or stream."""

    def read(self) -> ImageBGR | ReadOutcome:
        """The next frame, ``(H, W, 3)``, or why there is none. May block for some seconds.

        Raises:
            CaptureError: no more frames will come.
        """
        ...

    def release(self) -> None:
        """Close it; called in the thread that reads it."""
        ...


CaptureAddress = int | str | StreamAddress
"""The index of a camera, the path of its device, or the address of a stream."""

CaptureFactory = Callable[[CaptureAddress, float], Capture]
"""Opens an address; the number is the least time between two frames that are wanted, seconds. May block; runs
in the capture thread. Raises CaptureError."""


class DeviceCapture:
    """A camera of this computer, through OpenCV, by its index or, under Linux, by the path of its device.

    OpenCV rather than FFmpeg's ``v4l2``: it reads the cameras of Linux, Windows and macOS by an index, and
    was in use before. How either behaves when a camera stops sending was not compared on a device.
    """

    def __init__(self, address: int | str) -> None:
        # The caller reports a missing camera in one line; OpenCV's own warnings would repeat it.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            self._capture: Any = (
                cv2.VideoCapture(address)
                if isinstance(address, int)
                else cv2.VideoCapture(address, cv2.CAP_V4L2)
            )
            opened = self._capture.isOpened()
        except cv2.error as error:
            raise CaptureError(" ".join(str(error).split())) from None
        if not opened:
            self._capture.release()
            raise CaptureError("it cannot be opened")

    def read(self) -> ImageBGR | ReadOutcome:
        """See ``Capture.read``."""
        try:
            good, image = self._capture.read()
        except cv2.error as error:
            raise CaptureError(" ".join(str(error).split())) from None
        return as_bgr(image) if good and image is not None else ReadOutcome.FAILED

    def release(self) -> None:
        """Close the camera."""
        self._capture.release()


def has_device_paths() -> bool:
    """Whether the cameras of this computer have paths."""
    return sys.platform == "linux"


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
