"""The picture with the faces outlined, for whoever watches from elsewhere: made while somebody asks, sent,
and kept nowhere.

A window with the picture and the faces that are followed in it. Nothing of it is kept.
"""

from __future__ import annotations

import base64
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from classpulse.config.settings import Settings
from classpulse.errors import UserError
from db.records import AnalysisMode
from monitor.daemon.face_tags import PADDING_PX, FaceTag, Rectangle, place_tags
from monitor.daemon.protocol import PreviewFrame
from monitor.imaging import MASK_GREY
from monitor.types import Box, FrameResult, ImageBGR, without_students
from reports.text.i18n import Language, use_language

WIDTH_PX = 1280
"""Of the window at first; it can be drawn larger."""

_NO_WINDOW = (
    "no window can be opened for --preview: this computer has no screen, or its OpenCV no windows; leave "
    "--preview out"
)

EMPTY_RESULT = FrameResult(0.0, (), 0, (0, 0))

LINE_PX = 2

_ASSIGNED_BGR, _UNASSIGNED_BGR, _UNREADABLE_BGR = (80, 200, 80), (200, 200, 200), (225, 225, 225)


class PreviewWindow:
    """Shows samples while the block lasts, if ``enabled``; else it does nothing. One thread uses it. The tags
    beside the faces are in ``language``.

    Raises UserError where no window can be opened.
    """

    def __init__(self, title: str, *, enabled: bool, language: Language = Language.EN) -> None:
        self._title = f"Classpulse: {title}"
        self._enabled = enabled
        self._language = language
        self._image: ImageBGR | None = None
        self._is_new = False
        self._opened = False

    def __enter__(self) -> Self:
        if self._enabled:
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
        if self._enabled:
            with suppress(cv2.error):  # it was closed by hand
                cv2.destroyWindow(self._title)

    def set_image(self, image_bgr: ImageBGR) -> None:
        """What is looked at next, with those who opted out in grey."""
        self._image = image_bgr

    def show_result(self, result: FrameResult) -> None:
        """What was found in it."""
        if self._enabled and self._image is not None and result.analysed:
            self._show(draw_boxes(self._image, result, language=self._language))
            self._is_new = True

    def refresh(self) -> None:
        """About once a second, and after each sample: the window answers, and shows nothing old."""
        if not self._enabled:
            return
        if not self._is_new and self._image is not None:
            # A pause means that nobody is to be seen, here either.
            self._show(np.full_like(draw_boxes(self._image, EMPTY_RESULT), MASK_GREY))
        self._is_new = False
        cv2.waitKey(1)

    def _show(self, image_bgr: ImageBGR) -> None:
        if self._opened and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            self._enabled = False  # somebody closed it, and wants it closed
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


def draw_boxes(
    image_bgr: ImageBGR,
    result: FrameResult,
    labels: Mapping[int, str] | None = None,
    language: Language = Language.EN,
) -> ImageBGR:
    """A copy of the picture, at most ``WIDTH_PX`` wide, with a box around each face: green for confirmed
    students, grey for faces that are not confirmed yet.

    A tag beside the box has the student's label from ``labels`` or else the student's number, and the
    expression with its probability or the reason why there is none, in ``language``. Tags cover no face and
    no other tag; a face without room for one has none."""
    scale = min(1.0, WIDTH_PX / image_bgr.shape[1])
    shown: ImageBGR = cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )
    boxes = [_scaled(sighting.box_xyxy, scale) for sighting in result.tracked_faces]
    for sighting, (x1, y1, x2, y2) in zip(result.tracked_faces, boxes, strict=True):
        cv2.rectangle(
            shown, (x1, y1), (x2, y2), _UNASSIGNED_BGR if sighting.student is None else _ASSIGNED_BGR, LINE_PX
        )
    with use_language(language):
        size = (shown.shape[1], shown.shape[0])
        for tag in place_tags(result.tracked_faces, boxes, labels, size, width_of=_width):
            _draw(shown, tag)
    return shown


def _text_bitmap(text: str, size_px: int) -> NDArray[np.uint8]:
    # matplotlib, which draws the letters, is loaded only where a picture is made: most recordings have none.
    from monitor.daemon.text_bitmap import render_text

    return render_text(text, size_px)


def _width(text: str, size_px: int) -> int:
    return _text_bitmap(text, size_px).shape[1]


def _scaled(box_xyxy: Box, scale: float) -> Rectangle:
    x1, y1, x2, y2 = (round(value * scale) for value in box_xyxy)
    return x1, y1, x2, y2


def _draw(image_bgr: ImageBGR, tag: FaceTag) -> None:
    """Black text on the colour of the face's box (contrast at least 9.5 : 1), on light grey (16 : 1) for the
    reason why a student's expression is not read."""
    x1, y1, x2, y2 = tag.area
    area = image_bgr[y1:y2, x1:x2]
    is_known = tag.face.student is not None
    ground = np.array(
        _UNASSIGNED_BGR if not is_known else _UNREADABLE_BGR if tag.shows_reason else _ASSIGNED_BGR,
        np.float32,
    )
    covered = np.zeros((*area.shape[:2], 1), np.float32)
    y = PADDING_PX
    for line in tag.lines:
        text = _text_bitmap(line, tag.size_px)
        covered[y : y + text.shape[0], PADDING_PX : PADDING_PX + text.shape[1], 0] = text / 255.0
        y += text.shape[0]
    area[:] = np.rint(ground * (1 - covered)).astype(np.uint8)


log = logging.getLogger(__name__)

MIN_INTERVAL_S = 0.5
"""At most two pictures a second, however many watch."""

MAX_JPEG_BYTES = 600_000
"""Of a JPEG: in base64 it must fit into one answer over the control socket (``monitor.daemon.control``)."""

JPEG_QUALITIES = (75, 55, 35)
"""Tried in this order, for pictures full of noise."""


def is_preview_allowed(mode: str, settings: Settings) -> bool:
    """Whether a session of that mode has a picture to watch."""
    return mode != AnalysisMode.BEHAVIOUR or settings.serve.preview_in_behaviour_mode


class LivePreview:
    """Makes pictures while the block lasts, in a thread of its own, so that the lecture never waits for one
    to be made or sent. ``send`` is called in it. ``labels`` are what the students are called, by number; None
    where the picture must show nothing of single students: neither labels nor expressions. The tags beside
    the faces are in ``language``, the same for all viewers, because the picture is made once for all.

    ``set_image``, ``show_result`` and ``refresh`` belong to the session's thread, ``request_frame`` to any.
    """

    def __init__(
        self,
        send: Callable[[PreviewFrame], None],
        labels: Callable[[], Mapping[int, str]] | None,
        *,
        allowed: bool,
        language: Language = Language.EN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._labels = labels
        self._allowed = allowed
        self._language = language
        self._clock = clock
        self._image: ImageBGR | None = None
        self._made_s = float("-inf")
        self._requested = threading.Event()
        self._changed = threading.Condition()
        self._next: tuple[ImageBGR, FrameResult] | None = None
        self._is_empty = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="picture", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
        # It may hang in a pipe that nobody reads any more; the process ends all the same.
        self._thread.join(1.0)

    def request_frame(self) -> None:
        """Somebody wants to see the next picture."""
        self._requested.set()

    def set_image(self, image_bgr: ImageBGR) -> None:
        """What is looked at next, with those who opted out in grey."""
        self._image = image_bgr

    def add_result(self, result: FrameResult) -> None:
        """What was found in it."""
        image, self._image = self._image, None
        if not self._requested.is_set():
            return
        if image is None or not result.analysed or not self._allowed:
            self._enqueue(None)
        elif self._clock() - self._made_s >= MIN_INTERVAL_S:
            self._made_s = self._clock()
            self._enqueue((image, result))

    def refresh(self, *, is_recording: bool) -> None:
        """About once a second: who asks while nothing is to be seen is told so."""
        if not is_recording and self._requested.is_set():
            self._enqueue(None)

    def _enqueue(self, item: tuple[ImageBGR, FrameResult] | None) -> None:
        self._requested.clear()
        with self._changed:
            self._next, self._is_empty = item, item is None
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next is not None or self._is_empty or self._stopped)
                if self._stopped:
                    return
                what, self._next, self._is_empty = self._next, None, False
            try:
                self._send(PreviewFrame("" if what is None else self._encode(*what)))
            except Exception:
                log.exception("no picture could be made of a sample")

    def _encode(self, image_bgr: ImageBGR, result: FrameResult) -> str:
        if self._labels is None:
            result = without_students(result)
        labels = {} if self._labels is None else self._labels()
        shown = draw_boxes(image_bgr, result, labels, self._language)
        for quality in JPEG_QUALITIES:
            jpeg = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            if jpeg.size <= MAX_JPEG_BYTES:
                return base64.b64encode(jpeg.tobytes()).decode("ascii")
        return ""
