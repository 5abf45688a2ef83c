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

from monitor.errors import PlanError
from monitor.geometry import Matrix, rescale, transform_points
from monitor.registration.features import (
    RANSAC_PX,
    detect_features,
    estimate_similarity,
    match_descriptors,
    working_grey,
    working_scale,
)
from monitor.types import Box, ImageBGR

MAX_KEYPOINTS = 3000
"""Looked for in the still and in the frame that is compared with it. Twice as many as for following the
camera: the days between leave fewer of them alike, and it is done seldom."""

MIN_KEYPOINTS = 100
"""With fewer than these a view cannot be told again. Not tuned: four times the 25 that must agree."""

MAX_RESIDUAL_PX = 4.0
"""The most that a view may be bent, pixels at working size; see ``_residual_px``. A camera that stands
elsewhere still agrees with a similarity in some corner of the picture, and the seats lie beside it. Chosen
on the lecture hall's photograph: seen a little from the side it is bent by 2.6 where the seats are off by
0.15 face widths, by 6 at 0.4 and by 40 at 2.7; a mask reaches 1.0 beyond the face."""

_MAGIC, _HEAD = b"CPL1", struct.Struct("<4sId")
_DESCRIPTOR_BYTES = 32
_KEYPOINT_BYTES = 2 * 4 + _DESCRIPTOR_BYTES
_UNREADABLE = "the stored seat plan cannot be read; store it again with 'classpulse seats use'"


@dataclass(frozen=True)
class ReferenceView:
    """``keypoints`` (N, 2) float32, pixels of the still at working size, which is the still's times ``scale``;
    ``descriptors`` (N, 32) uint8."""

    scale: float
    keypoints: NDArray[np.float32]
    descriptors: NDArray[np.uint8]

    def match(self, image_bgr: ImageBGR) -> Matrix | None:
        """The similarity (2, 3) from the still's pixels to this picture's; None where it is not the same
        view."""
        pairs = match_descriptors(
            (self.keypoints, self.descriptors), detect_features(working_grey(image_bgr), MAX_KEYPOINTS)
        )
        found = estimate_similarity(*pairs)
        if found is None or _residual_px(found[0], *pairs) > MAX_RESIDUAL_PX:
            return None
        return rescale(found[0], 1 / self.scale, 1 / working_scale(image_bgr))

    def to_bytes(self) -> bytes:
        """All of it, for the database."""
        head = _HEAD.pack(_MAGIC, len(self.keypoints), self.scale)
        return head + self.keypoints.astype("<f4").tobytes() + self.descriptors.tobytes()


def extract_reference_view(image_bgr: ImageBGR, excluded_boxes: Sequence[Box]) -> ReferenceView:
    """The landmarks of a still but for those whose surroundings reach into one of the boxes ``excluded_boxes``.

    Raises ``PlanError`` where too few are left to tell the view again.
    """
    scale, grey = working_scale(image_bgr), working_grey(image_bgr)
    orb, boxes = cv2.ORB.create(MAX_KEYPOINTS), np.array(excluded_boxes, np.float64).reshape(-1, 4) * scale
    looked_at = np.full_like(grey, 255)
    for x1, y1, x2, y2 in boxes.round().astype(int).tolist():
        cv2.rectangle(looked_at, (x1, y1), (x2, y2), 0, -1)
    away = [point for point in orb.detect(grey, looked_at) if not _overlaps_boxes(point, boxes)]
    kept, codes = orb.compute(grey, away)
    if len(kept) < MIN_KEYPOINTS:
        raise PlanError(
            f"the still has {len(kept)} points outside the seats to tell its view by, expected "
            f"{MIN_KEYPOINTS} or more: take one with more of the room (walls, windows, desks), in good light"
        )
    return ReferenceView(
        scale, np.array([point.pt for point in kept], np.float32), np.asarray(codes, np.uint8)
    )


def reference_view_from_bytes(content: bytes) -> ReferenceView:
    """What ``ReferenceView.to_bytes`` gave. Raises ``PlanError`` for anything else."""
    if len(content) < _HEAD.size:
        raise PlanError(_UNREADABLE)
    magic, count, scale = _HEAD.unpack_from(content)
    if magic != _MAGIC or len(content) != _HEAD.size + count * _KEYPOINT_BYTES:
        raise PlanError(_UNREADABLE)
    points = np.frombuffer(content, "<f4", 2 * count, _HEAD.size).reshape(count, 2)
    codes = np.frombuffer(content, np.uint8, _DESCRIPTOR_BYTES * count, _HEAD.size + 8 * count)
    return ReferenceView(scale, points.astype(np.float32), codes.reshape(count, _DESCRIPTOR_BYTES))


def _residual_px(
    motion: Matrix, reference_points: NDArray[np.float32], frame_points: NDArray[np.float32]
) -> float:
    """How far the pairs (N, 1, 2) that a view in perspective explains lie from the similarity, the worst
    tenth left out."""
    _, explained = cv2.findHomography(reference_points, frame_points, cv2.RANSAC, 2 * RANSAC_PX)
    if explained is None or not explained.any():
        return float("inf")
    off = np.hypot(
        *(transform_points(motion, reference_points[:, 0]) - frame_points[:, 0])[explained[:, 0] == 1].T
    )
    return float(np.percentile(off, 90))


def _overlaps_boxes(point: cv2.KeyPoint, boxes: NDArray[np.float64]) -> bool:
    """Whether what a point's code was made of, a disc of its size, reaches into a box."""
    x, y = point.pt
    across = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0)
    down = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 3]), 0)
    return bool((np.hypot(across, down) < point.size / 2).any())
