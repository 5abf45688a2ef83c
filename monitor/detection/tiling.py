"""How a frame is cut so that every face is large enough in some cutting. Pure arithmetic.

A detector with a small square input finds a face only if it is some pixels large *in that input*; a
lecture hall shrunk to 192 pixels has none left. So the frame is laid out in levels. The finest
shows the smallest face wanted at the smallest size that the model finds, in overlapping tiles; each
next level is coarser and takes over where faces no longer fit into the overlap; the last is the
whole frame.

The cuttings in which a frame is looked at: each level's tiles, and the whole frame once more for large
faces.
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
"""What two neighbouring tiles share, as a share of a tile. A half would cut faces more rarely but
needs 1.8 times the tiles; at a quarter the next level has to begin earlier."""

EDGE_MARGIN = 1 / 16
"""What a tile at the right or lower edge of the frame shows beyond it (black), as a share of a tile. The
model is nearly blind in the last pixels of its input: of faces of 24 px within 40 px of the lower right
corner of a 1280 x 720 frame it saw 9 in 30 without this, and all 30 with it."""

MAX_ASPECT = 1.4
"""The longest side of a face's box over its shortest, at most."""


@dataclass(frozen=True)
class PyramidLevel:
    """The frame at one size and where its tiles begin.

    The frame is enlarged by ``scale`` (at most 1) to ``width`` x ``height`` pixels; each tile is a
    square of ``tile_px`` of them with its corner at one of ``corners`` (x, y). What a tile shows
    beyond the level is empty.
    """

    scale: float
    width: int
    height: int
    tile_px: int
    corners: tuple[tuple[int, int], ...]


def pyramid_levels(width: int, height: int, min_face_px: int, tile_px: int) -> tuple[PyramidLevel, ...]:
    """The levels for a frame of ``width`` x ``height`` pixels, the finest first, the whole frame last.

    Every box inside the frame with sides of at least ``min_face_px``, no more than ``MAX_ASPECT``
    apart, lies wholly in a tile in which its shorter side has at least ``MIN_INPUT_FACE_PX`` pixels (less
    half a pixel of rounding), or in the whole frame if it is too large for any tile.

    Args:
        width: of the frame, pixels.
        height: of the frame, pixels.
        min_face_px: the smallest side wanted, pixels of the frame.
        tile_px: the side of the model's square input.
    """
    found = []
    side = tile_px * max(1.0, min_face_px / MIN_INPUT_FACE_PX)
    step = tile_px * OVERLAP / MIN_INPUT_FACE_PX / MAX_ASPECT
    whole = (tile_px - _margin(tile_px)) / max(width, height)
    while tile_px / side > whole:
        found.append(_level(width, height, tile_px / side, tile_px))
        side *= step
    found.append(_level(width, height, min(1.0, whole), tile_px))
    return tuple(found)


def _level(width: int, height: int, scale: float, tile_px: int) -> PyramidLevel:
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    corners = tuple((x, y) for y in _starts(down, tile_px) for x in _starts(across, tile_px))
    return PyramidLevel(scale, across, down, tile_px, corners)


def _margin(tile_px: int) -> int:
    return math.ceil(tile_px * EDGE_MARGIN)


def _starts(length: int, tile_px: int) -> list[int]:
    """Where tiles begin along a side: evenly, the last ending a margin beyond the side."""
    rest = length + _margin(tile_px) - tile_px
    if rest <= 0:
        return [0]
    stride = tile_px - math.ceil(tile_px * OVERLAP)
    gaps = math.ceil(rest / stride)
    return [rest * index // gaps for index in range(gaps + 1)]


MIN_CANDIDATE_SCORE = 0.3
"""A candidate of the first look below this is not looked at again: in the lecture hall, 1920 wide,
there are 15 between 0.2 and this, and none is a face."""

MIN_REFIND_PX = 0.75 * MIN_INPUT_FACE_PX
"""A face that was found before may be found again at this size, in pixels of the model's input. Not tuned."""

EDGE_PX = 2
"""A box that reaches this far beyond a tile's edge inside the frame belongs to a face that was cut."""


@dataclass(frozen=True)
class FrameSlices:
    """Every cutting of a frame: ``areas_xyxy`` (N, 4) float32, what each shows, and ``face_sides_px`` (N, 2)
    float32, the sides of the smallest and the largest face that can be expected to be found in it; pixels
    of the frame."""

    areas_xyxy: Floats
    face_sides_px: Floats

    def __len__(self) -> int:
        return len(self.areas_xyxy)

    def around(self, boxes_xyxy: Floats, reach: float) -> NDArray[np.intp]:
        """The cuttings that show the middle of any of ``boxes_xyxy`` ``(M, 4)`` and suit a face of its
        size, or would if it had moved by ``reach`` of its sides; indices in ascending order."""
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
    """Full-range BlazeFace in every tile, short-range on the whole frame."""

    def __init__(self, full: BlazeFace, short: BlazeFace, min_face_px: int) -> None:
        self._full, self._short = full, short
        self._min_face_px = min_face_px
        self._slices: tuple[_Slice, ...] = ()

    def slices(self, width: int, height: int) -> FrameSlices:
        """The cuttings of frames of ``width`` x ``height`` pixels, which are then the ones looked at."""
        self._slices, cuttings = self._plan(width, height)
        return cuttings

    def candidates(self, image_bgr: ImageBGR, slice_indices: NDArray[np.intp]) -> Candidates:
        """What the cuttings of these numbers show, merged, in pixels of the frame; the first look alone."""
        looks = [self._slices[index] for index in slice_indices]
        return weighted_nms(concat_candidates([_detect_in_slice(image_bgr, look) for look in looks]))

    def _plan(self, width: int, height: int) -> tuple[tuple[_Slice, ...], FrameSlices]:
        plan = pyramid_levels(width, height, self._min_face_px, self._full.input_px)
        near = pyramid_levels(width, height, max(width, height), self._short.input_px)[-1]
        tiles = [_Slice(level, self._full, x, y) for level in plan for x, y in level.corners]
        looks = (*tiles, _Slice(near, self._short, 0, 0))
        whole = {id(plan[-1]), id(near)}
        areas = [_area(look, width, height) for look in looks]
        largest = [np.inf if id(look.level) in whole else look.level.tile_px * 2 * OVERLAP for look in looks]
        sides = [
            (MIN_REFIND_PX / look.level.scale, most / look.level.scale)
            for look, most in zip(looks, largest, strict=True)
        ]
        return looks, FrameSlices(np.array(areas, np.float32), np.array(sides, np.float32))


def _area(slice_: _Slice, width: int, height: int) -> tuple[float, float, float, float]:
    """What a cutting shows, in pixels of the frame."""
    scale, side = slice_.level.scale, slice_.level.tile_px
    right, low = (slice_.x + side) / scale, (slice_.y + side) / scale
    return slice_.x / scale, slice_.y / scale, min(float(width), right), min(float(height), low)


def _detect_in_slice(image_bgr: ImageBGR, slice_: _Slice) -> Candidates:
    found = _without_cut_boxes(
        slice_.model.candidates(_slice_image(image_bgr, slice_), MIN_CANDIDATE_SCORE),
        slice_.level,
        slice_.x,
        slice_.y,
    )
    return found.to_frame(slice_.level.scale, slice_.x, slice_.y)


def _slice_image(image_bgr: ImageBGR, slice_: _Slice) -> ImageBGR:
    """What a cutting shows, at its level's size. It is cut out first: to shrink a whole frame for one tile
    takes longer than to look at it."""
    level = slice_.level
    across, down = (min(level.tile_px, rest) for rest in (level.width - slice_.x, level.height - slice_.y))
    left, top = round(slice_.x / level.scale), round(slice_.y / level.scale)
    right, low = round((slice_.x + across) / level.scale), round((slice_.y + down) / level.scale)
    return downscale(image_bgr[top:low, left:right], across, down)


def _without_cut_boxes(candidates: Candidates, level: PyramidLevel, x: int, y: int) -> Candidates:
    """Without the boxes that cross a tile's edge inside the frame: another tile holds the whole face."""
    x1, y1, x2, y2 = candidates.boxes_xyxy.T
    low, high = -EDGE_PX, level.tile_px + EDGE_PX
    cut = ((x1 < low) & (x > 0)) | ((y1 < low) & (y > 0))
    cut |= ((x2 > high) & (x + level.tile_px < level.width)) | (
        (y2 > high) & (y + level.tile_px < level.height)
    )
    return candidates.select(~cut)
