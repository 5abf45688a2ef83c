"""The attributes of one face, and estimators of its expression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.faces.eye_closure import EyeClosureEstimator
from monitor.types import Face, HeadEstimate, ImageBGR, Observation, UnreadableReason


class ExpressionEstimator(Protocol):
    """Estimates the expressions of the faces of one frame."""

    def estimate(
        self, image_bgr: ImageBGR, faces: list[Face], heads: list[HeadEstimate]
    ) -> list[tuple[float, ...] | UnreadableReason]:
        """Seven calibrated probabilities for each face, or the reason why there are none. ``heads`` has the
        head estimate of each face, in the same order."""


class HeadPoseEstimator(Protocol):
    """Estimates head poses and how far eyes are open (``monitor.faces.head_pose``, ``.head_reader``)."""

    def estimate(self, image_bgr: ImageBGR, faces: list[Face]) -> list[HeadEstimate]:
        """One estimate for each face, in the same order."""


@dataclass(frozen=True)
class FaceAttributes:
    """The attributes of one face in one frame, before a student is assigned."""

    media_s: float
    expression: tuple[float, ...] | UnreadableReason
    head: HeadEstimate

    def to_observation(self, student: int, eye_closure: EyeClosureEstimator) -> Observation:
        """The attributes as an observation of ``student``."""
        pose, closed = self.head.pose, eye_closure.is_closed(student, self.head.eye_aspect_ratio)
        if isinstance(self.expression, UnreadableReason):
            return Observation(student, self.media_s, True, None, self.expression, pose, closed)
        return Observation(student, self.media_s, True, self.expression, None, pose, closed)


class NullExpressionEstimator:
    """The estimator of ``mode: behaviour``, in which no expression is computed."""

    def estimate(
        self, image_bgr: ImageBGR, faces: list[Face], heads: list[HeadEstimate]
    ) -> list[tuple[float, ...] | UnreadableReason]:
        """The reason ``not computed`` for every face; the image is not used."""
        del image_bgr, heads
        return [UnreadableReason.NOT_COMPUTED] * len(faces)


class QualityGatedEstimator:
    """Assesses the quality of each face, then classifies the good ones in one batch.

    ``assess`` returns the reason not to read a face, or None; ``crop`` crops a face as the classifier's
    training data; ``classify`` maps crops ``(N, 48, 48)`` uint8 to ``(N, 7)`` float32.
    """

    def __init__(
        self,
        assess: Callable[[Face, ImageBGR, HeadEstimate], UnreadableReason | None],
        crop: Callable[[ImageBGR, Face], NDArray[np.uint8]],
        classify: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    ) -> None:
        self._assess = assess
        self._crop = crop
        self._classify = classify

    def estimate(
        self, image_bgr: ImageBGR, faces: list[Face], heads: list[HeadEstimate]
    ) -> list[tuple[float, ...] | UnreadableReason]:
        """Seven probabilities or a reason for each face, in the same order."""
        reasons = [self._assess(face, image_bgr, head) for face, head in zip(faces, heads, strict=True)]
        good = [i for i, reason in enumerate(reasons) if reason is None]
        readings: dict[int, tuple[float, ...]] = {}
        if good:
            crops = np.stack([self._crop(image_bgr, faces[i]) for i in good])
            rows = self._classify(crops)
            readings = {i: tuple(float(p) for p in row) for i, row in zip(good, rows, strict=True)}
        return [reason if reason is not None else readings[i] for i, reason in enumerate(reasons)]
