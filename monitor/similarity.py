"""Similarities of the plane: a rotation and a scale beside a shift, as ``(2, 3)`` matrices. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
