"""The interface of every face detector, and the settings of face detection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from annotated_types import Ge, Le

from monitor.types import Face, ImageBGR


class Detector(Protocol):
    """Detects the faces of one source, frame by frame.

    ``version`` names the method and the exact model files; it is stored with a session.
    """

    version: str

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """The faces of ``image_bgr`` ``(H, W, 3)`` uint8, best first; an empty list if there are none.

        A box extends from the forehead to the chin and from ear to ear.
        """
        ...


@dataclass(frozen=True)
class DetectionSettings:
    """Settings of face detection.

    ``backend``: ``blazeface`` runs MediaPipe's networks on slices of the frame, with verification; ``yunet``
    runs YuNet on the whole frame; ``mediapipe`` is MediaPipe's own face detector task on the whole frame,
    which finds large faces only and needs the extra ``classpulse[mediapipe]``.

    ``min_face_px``: the smallest face to detect, pixels of the frame. It determines the size of the slices:
    half the value means four times the work. Below 24 no expression can be read.

    ``min_score``: in 0..1; a lower value finds more faces and more false positives. At 0.5 the lecture hall
    photograph that the project tests with, 1920 wide, gives 22 of 24 faces and no false positive.

    ``full_scan_interval``: every part of the frame is scanned at least once in this many samples, and
    immediately where the image changes; between scans known faces are tracked. A student who appears without
    much change of the image is detected at most one sample less than this later, 5.5 s by default. 1 scans
    the whole frame in every sample.

    ``threads``: CPU threads for the models; the smallest laptops have two to spare.
    """

    backend: Literal["blazeface", "yunet", "mediapipe"] = "blazeface"
    min_face_px: Annotated[int, Ge(12), Le(512)] = 24
    min_score: Annotated[float, Ge(0.1), Le(0.95)] = 0.5
    full_scan_interval: Annotated[int, Ge(1), Le(40)] = 12
    threads: Annotated[int, Ge(1), Le(32)] = 2
