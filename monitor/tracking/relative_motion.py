"""The change of a face against its own surroundings, for frames between which the camera moved. Pure NumPy.

Registration of a moving camera is never exact: it is off by part of a pixel, near objects shift against far
ones (parallax), and motion blurs. A printed face changes exactly as the wall around it; a head moves against
the wall behind it. So the surroundings of the earlier patch are aligned with those of the later one, and the
face is compared under that alignment (Lucas and Kanade 1981, with a similarity, and a gain and an offset for
the exposure).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Patch = NDArray[np.float32]
"""A grey patch ``(N, N)`` float32."""

FACE_PX = 24
"""Side of the face in the middle of a patch, pixels."""

MARGIN_PX = 16
"""Surroundings on each side of the face, pixels: two thirds of its side."""

HAIR_PX, CHEEK_PX, CHIN_PX = 9, 5, 10
"""Pixels of the head above and beside its box, and height of the excluded lower part: shoulders move with the
head, so only surroundings above them are used."""

MAX_ITERATIONS = 5
"""Iterations of the alignment; the residual shift was below 0.05 px after four."""

MAX_STEP_PX = 1.0
MAX_SHIFT_PX = 5.0
"""Largest shift in one iteration and in total, pixels of the patch. Heuristic, not tuned on data."""

MIN_CONTRAST = 6.0
"""Surroundings with a smaller standard deviation, grey levels, cannot be aligned."""

_BESIDE_PX = 8
"""Pixels at the sides of a patch that are not compared: an alignment may replace them, and they may be
beside the tile. Of 4, 8 and 10, this separated copies best in five speaker views."""

_COARSE_SIGMA_PX = 3
"""Details are finer than this, pixels of the patch: an eighth of a face."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RelativeChange:
    """``similarity``: the normalised correlation of the face before and now, -1..1; ``shift``: its motion
    against its surroundings, face widths, 0 if these cannot be aligned."""

    similarity: float
    shift: float


def relative_change(reference: Patch, current: Patch) -> RelativeChange:
    """The change of the face in the middle of two patches with sides of ``FACE_PX + 2 * MARGIN_PX``
    pixels."""
    side = FACE_PX + 2 * MARGIN_PX
    if reference.shape != (side, side) or current.shape != (side, side):
        raise ValueError(
            f"patches have shapes {reference.shape} and {current.shape}; expected ({side}, {side})"
        )
    before, now = _smooth(reference), _smooth(current)
    context, face = _masks()
    if min(before[context].std(), now[context].std()) < MIN_CONTRAST:
        return RelativeChange(normalised_correlation(before[face], now[face]), 0.0)
    camera = _align(before, now, context, np.zeros(4), shift_only=False)
    head = _align(before, now, face, camera, shift_only=True)
    similarity = normalised_correlation(before[face], _warp(now, camera)[face])
    return RelativeChange(similarity, float(np.hypot(*(head - camera)[:2])) / FACE_PX)


def content_similarity(reference: NDArray[np.float32], current: NDArray[np.float32]) -> float:
    """How exactly a patch shows the content of another of the same moment, -1..1; 1 for a scaled copy.

    Both are ``(N, N, 3)`` float32 colours of a face with its surroundings, with ``N = FACE_PX + 2 *
    MARGIN_PX``. They are aligned, because a detector's boxes differ by part of a face. The result is the
    smaller of two normalised correlations: of the colours, and of the details (grey levels without their
    coarse part). People in front of similar walls have similar colours, but details only in common with
    themselves.
    """
    before, now = (_smooth(patch.mean(axis=2)) for patch in (reference, current))
    compared = np.zeros(before.shape, np.bool_)
    compared[_BESIDE_PX:-_BESIDE_PX, _BESIDE_PX:-_BESIDE_PX] = True
    motion = np.zeros(4)
    for _ in range(2):
        motion = _align(before, now, compared, motion, shift_only=False)
    inner = slice(_BESIDE_PX, -_BESIDE_PX)
    moved = np.stack([_warp(_smooth(current[..., channel]), motion) for channel in range(3)], axis=2)
    smooth = np.stack([_smooth(reference[..., channel]) for channel in range(3)], axis=2)
    colours = normalised_correlation(smooth[inner, inner], moved[inner, inner])
    details = (_details(before)[inner, inner], _details(_warp(now, motion))[inner, inner])
    return min(colours, normalised_correlation(*details))


def _details(patch: Floats) -> Floats:
    """The patch without its coarse part, a Gaussian of ``_COARSE_SIGMA_PX``."""
    reach = np.arange(-3 * _COARSE_SIGMA_PX, 3 * _COARSE_SIGMA_PX + 1)
    kernel = np.exp(-(reach**2) / (2 * _COARSE_SIGMA_PX**2))
    kernel /= kernel.sum()
    side, margin = patch.shape[0], 3 * _COARSE_SIGMA_PX
    coarse = np.pad(patch, margin, mode="edge")
    coarse = sum(weight * coarse[at : at + side] for at, weight in enumerate(kernel))
    coarse = sum(weight * coarse[:, at : at + side] for at, weight in enumerate(kernel))
    return np.asarray(patch - coarse)


@cache
def _masks() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks of the surroundings and of the face."""
    side, low, high = FACE_PX + 2 * MARGIN_PX, MARGIN_PX, MARGIN_PX + FACE_PX
    context, face = np.ones((side, side), np.bool_), np.zeros((side, side), np.bool_)
    context[low - HAIR_PX :, low - CHEEK_PX : high + CHEEK_PX] = False
    context[high - CHIN_PX :] = False
    face[low:high, low:high] = True
    return context, face


@cache
def _grid() -> tuple[Floats, Floats]:
    side = FACE_PX + 2 * MARGIN_PX
    y, x = np.mgrid[:side, :side].astype(np.float64)
    return x, y


def _align(
    reference: Floats, current: Floats, mask: NDArray[np.bool_], start: Floats, *, shift_only: bool
) -> Floats:
    """The motion (x, y, zoom, rotation) from ``reference`` to ``current`` inside ``mask``, searched from
    ``start``; with ``shift_only`` zoom and rotation are kept."""
    motion, free = start.copy(), 2 if shift_only else 4
    x, y = (axis - (axis.shape[0] - 1) / 2 for axis in _grid())
    prior = np.diag([*[10.0] * 2, *[1e5] * (free - 2), 1e-3, 1e-3])
    for _ in range(MAX_ITERATIONS):
        moved = _warp(current, motion)
        dy, dx = (np.asarray(slope) for slope in np.gradient(moved))
        columns = (dx, dy, dx * x + dy * y, dy * x - dx * y)[:free]
        ones = np.ones(int(mask.sum()))
        table = np.stack([*(column[mask] for column in columns), moved[mask], ones], axis=1)
        target = reference[mask]
        prior_gain = np.zeros(free + 2)
        prior_gain[free] = 1e-3
        solution = np.linalg.solve(table.T @ table + prior, table.T @ target + prior_gain)
        step = np.clip(solution[:free] / max(0.3, solution[free]), -MAX_STEP_PX, MAX_STEP_PX)
        motion[:free] += step
        motion[:2] = np.clip(motion[:2], -MAX_SHIFT_PX, MAX_SHIFT_PX)
        if np.abs(step[:2]).max() < 0.02:
            break
    return motion


def _warp(patch: Floats, motion: Floats) -> Floats:
    """The patch, sampled bilinearly at the positions to which ``motion`` moves its pixels."""
    x, y = _grid()
    middle, last = (patch.shape[0] - 1) / 2, patch.shape[0] - 1.001
    dx, dy, zoom, rotation = motion
    to_x = np.clip(x + dx + zoom * (x - middle) - rotation * (y - middle), 0, last)
    to_y = np.clip(y + dy + rotation * (x - middle) + zoom * (y - middle), 0, last)
    left, top = to_x.astype(np.intp), to_y.astype(np.intp)
    right_share, low_share = to_x - left, to_y - top
    above = patch[top, left] * (1 - right_share) + patch[top, left + 1] * right_share
    below = patch[top + 1, left] * (1 - right_share) + patch[top + 1, left + 1] * right_share
    return np.asarray(above * (1 - low_share) + below * low_share)


def _smooth(patch: Patch) -> Floats:
    """The patch after a 3 x 3 binomial filter, which reduces the influence of motion blur."""
    padded = np.pad(patch.astype(np.float64), 1, mode="edge")
    rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4)


def normalised_correlation(first: NDArray[np.floating[Any]], second: NDArray[np.floating[Any]]) -> float:
    """The normalised correlation of two patches of one shape, -1..1."""
    a, b = first - first.mean(), second - second.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))
