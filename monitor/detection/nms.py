"""Face candidates as arrays, and non-maximum suppression. Pure NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """N face candidates: ``boxes_xyxy`` ``(N, 4)``, ``scores`` ``(N,)`` in 0..1, ``keypoints`` ``(N, 6, 2)``
    in the order of ``monitor.types.Face``; float32, all in the same pixel coordinates."""

    boxes_xyxy: Floats
    scores: Floats
    keypoints: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, selection: NDArray[np.bool_] | NDArray[np.intp]) -> Candidates:
        """The candidates of ``selection`` (a mask or indices), in its order."""
        return Candidates(self.boxes_xyxy[selection], self.scores[selection], self.keypoints[selection])

    @property
    def singles(self) -> list[Candidates]:
        """One ``Candidates`` of length 1 per candidate."""
        return [self.select(np.array([index])) for index in range(len(self))]

    def to_frame(self, scale: float, x: float, y: float) -> Candidates:
        """From pixels of a slice to pixels of the frame: the slice has its corner at ``(x, y)`` of the frame
        scaled by ``scale``."""
        corner = np.array([x, y], dtype=np.float32)
        boxes = (self.boxes_xyxy + np.tile(corner, 2)) / scale
        keypoints = (self.keypoints + corner) / scale
        return Candidates(boxes.astype(np.float32), self.scores, keypoints.astype(np.float32))


def concat_candidates(parts: Sequence[Candidates]) -> Candidates:
    """The candidates of all ``parts``; an empty ``Candidates`` if ``parts`` is empty."""
    empty = Candidates(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 6, 2), np.float32))
    parts = [empty, *parts]
    return Candidates(
        np.concatenate([part.boxes_xyxy for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.keypoints for part in parts]),
    )


SAME_FACE_IOU = 0.3
"""MediaPipe's own value (``min_suppression_threshold`` in its face detection graphs)."""

MIN_CONTAINED_SHARE = 0.6
"""A box with at least this share inside of a better one is a part of that face: an eye and a cheek at the
edge of a slice look like a small face. Two faces that really overlap so far are one behind the other."""

MIN_CONTAINED_SIZE = 0.15
"""A part has at least this share of the area of the whole. Without the limit, the head and shoulders of a
distant person, which look like one large face, would suppress the face."""


def box_overlaps(box_xyxy: Floats, boxes_xyxy: Floats) -> tuple[Floats, Floats, Floats]:
    """The overlap of one box ``(4,)`` with each of ``(N, 4)``: three arrays ``(N,)`` in 0..1, the
    intersection over the union, the intersection over the smaller area, and the smaller area over the
    larger."""
    left_top = np.maximum(box_xyxy[:2], boxes_xyxy[:, :2])
    right_bottom = np.minimum(box_xyxy[2:], boxes_xyxy[:, 2:])
    shared = np.prod(np.clip(right_bottom - left_top, 0, None), axis=1)
    area = np.prod(box_xyxy[2:] - box_xyxy[:2])
    areas = np.prod(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], axis=1)
    smaller, larger = np.minimum(area, areas), np.maximum(area, areas)
    return shared / (area + areas - shared), shared / smaller, smaller / larger


def weighted_nms(candidates: Candidates) -> Candidates:
    """Non-maximum suppression: the best of each face, best first.

    A candidate is suppressed by a better one if their IoU is at least ``SAME_FACE_IOU`` or it is a part of
    it. Boxes and keypoints suppressed by IoU are averaged with their scores as weights, as in MediaPipe's
    ``WEIGHTED`` suppression: neighbouring anchors and slices disagree by a pixel or two, and the mean moves
    less from frame to frame. The score is that of the best candidate.
    """
    order = np.argsort(-candidates.scores, kind="stable")
    boxes, scores, points = [], [], []
    while len(order):
        best, rest = order[0], order
        iou, share, size = box_overlaps(candidates.boxes_xyxy[best], candidates.boxes_xyxy[rest])
        same = rest[iou >= SAME_FACE_IOU]
        weights = candidates.scores[same]
        boxes.append(np.average(candidates.boxes_xyxy[same], axis=0, weights=weights))
        points.append(np.average(candidates.keypoints[same], axis=0, weights=weights))
        scores.append(candidates.scores[best])
        part = (share >= MIN_CONTAINED_SHARE) & (size >= MIN_CONTAINED_SIZE)
        order = rest[(iou < SAME_FACE_IOU) & ~part]
    return Candidates(
        np.asarray(boxes, dtype=np.float32).reshape(-1, 4),
        np.asarray(scores, dtype=np.float32),
        np.asarray(points, dtype=np.float32).reshape(-1, 6, 2),
    )


def matches_any(candidate: Candidates, others: Candidates) -> bool:
    """Whether one candidate is the same face as any of ``others``, by IoU."""
    return matches_any_box(candidate, others.boxes_xyxy)


def matches_any_box(candidate: Candidates, boxes_xyxy: Floats) -> bool:
    """Whether one candidate is the same face as any of ``boxes_xyxy`` ``(N, 4)``, by IoU."""
    iou, _, _ = box_overlaps(candidate.boxes_xyxy[0], boxes_xyxy)
    return bool((iou >= SAME_FACE_IOU).any())


def is_contained(candidate: Candidates, others: Candidates) -> bool:
    """Whether one candidate is the same face as any of ``others``, or one contains most of the other."""
    iou, share, size = box_overlaps(candidate.boxes_xyxy[0], others.boxes_xyxy)
    return bool(
        ((iou >= SAME_FACE_IOU) | ((share >= MIN_CONTAINED_SHARE) & (size >= MIN_CONTAINED_SIZE))).any()
    )
