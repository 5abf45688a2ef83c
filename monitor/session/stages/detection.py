"""Detection stage: detects the faces of the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from monitor.session.stages.context import FrameContext
from monitor.types import Face, ImageBGR


class FaceDetector(Protocol):
    """The part of ``monitor.detection.base.Detector`` that the pipeline uses."""

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """All faces of the image."""


class FrameProbe(Protocol):
    """Searches single frames for faces that the detector missed
    (``monitor.detection.small_faces.SmallFaceProbe``)."""

    def submit(self, image_bgr: ImageBGR, faces: Sequence[Face], media_s: float) -> None:
        """Take the next frame as the detector got it, with the faces that it reported."""


class DetectionStage:
    """Detects faces and passes each frame on to the probe for missed faces."""

    def __init__(self, detector: FaceDetector, probe: FrameProbe | None = None) -> None:
        self._detector = detector
        self._probe = probe

    def process(self, context: FrameContext) -> None:
        """Sets ``faces``."""
        context.faces = self._detector.detect(context.image_bgr)
        if self._probe is not None:
            self._probe.submit(context.image_bgr, context.faces, context.frame.media_s)
