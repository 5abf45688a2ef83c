"""Similarities of the plane: a rotation and a scale beside a shift, as ``(2, 3)`` matrices. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.types import Box, Face

Matrix = NDArray[np.float64]
"""``(2, 3)``, float64."""


def identity() -> Matrix:
    """The one that moves nothing."""
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def compose_similarities(after: Matrix, before: Matrix) -> Matrix:
    """First ``input_scale``, then ``output_scale``."""
    return np.asarray((_homogeneous(after) @ _homogeneous(before))[:2], np.float64)


def inverse(matrix: Matrix) -> Matrix:
    """The way back."""
    return np.asarray(np.linalg.inv(_homogeneous(matrix))[:2], np.float64)


def rescale(matrix: Matrix, input_scale: float, output_scale: float) -> Matrix:
    """The same for pixels of enlarged pictures: ``input_scale`` times on the way in, ``output_scale`` on the way out."""
    scaled = matrix * (output_scale / input_scale)
    scaled[:, 2] = matrix[:, 2] * output_scale
    return np.asarray(scaled, np.float64)


def scale_factor(matrix: NDArray[Any]) -> float:
    """How much longer lines become."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def transform_points(matrix: Matrix, points: NDArray[Any]) -> NDArray[np.float32]:
    """Points (N, 2) taken through a similarity."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _homogeneous(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def expand_box(box: Box, margins: tuple[float, float, float, float]) -> Box:
    """A box with ``margins`` times its width or height more on the left, above, on the right and below."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return (
        x1 - margins[0] * width,
        y1 - margins[1] * height,
        x2 + margins[2] * width,
        y2 + margins[3] * height,
    )


def box_corners(box: Box) -> NDArray[np.float32]:
    """The corners of a box, (4, 2), in order around it."""
    x1, y1, x2, y2 = box
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], np.float32)


@dataclass(frozen=True)
class Seat:
    """Where student number ``student`` sits: the median face box, pixels of the frame."""

    student: int
    box_xyxy: Box


def reading_order(seats: Iterable[Seat]) -> list[int]:
    """Students in order of seat: rows from the top of the picture down, each from left to right."""
    return [seat.student for row in seat_rows(seats) for seat in row]


def seat_rows(seats: Iterable[Seat]) -> list[list[Seat]]:
    """The seats in rows from the top of the picture down, each from left to right.

    A seat opens a new row when its centre lies more than three quarters of a face height below
    the mean of the row above it.
    """
    ordered = sorted(seats, key=lambda seat: _centre_y(seat))
    rows: list[list[Seat]] = []
    for seat in ordered:
        height = seat.box_xyxy[3] - seat.box_xyxy[1]
        if rows and _centre_y(seat) - np.mean([_centre_y(s) for s in rows[-1]]) <= 0.75 * height:
            rows[-1].append(seat)
        else:
            rows.append([seat])
    return [sorted(row, key=lambda s: s.box_xyxy[0] + s.box_xyxy[2]) for row in rows]


def in_reference_frame(face: Face, to_reference: NDArray[np.float64]) -> Face:
    """A face of the picture where it is in the room. Its box stays upright."""
    scale = scale_factor(to_reference)
    x, y = to_reference @ (*face.centre, 1.0)
    half_width = scale * (face.box_xyxy[2] - face.box_xyxy[0]) / 2
    half_height = scale * (face.box_xyxy[3] - face.box_xyxy[1]) / 2
    box = (float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height))
    return Face(box, face.score, transform_points(to_reference, face.keypoints), face.verified)


def in_camera_frame(box_xyxy: Box, to_reference: NDArray[np.float64]) -> Face:
    """A box of the room where it is in the picture, as a face of which nothing else is known."""
    here = Face(box_xyxy, 0.0, np.full((6, 2), np.nan, np.float32))
    return in_reference_frame(here, inverse(to_reference))


IDENTITY = identity()
"""Of a camera that has not moved."""


def _centre_y(seat: Seat) -> float:
    return (seat.box_xyxy[1] + seat.box_xyxy[3]) / 2
