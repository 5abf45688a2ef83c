"""Previews of the current frame with face boxes, as JPEG images on request. Nothing is stored."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from db.records import AnalysisMode
from monitor.daemon.face_tags import PADDING_PX, FaceTag, Rectangle, place_tags
from monitor.daemon.protocol import PreviewFrame
from monitor.types import Box, FrameResult, ImageBGR, without_students
from reports.text.i18n import Language, use_language

WIDTH_PX = 1280
"""Largest width of a preview, pixels."""

LINE_PX = 2

_ASSIGNED_BGR, _UNASSIGNED_BGR, _UNREADABLE_BGR = (80, 200, 80), (200, 200, 200), (225, 225, 225)


def draw_boxes(
    image_bgr: ImageBGR,
    result: FrameResult,
    labels: Mapping[int, str] | None = None,
    language: Language = Language.EN,
) -> ImageBGR:
    """A copy of the frame, at most ``WIDTH_PX`` wide, with a box around each face: green for confirmed
    students, grey for unconfirmed faces.

    A tag beside the box has the student's label from ``labels`` or else the student's number, and the
    expression with its probability or the reason for none, in ``language``. Tags cover no face and no other
    tag; a face without space for one has none."""
    scale = min(1.0, WIDTH_PX / image_bgr.shape[1])
    shown: ImageBGR = cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )
    boxes = [_scaled(face.box_xyxy, scale) for face in result.tracked_faces]
    for face, (x1, y1, x2, y2) in zip(result.tracked_faces, boxes, strict=True):
        cv2.rectangle(
            shown, (x1, y1), (x2, y2), _UNASSIGNED_BGR if face.student is None else _ASSIGNED_BGR, LINE_PX
        )
    with use_language(language):
        size = (shown.shape[1], shown.shape[0])
        for tag in place_tags(result.tracked_faces, boxes, labels, size, width_of=_width):
            _draw(shown, tag)
    return shown


def _text_bitmap(text: str, size_px: int) -> NDArray[np.uint8]:
    # It loads matplotlib, and most recordings have no preview.
    from monitor.daemon.text_bitmap import render_text

    return render_text(text, size_px)


def _width(text: str, size_px: int) -> int:
    return int(_text_bitmap(text, size_px).shape[1])


def _scaled(box_xyxy: Box, scale: float) -> Rectangle:
    x1, y1, x2, y2 = (round(value * scale) for value in box_xyxy)
    return x1, y1, x2, y2


def _draw(image_bgr: ImageBGR, tag: FaceTag) -> None:
    """Draw black text on the colour of the face's box (contrast at least 9.5 : 1), on light grey (16 : 1) for
    the reason why a student's expression is missing."""
    x1, y1, x2, y2 = tag.area
    area = image_bgr[y1:y2, x1:x2]
    is_known = tag.face.student is not None
    background = np.array(
        _UNASSIGNED_BGR if not is_known else _UNREADABLE_BGR if tag.shows_reason else _ASSIGNED_BGR,
        np.float32,
    )
    coverage = np.zeros((*area.shape[:2], 1), np.float32)
    y = PADDING_PX
    for line in tag.lines:
        text = _text_bitmap(line, tag.size_px)
        coverage[y : y + text.shape[0], PADDING_PX : PADDING_PX + text.shape[1], 0] = text / 255.0
        y += text.shape[0]
    area[:] = np.rint(background * (1 - coverage)).astype(np.uint8)


log = logging.getLogger(__name__)

MIN_INTERVAL_S = 0.5
"""Shortest interval of previews, for all viewers together."""

MAX_JPEG_BYTES = 600_000
"""Bytes of a JPEG: in base64 it must fit into one answer over the control socket
(``monitor.daemon.control``)."""

JPEG_QUALITIES = (75, 55, 35)
"""Tried in this order; noisy frames need a lower quality."""


def is_preview_allowed(mode: str, *, in_behaviour_mode: bool) -> bool:
    """Whether a session of that mode has a preview. ``in_behaviour_mode``: the setting for that mode."""
    return mode != AnalysisMode.BEHAVIOUR or in_behaviour_mode


class LivePreview:
    """Makes previews on request within the block, in a thread of its own, so that the session never waits for
    one.

    ``send`` is called in that thread. ``labels`` returns the students' labels by number; None if the preview
    must show nothing about single students, neither labels nor expressions. ``language``: of the tags, the
    same for all viewers, because they share the preview. ``set_image``, ``add_result`` and ``refresh`` are
    called in the session's thread, ``request_frame`` in any.
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
        self._thread = threading.Thread(target=self._run, name="preview", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
        # It may be blocked in a pipe that is no longer read; the process ends anyway.
        self._thread.join(1.0)

    def request_frame(self) -> None:
        """Request a preview of the next frame."""
        self._requested.set()

    def set_image(self, image_bgr: ImageBGR) -> None:
        """Set the frame that is analysed next, with opted-out students masked."""
        self._image = image_bgr

    def add_result(self, result: FrameResult) -> None:
        """Take the result of that frame and make a requested preview."""
        image, self._image = self._image, None
        if not self._requested.is_set():
            return
        if image is None or not result.analysed or not self._allowed:
            self._enqueue(None)
        elif self._clock() - self._made_s >= MIN_INTERVAL_S:
            self._made_s = self._clock()
            self._enqueue((image, result))

    def refresh(self, *, is_recording: bool) -> None:
        """Answer requests with an empty preview while nothing is recorded; called about once per second."""
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
                item, self._next, self._is_empty = self._next, None, False
            try:
                self._send(PreviewFrame("" if item is None else self._encode(*item)))
            except Exception:
                log.exception("the preview could not be drawn")

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
