"""What a face shows, before it is known whose it is: its expression and its head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.faces.eye_closure import Eyelids
from monitor.types import Face, HeadReading, ImageBGR, Observation, Unknown


class FaceReader(Protocol):
    """Reads expressions from faces of one frame."""

    def read(
        self, image_bgr: ImageBGR, faces: list[Face], heads: list[HeadReading]
    ) -> list[tuple[float, ...] | Unknown]:
        """For each face seven calibrated probabilities, or the reason why there are none. ``heads`` has
        what was read of the head of each face, in their order."""


class HeadReader(Protocol):
    """Reads where heads point and how far eyes are open (``monitor.faces.head_pose``, ``monitor.faces.head_reader``)."""

    def read(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadReading]:
        """One reading for each face, in their order."""


@dataclass(frozen=True)
class Reading:
    """One face in one frame, before it is known whose it is."""

    media_s: float
    expression: tuple[float, ...] | Unknown
    head: HeadReading

    def of(self, student: int, lids: Eyelids) -> Observation:
        """The same, as an observation of a student."""
        pose, closed = self.head.pose, lids.closed(student, self.head.eye_opening)
        if isinstance(self.expression, Unknown):
            return Observation(student, self.media_s, True, None, self.expression, pose, closed)
        return Observation(student, self.media_s, True, self.expression, None, pose, closed)


class NoExpressions:
    """The reader of ``mode: behaviour``: expressions are never computed, not computed and dropped."""

    def read(
        self, image_bgr: ImageBGR, faces: list[Face], heads: list[HeadReading]
    ) -> list[tuple[float, ...] | Unknown]:
        """The reason ``not computed`` for every face; the image is not used."""
        del image_bgr, heads
        return [Unknown.NOT_COMPUTED] * len(faces)


class ExpressionReader:
    """Judges the quality of each face, then classifies the good ones in one batch.

    ``assess`` returns the reason not to read a face, or None; ``crop`` cuts a face out the way the
    classifier was trained; ``classify`` maps crops ``(N, 48, 48)`` uint8 to ``(N, 7)`` float32.
    """

    def __init__(
        self,
        assess: Callable[[Face, ImageBGR, HeadReading], Unknown | None],
        crop: Callable[[ImageBGR, Face], NDArray[np.uint8]],
        classify: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    ) -> None:
        self._assess = assess
        self._crop = crop
        self._classify = classify

    def read(
        self, image_bgr: ImageBGR, faces: list[Face], heads: list[HeadReading]
    ) -> list[tuple[float, ...] | Unknown]:
        """Seven probabilities or a reason for each face, in their order."""
        reasons = [self._assess(face, image_bgr, head) for face, head in zip(faces, heads, strict=True)]
        good = [i for i, reason in enumerate(reasons) if reason is None]
        readings: dict[int, tuple[float, ...]] = {}
        if good:
            crops = np.stack([self._crop(image_bgr, faces[i]) for i in good])
            rows = self._classify(crops)
            readings = {i: tuple(float(p) for p in row) for i, row in zip(good, rows, strict=True)}
        return [reason if reason is not None else readings[i] for i, reason in enumerate(reasons)]
