"""A photograph of a class with a box around each face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from classpulse.simulation.ground_truth import GroundTruthError, first_validation_error
from monitor.types import ImageBGR

MAX_OVERLAP = 0.5
"""Two boxes with a larger intersection over union are the same face."""


@dataclass(frozen=True)
class Photograph:
    """``image_bgr`` (H, W, 3) uint8 with even sides; ``boxes_xyxy`` (N, 4) float64 in its pixels, one per
    face."""

    image_bgr: ImageBGR
    boxes_xyxy: NDArray[np.float64]


class _FaceBoxesFile(BaseModel):
    """The JSON file beside a photograph: its size, and a box (x, y, width, height) around each face."""

    size_wh: tuple[int, int]
    faces_xywh: list[tuple[float, float, float, float]]


def load_photograph(image_path: Path, boxes_path: Path, width: int) -> Photograph:
    """The photograph scaled to ``width`` pixels.

    Raises ``GroundTruthError`` if the image or the boxes cannot be read, a box is outside of the image, or
    two boxes are the same face.
    """
    image = cv2.imdecode(_read_bytes(image_path), cv2.IMREAD_COLOR)
    if image is None:
        raise GroundTruthError(f"{image_path} cannot be read as an image.", "Use a JPEG or PNG file.")
    try:
        known = _FaceBoxesFile.model_validate_json(_read_bytes(boxes_path).tobytes())
    except ValidationError as error:
        raise GroundTruthError(
            f"{boxes_path} is invalid: {first_validation_error(error)}.",
            "Give size_wh and faces_xywh of the photograph.",
        ) from None
    _check(known, boxes_path)
    scale = width / known.size_wh[0]
    height = round(known.size_wh[1] * scale / 2) * 2
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(image, (width, height), interpolation=way)
    xywh = np.array(known.faces_xywh, np.float64) * scale
    return Photograph(
        np.asarray(scaled, np.uint8), np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
    )


def _read_bytes(path: Path) -> NDArray[np.uint8]:
    try:
        return np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise GroundTruthError(f"{path} cannot be read ({error.strerror}).") from None


def _check(known: _FaceBoxesFile, path: Path) -> None:
    width, height = known.size_wh
    if not known.faces_xywh:
        raise GroundTruthError(f"{path} has no face.", "Give at least one box in faces_xywh.")
    for number, (x, y, w, h) in enumerate(known.faces_xywh, start=1):
        if w <= 0 or h <= 0 or x < 0 or y < 0 or x + w > width or y + h > height:
            raise GroundTruthError(
                f"Face {number} of {path} at {x:g}, {y:g}, {w:g} x {h:g} is outside of the image of "
                f"{width} x {height} pixels."
            )
    for second, one in enumerate(known.faces_xywh):
        for first, other in enumerate(known.faces_xywh[:second]):
            if _xywh_iou(one, other) > MAX_OVERLAP:
                raise GroundTruthError(f"Faces {first + 1} and {second + 1} of {path} have the same place.")


def _xywh_iou(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes (x, y, width, height)."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0.0, across) * max(0.0, down)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
