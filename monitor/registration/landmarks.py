"""The reference view of a seat plan: ORB features of walls and furniture, by which a camera view is
recognised.

A seat plan is drawn over an image and applies to sessions whose camera shows the same view. The image itself
is not kept, only keypoints and descriptors, and none whose surroundings reach into a seat. A rough drawing of
the walls could be reconstructed from descriptors (d'Angelo et al. 2012), but nothing of the people who sat
there.
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
"""Keypoints in the image of the plan and in the frame compared with it. Twice as many as for camera motion:
after days fewer of them match, and the comparison is rare."""

MIN_KEYPOINTS = 100
"""A view with fewer is not recognised reliably. Heuristic, not tuned on data: four times the 25 that must
agree."""

MAX_RESIDUAL_PX = 4.0
"""The largest accepted residual of a similarity, pixels at working size; see ``_residual_px``. A camera at
another position still fits a similarity in some corner of the image while seats are displaced. Chosen on the
photograph of a lecture hall: seen slightly from the side, the residual is 2.6 where seats are off by 0.15
face widths, 6 at 0.4 and 40 at 2.7; a mask reaches 1.0 beyond the face."""

_MAGIC, _HEAD = b"CPL1", struct.Struct("<4sId")
_DESCRIPTOR_BYTES = 32
_KEYPOINT_BYTES = 2 * 4 + _DESCRIPTOR_BYTES


class FewKeypoints(PlanError):
    """An image has too few keypoints outside the seats to recognise its view: ``count``."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"The image has {count} keypoints outside the seats, but at least {MIN_KEYPOINTS} are needed to "
            "recognise its view.",
            "Take an image that shows more of the room (walls, windows, desks), in good light.",
        )
        self.count = count


class UnreadablePlan(PlanError):
    """The reference view of a stored seat plan is damaged."""

    def __init__(self) -> None:
        super().__init__(
            "The stored seat plan cannot be read.", "Store it again with 'classpulse seats apply'."
        )


@dataclass(frozen=True)
class ReferenceView:
    """``keypoints`` ``(N, 2)`` float32, pixels of the image at working size, which is ``scale`` times its
    size; ``descriptors`` ``(N, 32)`` uint8."""

    scale: float
    keypoints: NDArray[np.float32]
    descriptors: NDArray[np.uint8]

    def match(self, image_bgr: ImageBGR) -> Matrix | None:
        """The similarity ``(2, 3)`` from pixels of the plan's image to those of this image; None if it shows
        another view."""
        pairs = match_descriptors(
            (self.keypoints, self.descriptors), detect_features(working_grey(image_bgr), MAX_KEYPOINTS)
        )
        estimate = estimate_similarity(*pairs)
        if estimate is None or _residual_px(estimate[0], *pairs) > MAX_RESIDUAL_PX:
            return None
        return rescale(estimate[0], 1 / self.scale, 1 / working_scale(image_bgr))

    def to_bytes(self) -> bytes:
        """The view as stored in the database."""
        head = _HEAD.pack(_MAGIC, len(self.keypoints), self.scale)
        return head + self.keypoints.astype("<f4").tobytes() + self.descriptors.tobytes()


def extract_reference_view(image_bgr: ImageBGR, excluded_boxes: Sequence[Box]) -> ReferenceView:
    """The reference view of an image, without keypoints whose surroundings reach into ``excluded_boxes``.

    Raises ``FewKeypoints`` if too few are left.
    """
    scale, grey = working_scale(image_bgr), working_grey(image_bgr)
    orb, boxes = cv2.ORB.create(MAX_KEYPOINTS), np.array(excluded_boxes, np.float64).reshape(-1, 4) * scale
    mask = np.full_like(grey, 255)
    for x1, y1, x2, y2 in boxes.round().astype(int).tolist():
        cv2.rectangle(mask, (x1, y1), (x2, y2), 0, -1)
    outside = [point for point in orb.detect(grey, mask) if not _overlaps_boxes(point, boxes)]
    kept, descriptors = orb.compute(grey, outside)
    if len(kept) < MIN_KEYPOINTS:
        raise FewKeypoints(len(kept))
    keypoints = np.array([point.pt for point in kept], np.float32)
    return ReferenceView(scale, keypoints, np.asarray(descriptors, np.uint8))


def reference_view_from_bytes(content: bytes) -> ReferenceView:
    """The inverse of ``ReferenceView.to_bytes``. Raises ``UnreadablePlan`` for other bytes."""
    if len(content) < _HEAD.size:
        raise UnreadablePlan
    magic, count, scale = _HEAD.unpack_from(content)
    if magic != _MAGIC or len(content) != _HEAD.size + count * _KEYPOINT_BYTES:
        raise UnreadablePlan
    keypoints = np.frombuffer(content, "<f4", 2 * count, _HEAD.size).reshape(count, 2)
    descriptors = np.frombuffer(content, np.uint8, _DESCRIPTOR_BYTES * count, _HEAD.size + 8 * count)
    return ReferenceView(scale, keypoints.astype(np.float32), descriptors.reshape(count, _DESCRIPTOR_BYTES))


def _residual_px(
    motion: Matrix, reference_points: NDArray[np.float32], frame_points: NDArray[np.float32]
) -> float:
    """The residuals under ``motion`` of the pairs ``(N, 1, 2)`` that a homography explains, 90th
    percentile."""
    _, inliers = cv2.findHomography(reference_points, frame_points, cv2.RANSAC, 2 * RANSAC_PX)
    if inliers is None or not inliers.any():
        return float("inf")
    residuals = transform_points(motion, reference_points[:, 0]) - frame_points[:, 0]
    return float(np.percentile(np.hypot(*residuals[inliers[:, 0] == 1].T), 90))


def _overlaps_boxes(point: cv2.KeyPoint, boxes: NDArray[np.float64]) -> bool:
    """Whether the disc that the descriptor of a keypoint depends on reaches into a box."""
    x, y = point.pt
    dx = np.maximum(np.maximum(boxes[:, 0] - x, x - boxes[:, 2]), 0)
    dy = np.maximum(np.maximum(boxes[:, 1] - y, y - boxes[:, 3]), 0)
    return bool((np.hypot(dx, dy) < point.size / 2).any())
