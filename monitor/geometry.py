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


def times(after: Matrix, before: Matrix) -> Matrix:
    """First ``before``, then ``after``."""
    return np.asarray((_square(after) @ _square(before))[:2], np.float64)


def inverse(matrix: Matrix) -> Matrix:
    """The way back."""
    return np.asarray(np.linalg.inv(_square(matrix))[:2], np.float64)


def enlarged(matrix: Matrix, before: float, after: float) -> Matrix:
    """The same for pixels of enlarged pictures: ``before`` times on the way in, ``after`` on the way out."""
    scaled = matrix * (after / before)
    scaled[:, 2] = matrix[:, 2] * after
    return np.asarray(scaled, np.float64)


def zoom(matrix: NDArray[Any]) -> float:
    """How much longer lines become."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def moved(matrix: Matrix, points: NDArray[Any]) -> NDArray[np.float32]:
    """Points (N, 2) taken through a similarity."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _square(matrix: Matrix) -> Matrix:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def grown(box: Box, by: tuple[float, float, float, float]) -> Box:
    """A box with ``by`` times its width or height more on the left, above, on the right and below."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return x1 - by[0] * width, y1 - by[1] * height, x2 + by[2] * width, y2 + by[3] * height


def corners(box: Box) -> NDArray[np.float32]:
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
    return [seat.student for row in rows_of(seats) for seat in row]


def rows_of(seats: Iterable[Seat]) -> list[list[Seat]]:
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


def in_room(face: Face, to_room: NDArray[np.float64]) -> Face:
    """A face of the picture where it is in the room. Its box stays upright."""
    scale = zoom(to_room)
    x, y = to_room @ (*face.centre, 1.0)
    half_width = scale * (face.box_xyxy[2] - face.box_xyxy[0]) / 2
    half_height = scale * (face.box_xyxy[3] - face.box_xyxy[1]) / 2
    box = (float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height))
    return Face(box, face.score, moved(to_room, face.keypoints), face.confirmed)


def in_picture(box_xyxy: Box, to_room: NDArray[np.float64]) -> Face:
    """A box of the room where it is in the picture, as a face of which nothing else is known."""
    here = Face(box_xyxy, 0.0, np.full((6, 2), np.nan, np.float32))
    return in_room(here, inverse(to_room))


STANDING = identity()
"""Of a camera that has not moved."""


def _centre_y(seat: Seat) -> float:
    return (seat.box_xyxy[1] + seat.box_xyxy[3]) / 2
