"""Slices of a frame in which every face is large enough, and detection in them.

A detector with a small square input finds a face only if it has some pixels *in that input*; a lecture hall
shrunk to 192 pixels has none. So the frame is divided into the levels of a pyramid. The finest shows the
smallest face to detect at the smallest size that the model finds, in overlapping tiles; each next level is
coarser and covers faces that no longer fit into the overlap; the last is the whole frame. The slices are the
tiles of all levels, and the whole frame once more for large faces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.detection.blazeface import BlazeFace
from monitor.detection.nms import Candidates, Floats, concat_candidates, weighted_nms
from monitor.imaging import downscale
from monitor.types import ImageBGR

MIN_INPUT_FACE_PX = 12
"""The smallest face side, in pixels of the model's input, that the full-range model finds reliably."""

OVERLAP = 1 / 3
"""The overlap of two neighbouring tiles, as a share of a tile. A half would cut faces less often but needs
1.8 times the tiles; with a quarter the next level has to start earlier."""

EDGE_MARGIN = 1 / 16
"""The black margin of a tile at the right or lower edge of the frame, as a share of a tile. The model is
nearly blind in the last pixels of its input: of faces of 24 px within 40 px of the lower right corner of a
1280 x 720 frame it found 9 of 30 without the margin, and all 30 with it."""

MAX_ASPECT = 1.4
"""The highest ratio of the longer to the shorter side of a face box."""


@dataclass(frozen=True)
class PyramidLevel:
    """The frame at one scale, and its tiles.

    The frame is scaled by ``scale`` (at most 1) to ``width`` x ``height`` pixels; each tile is a square of
    ``tile_px`` of them with its corner at one of ``corners`` (x, y). A tile is black beyond the level.
    """

    scale: float
    width: int
    height: int
    tile_px: int
    corners: tuple[tuple[int, int], ...]


def pyramid_levels(width: int, height: int, min_face_px: int, tile_px: int) -> tuple[PyramidLevel, ...]:
    """The levels for a frame of ``width`` x ``height`` pixels, the finest first, the whole frame last.

    Every box inside the frame with sides of at least ``min_face_px`` and a ratio of at most ``MAX_ASPECT``
    lies completely in a tile in which its shorter side has at least ``MIN_INPUT_FACE_PX`` pixels (less half
    a pixel of rounding), or in the whole frame if it is too large for any tile.

    Args:
        width: of the frame, pixels.
        height: of the frame, pixels.
        min_face_px: the smallest side to detect, pixels of the frame.
        tile_px: the side of the model's square input.
    """
    levels = []
    side = tile_px * max(1.0, min_face_px / MIN_INPUT_FACE_PX)
    step = tile_px * OVERLAP / MIN_INPUT_FACE_PX / MAX_ASPECT
    whole = (tile_px - _margin(tile_px)) / max(width, height)
    while tile_px / side > whole:
        levels.append(_level(width, height, tile_px / side, tile_px))
        side *= step
    levels.append(_level(width, height, min(1.0, whole), tile_px))
    return tuple(levels)


def _level(width: int, height: int, scale: float, tile_px: int) -> PyramidLevel:
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    corners = tuple((x, y) for y in _starts(down, tile_px) for x in _starts(across, tile_px))
    return PyramidLevel(scale, across, down, tile_px, corners)


def _margin(tile_px: int) -> int:
    return math.ceil(tile_px * EDGE_MARGIN)


def _starts(length: int, tile_px: int) -> list[int]:
    """The starts of the tiles along a side: evenly spaced, the last tile ends a margin beyond the side."""
    rest = length + _margin(tile_px) - tile_px
    if rest <= 0:
        return [0]
    stride = tile_px - math.ceil(tile_px * OVERLAP)
    gaps = math.ceil(rest / stride)
    return [rest * index // gaps for index in range(gaps + 1)]


MIN_CANDIDATE_SCORE = 0.3
"""A candidate with a lower score is dropped without verification: in the lecture hall, 1920 wide, 15
candidates are between 0.2 and this score, and none is a face."""

MIN_REFIND_PX = 0.75 * MIN_INPUT_FACE_PX
"""The size at which a known face may be found again, in pixels of the model's input. Heuristic, not tuned on
data."""

EDGE_PX = 2
"""A box that extends this far beyond a tile's edge inside the frame belongs to a cut face."""


@dataclass(frozen=True)
class FrameSlices:
    """The slices of a frame: ``areas_xyxy`` (N, 4) float32, and ``face_sides_px`` (N, 2) float32, the sides
    of the smallest and the largest face that can be detected in each; pixels of the frame."""

    areas_xyxy: Floats
    face_sides_px: Floats

    def __len__(self) -> int:
        return len(self.areas_xyxy)

    def around(self, boxes_xyxy: Floats, reach: float) -> NDArray[np.intp]:
        """The slices that suit the size of any of ``boxes_xyxy`` ``(M, 4)`` and contain its centre after a
        shift of up to ``reach`` times its side; indices in ascending order."""
        sides = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).max(axis=1)
        middles = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
        low = self.areas_xyxy[:, None, :2] - reach * sides[None, :, None]
        high = self.areas_xyxy[:, None, 2:] + reach * sides[None, :, None]
        shown = ((middles[None] >= low) & (middles[None] <= high)).all(axis=2)
        suited = (sides[None] >= self.face_sides_px[:, :1]) & (sides[None] <= self.face_sides_px[:, 1:])
        return np.flatnonzero((shown & suited).any(axis=1))


@dataclass(frozen=True)
class _Slice:
    level: PyramidLevel
    model: BlazeFace
    x: int
    y: int


class SliceScanner:
    """Full-range BlazeFace in every tile, short-range BlazeFace on the whole frame."""

    def __init__(self, full: BlazeFace, short: BlazeFace, min_face_px: int) -> None:
        self._full, self._short = full, short
        self._min_face_px = min_face_px
        self._slices: tuple[_Slice, ...] = ()

    def slices(self, width: int, height: int) -> FrameSlices:
        """The slices of frames of ``width`` x ``height`` pixels; ``candidates`` uses them from now on."""
        self._slices, frame_slices = self._plan(width, height)
        return frame_slices

    def candidates(self, image_bgr: ImageBGR, slice_indices: NDArray[np.intp]) -> Candidates:
        """The candidates in these slices, merged, in pixels of the frame; not verified."""
        slices = [self._slices[index] for index in slice_indices]
        return weighted_nms(concat_candidates([_detect_in_slice(image_bgr, slice_) for slice_ in slices]))

    def _plan(self, width: int, height: int) -> tuple[tuple[_Slice, ...], FrameSlices]:
        plan = pyramid_levels(width, height, self._min_face_px, self._full.input_px)
        near = pyramid_levels(width, height, max(width, height), self._short.input_px)[-1]
        tiles = [_Slice(level, self._full, x, y) for level in plan for x, y in level.corners]
        slices = (*tiles, _Slice(near, self._short, 0, 0))
        whole = {id(plan[-1]), id(near)}
        areas = [_area(slice_, width, height) for slice_ in slices]
        largest = [
            np.inf if id(slice_.level) in whole else slice_.level.tile_px * 2 * OVERLAP for slice_ in slices
        ]
        sides = [
            (MIN_REFIND_PX / slice_.level.scale, most / slice_.level.scale)
            for slice_, most in zip(slices, largest, strict=True)
        ]
        return slices, FrameSlices(np.array(areas, np.float32), np.array(sides, np.float32))


def _area(slice_: _Slice, width: int, height: int) -> tuple[float, float, float, float]:
    """The area of a slice, in pixels of the frame."""
    scale, side = slice_.level.scale, slice_.level.tile_px
    right, low = (slice_.x + side) / scale, (slice_.y + side) / scale
    return slice_.x / scale, slice_.y / scale, min(float(width), right), min(float(height), low)


def _detect_in_slice(image_bgr: ImageBGR, slice_: _Slice) -> Candidates:
    candidates = slice_.model.candidates(_slice_image(image_bgr, slice_), MIN_CANDIDATE_SCORE)
    whole = _without_cut_boxes(candidates, slice_.level, slice_.x, slice_.y)
    return whole.to_frame(slice_.level.scale, slice_.x, slice_.y)


def _slice_image(image_bgr: ImageBGR, slice_: _Slice) -> ImageBGR:
    """The image of a slice at the scale of its level. It is cropped before scaling: scaling a whole frame for
    one slice takes longer than detection in it."""
    level = slice_.level
    across, down = (min(level.tile_px, rest) for rest in (level.width - slice_.x, level.height - slice_.y))
    left, top = round(slice_.x / level.scale), round(slice_.y / level.scale)
    right, low = round((slice_.x + across) / level.scale), round((slice_.y + down) / level.scale)
    return downscale(image_bgr[top:low, left:right], across, down)


def _without_cut_boxes(candidates: Candidates, level: PyramidLevel, x: int, y: int) -> Candidates:
    """Drop the boxes that cross a tile's edge inside the frame: another tile contains the whole face."""
    x1, y1, x2, y2 = candidates.boxes_xyxy.T
    low, high = -EDGE_PX, level.tile_px + EDGE_PX
    cut = ((x1 < low) & (x > 0)) | ((y1 < low) & (y > 0))
    cut |= ((x2 > high) & (x + level.tile_px < level.width)) | (
        (y2 > high) & (y + level.tile_px < level.height)
    )
    return candidates.select(~cut)
