"""What tells a camera's view again: points of walls and furniture in a still of the room, with their codes.

A seat plan is drawn over a still, and holds in a session as far as its camera shows the same view. The
still itself is not kept: of it remain the places of ORB points and 256 comparisons of brightness around
each, and none whose surroundings reach into a seat. A rough drawing of the walls could be made from such
codes (d'Angelo et al. 2012); nothing of who sat there is in them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.domain import Box, ImageBGR
from monitor.errors import PlanError
from monitor.features import Features, features, matched, working_grey, working_scale
from monitor.similarity import Matrix, enlarged

POINTS = 3000
"""Looked for in the still and in the frame that is compared with it. Twice as many as for following the
camera: the days between leave fewer of them alike, and it is done once."""

LEAST_POINTS = 100
"""With fewer than these a view cannot be told again. Not tuned: four times the 25 that must agree."""

_MAGIC, _HEAD = b"CPL1", struct.Struct("<4sId")
_CODE_BYTES = 32
_POINT_BYTES = 2 * 4 + _CODE_BYTES
_UNREADABLE = "the stored seat plan cannot be read; store it again with 'classpulse seats use'"


@dataclass(frozen=True)
class Landmarks:
    """``points`` (N, 2) float32, pixels of the still at working size, which is the still's times ``scale``;
    ``codes`` (N, 32) uint8."""

    scale: float
    points: NDArray[np.float32]
    codes: NDArray[np.uint8]

    def view(self, image_bgr: ImageBGR) -> Matrix | None:
        """The similarity (2, 3) from the still's pixels to this picture's; None where it is not the same
        view."""
        here: Features = features(working_grey(image_bgr), POINTS)
        found = matched((self.points, self.codes), here)
        return None if found is None else enlarged(found, 1 / self.scale, 1 / working_scale(image_bgr))

    def to_bytes(self) -> bytes:
        """All of it, for the database."""
        head = _HEAD.pack(_MAGIC, len(self.points), self.scale)
        return head + self.points.astype("<f4").tobytes() + self.codes.tobytes()


def landmarks(image_bgr: ImageBGR, apart: Sequence[Box]) -> Landmarks:
    """The landmarks of a still but for those whose surroundings reach into one of the boxes ``apart``.

    Raises ``PlanError`` where too few are left to tell the view again.
    """
    scale, grey = working_scale(image_bgr), working_grey(image_bgr)
    orb, boxes = cv2.ORB.create(POINTS), np.array(apart, np.float64).reshape(-1, 4) * scale
    looked_at = np.full_like(grey, 255)
    for x1, y1, x2, y2 in boxes.round().astype(int).tolist():
        cv2.rectangle(looked_at, (x1, y1), (x2, y2), 0, -1)
    away = [point for point in orb.detect(grey, looked_at) if not _reaches(point, boxes)]
    kept, codes = orb.compute(grey, away)
    if len(kept) < LEAST_POINTS:
        raise PlanError(
            f"the still has {len(kept)} points outside the seats to tell its view by, expected "
            f"{LEAST_POINTS} or more: take one with more of the room (walls, windows, desks), in good light"
        )
    return Landmarks(scale, np.array([point.pt for point in kept], np.float32), np.asarray(codes, np.uint8))


def from_bytes(content: bytes) -> Landmarks:
    """What ``Landmarks.to_bytes`` gave. Raises ``PlanError`` for anything else."""
    if len(content) < _HEAD.size:
        raise PlanError(_UNREADABLE)
    magic, count, scale = _HEAD.unpack_from(content)
    if magic != _MAGIC or len(content) != _HEAD.size + count * _POINT_BYTES:
        raise PlanError(_UNREADABLE)
    points = np.frombuffer(content, "<f4", 2 * count, _HEAD.size).reshape(count, 2)
    codes = np.frombuffer(content, np.uint8, _CODE_BYTES * count, _HEAD.size + 8 * count)
    return Landmarks(scale, points.astype(np.float32), codes.reshape(count, _CODE_BYTES))


def _reaches(point: cv2.KeyPoint, boxes: NDArray[np.float64]) -> bool:
    """Whether what a point's code was made of, a disc of its size, reaches into a box."""
    x, y = point.pt
    across = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0)
    down = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 3]), 0)
    return bool((np.hypot(across, down) < point.size / 2).any())
