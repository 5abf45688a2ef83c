"""How a face changed against its own surroundings, where the camera moved between two frames. Pure NumPy.

Registration of a moving camera is never exact: it is off by part of a pixel, nearer things shift against
farther ones (parallax), and motion blurs. A printed face suffers from all of that exactly as the wall around
it does; a head moves against the wall behind it, and changes. So the surroundings of the earlier patch are
aligned with those of the later one, and the face is compared under that alignment.

The alignment is that of Lucas and Kanade (1981) with a similarity and, for the exposure, a gain and an
offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Patch = NDArray[np.float32]
"""A grey patch ``(N, N)`` float32."""

FACE_PX = 24
"""The side of the face in the middle of a patch, pixels."""

MARGIN_PX = 16
"""What a patch shows beyond the face on each side: two thirds of it."""

HAIR_PX, CHEEK_PX, CHIN_PX = 9, 5, 10
"""What belongs to the head beyond its box, above and at the sides, and how much of the lower face is left
out: shoulders move with the head, so surroundings lie above them."""

MAX_ITERATIONS = 5
"""Iterations; the residual shift was below 0.05 px after four."""

MAX_STEP_PX = 1.0
MAX_SHIFT_PX = 5.0
"""Limits of one iteration and of the whole alignment, patch pixels. Heuristic, not tuned on data."""

MIN_CONTRAST = 6.0
"""Surroundings with a smaller standard deviation, grey levels, hold nothing to align by."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RelativeChange:
    """``similarity`` is the normalised correlation of the face before and now, -1..1; ``shift`` is how far it
    moved against its surroundings, in face widths, 0 where these hold nothing to align by."""

    similarity: float
    shift: float


def relative_change(reference: Patch, current: Patch) -> RelativeChange:
    """The change of the face in the middle of two patches of ``FACE_PX + 2 * MARGIN_PX`` pixels a side."""
    side = FACE_PX + 2 * MARGIN_PX
    if reference.shape != (side, side) or current.shape != (side, side):
        raise ValueError(
            f"patches have shapes {reference.shape} and {current.shape}; expected ({side}, {side})"
        )
    one, other = _smooth(reference), _smooth(current)
    around, face = _masks()
    if min(one[around].std(), other[around].std()) < MIN_CONTRAST:
        return RelativeChange(_correlation(one[face], other[face]), 0.0)
    camera = _aligned(one, other, around, np.zeros(4), turns=True)
    head = _aligned(one, other, face, camera, turns=False)
    similarity = _correlation(one[face], _warped(other, camera)[face])
    return RelativeChange(similarity, float(np.hypot(*(head - camera)[:2])) / FACE_PX)


@cache
def _masks() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The surroundings and the face."""
    side, low, high = FACE_PX + 2 * MARGIN_PX, MARGIN_PX, MARGIN_PX + FACE_PX
    around, face = np.ones((side, side), np.bool_), np.zeros((side, side), np.bool_)
    around[low - HAIR_PX :, low - CHEEK_PX : high + CHEEK_PX] = False
    around[high - CHIN_PX :] = False
    face[low:high, low:high] = True
    return around, face


@cache
def _grid() -> tuple[Floats, Floats]:
    side = FACE_PX + 2 * MARGIN_PX
    y, x = np.mgrid[:side, :side].astype(np.float64)
    return x, y


def _aligned(
    reference: Floats, current: Floats, mask: NDArray[np.bool_], start: Floats, *, turns: bool
) -> Floats:
    """The motion (x, y, zoom, turn) that leads from ``reference`` to ``current`` inside ``mask``, from ``start`` on;
    without ``turns`` zoom and turn stay as they are."""
    motion, free = start.copy(), 4 if turns else 2
    x, y = (axis - (axis.shape[0] - 1) / 2 for axis in _grid())
    prior = np.diag([*[10.0] * 2, *[1e5] * (free - 2), 1e-3, 1e-3])
    for _ in range(MAX_ITERATIONS):
        moved = _warped(current, motion)
        down, across = np.gradient(moved)
        columns = (across, down, across * x + down * y, down * x - across * y)[:free]
        ones = np.ones(int(mask.sum()))
        table = np.stack([*(column[mask] for column in columns), moved[mask], ones], axis=1)
        target = reference[mask]
        prior_gain = np.zeros(free + 2)
        prior_gain[free] = 1e-3
        found = np.linalg.solve(table.T @ table + prior, table.T @ target + prior_gain)
        step = np.clip(found[:free] / max(0.3, found[free]), -MAX_STEP_PX, MAX_STEP_PX)
        motion[:free] += step
        motion[:2] = np.clip(motion[:2], -MAX_SHIFT_PX, MAX_SHIFT_PX)
        if np.abs(step[:2]).max() < 0.02:
            break
    return motion


def _warped(patch: Floats, motion: Floats) -> Floats:
    """The patch looked up where ``motion`` leads, bilinear."""
    x, y = _grid()
    middle, most = (patch.shape[0] - 1) / 2, patch.shape[0] - 1.001
    across, down, zoom, turn = motion
    to_x = np.clip(x + across + zoom * (x - middle) - turn * (y - middle), 0, most)
    to_y = np.clip(y + down + turn * (x - middle) + zoom * (y - middle), 0, most)
    left, top = to_x.astype(np.intp), to_y.astype(np.intp)
    right_share, low_share = to_x - left, to_y - top
    above = patch[top, left] * (1 - right_share) + patch[top, left + 1] * right_share
    below = patch[top + 1, left] * (1 - right_share) + patch[top + 1, left + 1] * right_share
    return np.asarray(above * (1 - low_share) + below * low_share)


def _smooth(patch: Patch) -> Floats:
    """The patch under a binomial filter of three by three: blur by motion then weighs less."""
    wide = np.pad(patch.astype(np.float64), 1, mode="edge")
    rows = (wide[:-2] + 2 * wide[1:-1] + wide[2:]) / 4
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4)


def _correlation(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))
