"""Boxes, seats, and similarity transforms of the plane. Pure.

A similarity (rotation, scale and shift) is a ``(2, 3)`` float64 matrix.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.types import Box, Face

Matrix = NDArray[np.float64]
"""A similarity, ``(2, 3)`` float64."""


def identity() -> Matrix:
    """The similarity that moves nothing."""
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


IDENTITY = identity()
"""The motion of a camera that has not moved. Never changed in place."""


def compose_similarities(after: Matrix, before: Matrix) -> Matrix:
    """The similarity that applies ``before``, then ``after``."""
    return np.asarray((_homogeneous(after) @ _homogeneous(before))[:2], np.float64)


def inverse(matrix: Matrix) -> Matrix:
    """The inverse similarity."""
    return np.asarray(np.linalg.inv(_homogeneous(matrix))[:2], np.float64)


def rescale(matrix: Matrix, input_scale: float, output_scale: float) -> Matrix:
    """The same similarity between images that are ``input_scale`` and ``output_scale`` times as large."""
    scaled = matrix * (output_scale / input_scale)
    scaled[:, 2] = matrix[:, 2] * output_scale
    return np.asarray(scaled, np.float64)


def scale_factor(matrix: NDArray[Any]) -> float:
    """The factor by which lengths grow."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def transform_points(matrix: Matrix, points: NDArray[Any]) -> NDArray[np.float32]:
    """Points ``(N, 2)``, transformed."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _homogeneous(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def box_centre(box: Box) -> tuple[float, float]:
    """The centre of a box, pixels."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def box_width(box: Box) -> float:
    """The width of a box, pixels."""
    return box[2] - box[0]


def box_corners(box: Box) -> NDArray[np.float32]:
    """The corners of a box ``(4, 2)``, in order around it."""
    x1, y1, x2, y2 = box
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], np.float32)


def median_box(boxes: Iterable[Box]) -> Box:
    """The median of each edge."""
    x1, y1, x2, y2 = np.median(np.array(list(boxes)), axis=0)
    return float(x1), float(y1), float(x2), float(y2)


def expand_box(box: Box, margins: tuple[float, float, float, float]) -> Box:
    """The box, expanded to the left, top, right and bottom by ``margins`` times its width or height."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return (
        x1 - margins[0] * width,
        y1 - margins[1] * height,
        x2 + margins[2] * width,
        y2 + margins[3] * height,
    )


def transform_box(matrix: NDArray[np.float64], box: Box) -> Box:
    """The box with its centre and size transformed; it stays upright."""
    scale = scale_factor(matrix)
    x, y = matrix @ (*box_centre(box), 1.0)
    half_width, half_height = scale * (box[2] - box[0]) / 2, scale * (box[3] - box[1]) / 2
    return float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height)


def contained_share(box: Box, container: Box) -> float:
    """The share of the area of ``box`` that lies in ``container``, 0..1."""
    width = min(box[2], container[2]) - max(box[0], container[0])
    height = min(box[3], container[3]) - max(box[1], container[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(0.0, width) * max(0.0, height) / max(area, 1e-6)


def in_reference_frame(face: Face, to_reference: NDArray[np.float64]) -> Face:
    """A face of the frame in pixels of the reference frame; its box stays upright."""
    box = transform_box(to_reference, face.box_xyxy)
    return Face(box, face.score, transform_points(to_reference, face.keypoints), face.verified)


def in_camera_frame(box_xyxy: Box, to_reference: NDArray[np.float64]) -> Face:
    """A box of the reference frame in pixels of the frame, as a face without keypoints."""
    face = Face(box_xyxy, 0.0, np.full((6, 2), np.nan, np.float32))
    return in_reference_frame(face, inverse(to_reference))


@dataclass(frozen=True)
class Seat:
    """The seat of student number ``student``: the median box of the face, pixels of the reference frame."""

    student: int
    box_xyxy: Box


def reading_order(seats: Iterable[Seat]) -> list[int]:
    """Students in order of their seats: rows from top to bottom, each from left to right."""
    return [seat.student for row in seat_rows(seats) for seat in row]


def seat_rows(seats: Iterable[Seat]) -> list[list[Seat]]:
    """The seats in rows from top to bottom, each from left to right.

    A seat opens a new row if its centre lies more than three quarters of a face height below the mean of the
    row above it.
    """
    rows: list[list[Seat]] = []
    for seat in sorted(seats, key=_centre_y):
        height = seat.box_xyxy[3] - seat.box_xyxy[1]
        if rows and _centre_y(seat) - np.mean([_centre_y(s) for s in rows[-1]]) <= 0.75 * height:
            rows[-1].append(seat)
        else:
            rows.append([seat])
    return [sorted(row, key=lambda s: s.box_xyxy[0] + s.box_xyxy[2]) for row in rows]


def _centre_y(seat: Seat) -> float:
    return box_centre(seat.box_xyxy)[1]
