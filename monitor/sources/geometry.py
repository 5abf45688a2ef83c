"""Displayed images: what a live stream states, and what ``capture.rotate`` and ``capture.aspect`` do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from av.video.frame import VideoFrame

from monitor.imaging import image_size
from monitor.sources.adjustment import Adjustment
from monitor.sources.base import Source
from monitor.sources.upright import (
    ORIENTATIONS,
    UPRIGHT,
    display_matrix,
    is_plausible_aspect,
    orient,
    read_display_matrix,
    square_pixel_size,
)
from monitor.types import Frame, Gap, ImageBGR

_MIRRORED = ORIENTATIONS[4]


def adjusted(image_bgr: ImageBGR, adjustment: Adjustment) -> ImageBGR:
    """The image ``(H, W, 3)`` with another aspect ratio, for which it is enlarged in one direction, and then
    mirrored and rotated."""
    if adjustment.is_identity:
        return image_bgr
    if adjustment.aspect is not None:
        width, height = image_size(image_bgr)
        image_bgr = with_pixel_aspect(image_bgr, adjustment.aspect * height / width)
    turned = ORIENTATIONS[adjustment.quarter_turns]
    return orient(image_bgr, turned @ _MIRRORED if adjustment.is_mirrored else turned)


class AdjustedSource:
    """A file or folder whose images are adjusted; otherwise the same source."""

    def __init__(self, source: Source, adjustment: Adjustment) -> None:
        self._source = source
        self._adjustment = adjustment
        self.name = source.name
        self.expected_s = source.expected_s
        self.is_live = source.is_live
        self.frames_dropped = source.frames_dropped

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.__exit__(kind, error, trace)

    def frames(self, sample_fps: float, stop: threading.Event) -> Iterator[Frame | Gap]:
        """See ``Source.frames``."""
        try:
            for item in self._source.frames(sample_fps, stop):
                self.frames_dropped = self._source.frames_dropped
                yield (
                    replace(item, image_bgr=adjusted(item.image_bgr, self._adjustment))
                    if isinstance(item, Frame)
                    else item
                )
        finally:
            self.frames_dropped = self._source.frames_dropped

    def pop_notes(self) -> list[tuple[float, str]]:
        """The notes of the source, if it has any."""
        take = getattr(self._source, "pop_notes", list)
        return list(take())


def with_pixel_aspect(image_bgr: ImageBGR, pixel_aspect: Fraction) -> ImageBGR:
    """The image with square pixels, if its pixels are ``pixel_aspect`` as wide as high."""
    size = square_pixel_size(image_size(image_bgr), pixel_aspect)
    if size == image_size(image_bgr):
        return image_bgr
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


class DisplayedFrames:
    """Converts the frames of one connection to images as its stream wants them displayed.

    The display matrix is read again when the rotation or the size changes, not from each frame: PyAV's
    ``side_data`` and its frame refer to each other, so that every frame of which it is read stays in memory
    until the next garbage collection (170 MB after 150 frames of 1080p).
    """

    def __init__(self) -> None:
        self._orientation = UPRIGHT
        self._read_for: tuple[int, int, int] | None = None

    def convert(self, frame: VideoFrame, pixel_aspect: Fraction | None) -> ImageBGR:
        """The image ``(H, W, 3)``, upright and with square pixels.

        ``pixel_aspect``: width by height of a pixel, None or zero if it is not stated; an implausible one is
        ignored.
        """
        shape = (frame.rotation, frame.width, frame.height)
        if shape != self._read_for:
            self._read_for = shape
            values = display_matrix(frame)
            self._orientation = UPRIGHT if values is None else read_display_matrix(values)[0]
        image = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
        if pixel_aspect and pixel_aspect > 0 and is_plausible_aspect(pixel_aspect):
            image = with_pixel_aspect(image, pixel_aspect)
        return orient(image, self._orientation)
