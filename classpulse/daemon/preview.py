"""A window with the picture and the faces that are followed in it. Nothing of it is kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from classpulse.errors import UserError
from monitor.domain import ImageBGR
from monitor.masking import GREY
from monitor.sample import Sample

WIDTH_PX = 1280
"""Of the window at first; it can be drawn larger."""

_NO_WINDOW = (
    "no window can be opened for --preview: this computer has no screen, or its OpenCV no windows; leave "
    "--preview out"
)

NOTHING = Sample(0.0, (), 0, (0, 0))

_KNOWN, _NEW = (80, 200, 80), (200, 200, 200)


class Preview:
    """Shows samples while the block lasts, if ``shown``; else it does nothing. One thread uses it.

    Raises UserError where no window can be opened.
    """

    def __init__(self, title: str, *, shown: bool) -> None:
        self._title = f"Classpulse: {title}"
        self._shown = shown
        self._picture: ImageBGR | None = None
        self._is_new = False
        self._opened = False

    def __enter__(self) -> Self:
        if self._shown:
            _require_screen()
            try:
                # The window's other look has a button that saves the picture, and none is to be kept.
                look = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
                cv2.namedWindow(self._title, look)
            except cv2.error:
                raise UserError(_NO_WINDOW) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            with suppress(cv2.error):  # it was closed by hand
                cv2.destroyWindow(self._title)

    def picture(self, image_bgr: ImageBGR) -> None:
        """What is looked at next, with those who opted out in grey."""
        self._picture = image_bgr

    def sample(self, sample: Sample) -> None:
        """What was found in it."""
        if self._shown and self._picture is not None and sample.looked_at:
            self._show(outlined(self._picture, sample))
            self._is_new = True

    def refresh(self) -> None:
        """About once a second, and after each sample: the window answers, and shows nothing old."""
        if not self._shown:
            return
        if not self._is_new and self._picture is not None:
            # A pause means that nobody is to be seen, here either.
            self._show(np.full_like(outlined(self._picture, NOTHING), GREY))
        self._is_new = False
        cv2.waitKey(1)

    def _show(self, image_bgr: ImageBGR) -> None:
        if self._opened and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            self._shown = False  # somebody closed it, and wants it closed
            return
        if not self._opened:
            cv2.resizeWindow(self._title, image_bgr.shape[1], image_bgr.shape[0])
        cv2.imshow(self._title, image_bgr)
        cv2.waitKey(1)
        self._opened = True


def _require_screen() -> None:
    """Qt, which OpenCV's windows use on Linux, ends the whole process where it finds no screen."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError(_NO_WINDOW)


def outlined(image_bgr: ImageBGR, sample: Sample, labels: Mapping[int, str] | None = None) -> ImageBGR:
    """A copy of the picture, at most ``WIDTH_PX`` wide, with a box around each face: green for those who are
    followed as students, with what ``labels`` call them or else their number, grey for what is not yet."""
    scale = min(1.0, WIDTH_PX / image_bgr.shape[1])
    shown: ImageBGR = cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )
    for sighting in sample.sightings:
        x1, y1, x2, y2 = (round(value * scale) for value in sighting.box_xyxy)
        colour = _NEW if sighting.student is None else _KNOWN
        cv2.rectangle(shown, (x1, y1), (x2, y2), colour, 2)
        if sighting.student is not None:
            place = (x1, max(12, y1 - 4))
            cv2.putText(
                shown, _tag(sighting.student, labels), place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, 2
            )
    return shown


def _tag(student: int, labels: Mapping[int, str] | None) -> str:
    """What stands beside a face: the number of "Student 3", or a seat's label as far as OpenCV has
    letters."""
    if labels is None:
        return str(student + 1)
    return labels.get(student, "").removeprefix("Student ").encode("ascii", "ignore").decode()
