"""The picture with the faces outlined, for whoever watches from elsewhere: made while somebody asks, sent,
and kept nowhere."""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import cv2

from classpulse.daemon.preview import outlined
from classpulse.policy import Mode
from classpulse.settings import Settings
from monitor.domain import ImageBGR
from monitor.messages import Pictured
from monitor.sample import Sample, without_students
from reports.language import Language

log = logging.getLogger(__name__)

LEAST_S = 0.5
"""At most two pictures a second, however many watch."""

MOST_BYTES = 600_000
"""Of a JPEG: in base64 it must fit into one answer over the control socket (``monitor.control``)."""

QUALITIES = (75, 55, 35)
"""Tried in this order, for pictures full of noise."""


def may_be_shown(mode: str, settings: Settings) -> bool:
    """Whether a session of that mode has a picture to watch."""
    return mode != Mode.BEHAVIOUR or settings.serve.behaviour_picture


class Showing:
    """Makes pictures while the block lasts, in a thread of its own, so that the lecture never waits for one
    to be made or sent. ``say`` is called in it. ``labels`` are what the students are called, by number; None
    where the picture must show nothing of single students: neither labels nor expressions. The tags beside
    the faces are in ``language``, the same for all viewers, because the picture is made once for all.

    ``picture``, ``sample`` and ``refresh`` belong to the session's thread, ``ask`` to any.
    """

    def __init__(
        self,
        say: Callable[[Pictured], None],
        labels: Callable[[], Mapping[int, str]] | None,
        *,
        allowed: bool,
        language: Language = Language.EN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say = say
        self._labels = labels
        self._allowed = allowed
        self._language = language
        self._clock = clock
        self._image: ImageBGR | None = None
        self._made_s = float("-inf")
        self._wanted = threading.Event()
        self._changed = threading.Condition()
        self._next: tuple[ImageBGR, Sample] | None = None
        self._nothing = False
        self._over = False
        self._thread = threading.Thread(target=self._run, name="picture", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()
        # It may hang in a pipe that nobody reads any more; the process ends all the same.
        self._thread.join(1.0)

    def ask(self) -> None:
        """Somebody wants to see the next picture."""
        self._wanted.set()

    def picture(self, image_bgr: ImageBGR) -> None:
        """What is looked at next, with those who opted out in grey."""
        self._image = image_bgr

    def sample(self, sample: Sample) -> None:
        """What was found in it."""
        image, self._image = self._image, None
        if not self._wanted.is_set():
            return
        if image is None or not sample.looked_at or not self._allowed:
            self._hand_over(None)
        elif self._clock() - self._made_s >= LEAST_S:
            self._made_s = self._clock()
            self._hand_over((image, sample))

    def refresh(self, *, is_seeing: bool) -> None:
        """About once a second: who asks while nothing is to be seen is told so."""
        if not is_seeing and self._wanted.is_set():
            self._hand_over(None)

    def _hand_over(self, what: tuple[ImageBGR, Sample] | None) -> None:
        self._wanted.clear()
        with self._changed:
            self._next, self._nothing = what, what is None
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next is not None or self._nothing or self._over)
                if self._over:
                    return
                what, self._next, self._nothing = self._next, None, False
            try:
                self._say(Pictured("" if what is None else self._made(*what)))
            except Exception:
                log.exception("no picture could be made of a sample")

    def _made(self, image_bgr: ImageBGR, sample: Sample) -> str:
        if self._labels is None:
            sample = without_students(sample)
        labels = {} if self._labels is None else self._labels()
        shown = outlined(image_bgr, sample, labels, self._language)
        for quality in QUALITIES:
            jpeg = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            if jpeg.size <= MOST_BYTES:
                return base64.b64encode(jpeg.tobytes()).decode("ascii")
        return ""
