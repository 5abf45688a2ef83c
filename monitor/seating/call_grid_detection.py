"""Detects the grid of a video call in one frame: straight, equally spaced borders that span the frame.

The frame is shrunk. A border (between two tiles, or between a tile and a gutter) lies at a row or column
where the colour changes in most short segments, and more than beside it. A grid is a lattice of borders with
tiles of one size, complete rows and perhaps an incomplete last one, aligned left or centred, and otherwise a
plain background. All thresholds are heuristic, chosen on drawn frames of calls and rooms and on simulated
videos with seeds from 100 on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.seating.call_grid import CallGrid
from monitor.types import ImageBGR

WORK_PX = 640
"""Width of the shrunk frame, pixels: a gutter of 2 pixels in 1280 becomes one pixel wide."""

SEGMENT_PX = 12
"""Length of a segment, pixels, over which colours are averaged to suppress noise."""

MIN_CONTRAST = 5.0
"""Smallest colour change across a border, grey levels of the strongest channel."""

MIN_CONTRAST_RATIO = 1.6
"""Smallest ratio of that change to the mean change in the surroundings."""

STRICT_SHARES, LOOSE_SHARES = (0.84, 0.55), (0.72, 0.45)
"""Smallest share of the segments of a border that show it: of the decidable ones (the same flat colour on
both sides shows no border), and of all. The loose shares require more tiles."""

MIN_TILES, MIN_TILES_LOOSE = 2, 3
"""Smallest number of tiles; with the loose shares also two rows."""

MIN_VISIBLE_BORDERS = 0.85
"""A known grid is in place if this share of its borders is visible."""

MAX_INNER_BORDERS = 3
"""Largest number of borders inside each tile of a row: more are stripes, such as books or blinds, which have
borders at any distance."""

MAX_GUTTER_PX = 20
"""Widest gutter, working pixels."""

MIN_GUTTER_PX, GUTTER_TOLERANCE, MIN_GUTTER_SHARE = 2, 8, 0.95
"""Smallest width of a gutter, working pixels; largest colour difference of a segment, grey levels; and
smallest share of the segments within it."""

TOLERANCE_PX = 3
"""Largest position error of a border, working pixels."""

MIN_TILE_PX = 36
"""Smallest side of a tile, working pixels."""

ASPECT_RANGE = (0.5, 2.5)
"""Range of width over height of a tile: upright phones to wide crops."""

MAX_OFF_CENTRE = 0.04
"""Largest difference of the left and right margins of rows, share of the frame's width."""

MIN_SPAN_SHARE = 0.75
"""Smallest extent of the grid, share of the frame's width or height; half of it in the other direction."""

MIN_PLAIN_SHARE, PLAIN_TOLERANCE = 0.85, 14
"""Smallest share of the area outside tiles with the background's colour, and its tolerance, grey levels."""

EMPTY_TILE_SHARE = 0.985
"""A tile with this share of one colour is empty: it shows not even a name."""

MIN_BESIDE_SHARE = 0.01
"""A smaller share of the frame outside tiles is not tested: it is the error of the borders."""

MAX_GUTTER_DIFFERENCE_PX = 4
"""Largest difference of the gutters between rows and between columns, working pixels."""

MAX_MARGIN_SHARE = 0.35
"""Largest margin above or below the rows, share of the frame's height."""

SOFT_EDGE_WEIGHT = 0.8
"""Weight of a colour change over two pixels relative to one over one pixel."""

SURROUNDING_PX = (4, 8)
"""Distances from a border between which its surroundings are measured, working pixels."""

MAX_BORDERS = 24
"""Largest number of borders in each direction; the strongest are used."""


Span = tuple[int, int]
"""Start and end of a tile along one axis, end excluded, working pixels."""

Shares = tuple[float, float] | None
"""``STRICT_SHARES`` or ``LOOSE_SHARES``; None to use gutters only."""

WorkTile = tuple[int, int, int, int]
"""Edges of a tile: left, top, right, bottom, working pixels."""


@dataclass(frozen=True)
class _LineContrast:
    """Contrast across one axis; border ``i`` is between the pixels ``i - 1`` and ``i``.

    ``is_border`` and ``is_decidable`` ``(pixels + 1, segments)``: whether a segment shows a border, and
    whether it could; ``contrast`` ``(pixels + 1, segments)``: the colour change, grey levels; ``means``
    ``(pixels, segments, 3)``: the colours of the segments.
    """

    is_border: NDArray[np.bool_]
    is_decidable: NDArray[np.bool_]
    contrast: NDArray[np.float32]
    means: NDArray[np.float32]
    across_px: int

    @property
    def length(self) -> int:
        """Length of the axis, pixels."""
        return len(self.is_border) - 1

    def within(self, span: Span, shares: Shares) -> _Borders:
        """The borders within ``span`` of the other axis that ``shares`` of their segments show; with None
        those of gutters and margins only."""
        segment_px = self.across_px / self.is_border.shape[1]
        first = int(np.ceil(span[0] / segment_px))
        part = slice(first, max(first + 1, int(span[1] / segment_px + 1e-6)))
        if shares is None:
            gutters = self._gutters(part)
            ends = tuple(end for end in (0, self.length) if end not in gutters)
            return _Borders(self.length, [place for place in gutters if 0 < place < self.length], ends)
        count, decidable = self.is_border[:, part].sum(axis=1), self.is_decidable[:, part].sum(axis=1)
        supported = (count >= shares[0] * decidable) & (count >= shares[1] * (part.stop - part.start))
        strength = np.where(supported, self.contrast[:, part].mean(axis=1), 0.0)
        above, below = np.roll(strength, 1), np.roll(strength, -1)
        peaks = np.flatnonzero((strength > 0) & (strength >= above) & (strength > below))
        strongest = peaks[np.argsort(-strength[peaks])][:MAX_BORDERS]
        return _Borders(self.length, sorted(int(place) for place in strongest))

    def _gutters(self, part: slice) -> list[int]:
        """Both ends of each gutter or margin in the segments ``part``: lines of one colour, even next to
        nearly the same colour, such as dark clothing beside a dark gutter."""
        lines = self.means[:, part]
        colours = np.median(lines, axis=1)
        difference = np.abs(lines - colours[:, None]).max(axis=2)
        plain = (difference <= GUTTER_TOLERANCE).mean(axis=1) >= MIN_GUTTER_SHARE
        # A strip of wall along the edge of a tile may be as plain, but has another colour.
        same = (np.abs(np.diff(colours, axis=0)).max(axis=1) <= GUTTER_TOLERANCE) & plain[1:] & plain[:-1]
        ends = np.flatnonzero(np.concatenate([[True], ~same, [True]])).tolist()
        runs = [(low, high) for low, high in itertools.pairwise(ends) if plain[low]]
        gutters = [
            (low, high)
            for low, high in runs
            if high - low >= MIN_GUTTER_PX
            and (high - low <= MAX_GUTTER_PX or low == 0 or high == self.length)
        ]
        return sorted({edge for gutter in gutters for edge in gutter})


@dataclass(frozen=True)
class _Borders:
    """The positions of borders along an axis of ``length`` pixels, in order."""

    length: int
    places: Sequence[int]
    ends: tuple[int, ...] | None = None
    """The edges of the frame that count as borders, because there is no margin; None for both."""

    @cached_property
    def all(self) -> list[int]:
        """The borders including edges of the frame."""
        inner = [place for place in self.places if 1 < place < self.length - 1]
        return sorted({*inner, *((0, self.length) if self.ends is None else self.ends)})

    def nearest(self, place: float) -> int | None:
        """The nearest border to ``place`` within the tolerance, or None."""
        nearest = min(self.all, key=lambda border: abs(border - place), default=None)
        return nearest if nearest is not None and abs(nearest - place) <= TOLERANCE_PX else None

    def lattices(self, latest_start: int) -> Iterator[tuple[list[Span], int]]:
        """Runs of spans of equal length and spacing, with the gutter between them, pixels.

        The first span begins at ``latest_start`` or before. The last may end without a border.
        """
        for start, end in itertools.combinations(self.all, 2):
            if start > latest_start or end - start < MIN_TILE_PX:
                continue
            yield [(start, end)], 0
            for after in [place for place in self.all if end <= place <= end + MAX_GUTTER_PX]:
                spans = self._continued((start, end), after)
                if len(spans) > 1:
                    yield spans, after - end

    def _continued(self, first: Span, second_start: int) -> list[Span]:
        size, gutter = first[1] - first[0], second_start - first[1]
        spans, start = [first], second_start
        while start + size <= self.length + TOLERANCE_PX:
            end = self.nearest(start + size)
            spans.append((start, end or min(self.length, start + size)))
            after = None if end is None else self.nearest(end + gutter)
            if after is None:
                break
            start = after
        return spans


def find_grid(image_bgr: ImageBGR) -> CallGrid | None:
    """The grid of tiles in pixels of the frame; None if the frame shows none."""
    height, width = image_bgr.shape[:2]
    scale = min(1.0, WORK_PX / width)
    size = (round(width * scale), round(height * scale))
    if min(size) < 2 * MIN_TILE_PX:
        return None
    small = np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    short = cv2.resize(small, (size[0] // SEGMENT_PX, size[1]), interpolation=cv2.INTER_AREA)
    plain = _plain_margins(np.asarray(short, np.uint8))
    rows, columns = _lines(small), _lines(np.asarray(cv2.transpose(small), np.uint8))
    best: list[WorkTile] = []
    modes = ((None, MIN_TILES, 1), (STRICT_SHARES, MIN_TILES, 1), (LOOSE_SHARES, MIN_TILES_LOOSE, 2))
    for shares, min_tiles, min_rows in modes:
        search = _ColumnSearch(columns, size, shares)
        for bands, gutter in rows.within((0, size[0]), shares).lattices(plain[0]):
            if len(bands) < min_rows or bands[-1][1] < size[1] - plain[1]:
                continue
            tiles = _without_plain_end(small, search.tiles(bands, gutter))
            is_better = len(tiles) >= min_tiles and _rank(tiles) > _rank(best)
            if is_better and _spans_frame(tiles, size) and _is_plain_beside(small, tiles):
                best = tiles
    if not best:
        return None
    x, y = width / size[0], height / size[1]
    return CallGrid(tuple((left * x, top * y, right * x, low * y) for left, top, right, low in best), width)


def shows_grid(image_bgr: ImageBGR, grid: CallGrid) -> bool:
    """Whether a frame shows a known grid: most borders of its tiles are visible. Needs less evidence than
    ``find_grid``."""
    height, width = image_bgr.shape[:2]
    scale = min(1.0, WORK_PX / width)
    size = (round(width * scale), round(height * scale))
    small = np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    rows, columns = _lines(small), _lines(np.asarray(cv2.transpose(small), np.uint8))
    is_visible: list[bool] = []
    for tile in grid.tiles:
        left, top, right, low = (round(edge * scale) for edge in tile)
        for lines, span, edges in ((rows, (left, right), (top, low)), (columns, (top, low), (left, right))):
            borders = [lines.within(span, shares) for shares in (LOOSE_SHARES, None)]
            is_visible += [any(b.nearest(edge) is not None for b in borders) for edge in edges]
    return sum(is_visible) >= MIN_VISIBLE_BORDERS * len(is_visible)


class _ColumnSearch:
    """Divides rows of a frame of ``size`` (width, height) into tiles, by borders that ``shares`` of their
    segments show."""

    def __init__(self, lines: _LineContrast, size: tuple[int, int], shares: Shares) -> None:
        self._lines = lines
        self._shares = shares
        self._width = size[0]
        self._borders: dict[Span, _Borders] = {}

    def tiles(self, bands: Sequence[Span], gutter: int) -> list[WorkTile]:
        """The largest set of tiles in the rows ``bands`` that are ``gutter`` apart; empty if the rows are not
        divided into tiles of one size."""
        first, height = self._within(bands[0]), bands[0][1] - bands[0][0]
        best: list[WorkTile] = []
        for spans, between in first.lattices(self._width // 2):
            is_one_size = ASPECT_RANGE[0] <= (spans[0][1] - spans[0][0]) / height <= ASPECT_RANGE[1]
            if not is_one_size or (
                len(spans) > 1 and len(bands) > 1 and abs(between - gutter) > MAX_GUTTER_DIFFERENCE_PX
            ):
                continue
            if abs(spans[0][0] - (self._width - spans[-1][1])) > MAX_OFF_CENTRE * self._width:
                continue
            if len(first.places) > MAX_INNER_BORDERS * len(spans) + 2 * (len(spans) + 1):
                continue
            tiles = self._filled(bands, spans)
            if _rank(tiles) > _rank(best):
                best = tiles
        return best

    def _filled(self, bands: Sequence[Span], spans: Sequence[Span]) -> list[WorkTile]:
        """The tiles of all rows if each except the last is divided at ``spans``; else none."""
        complete = bands if self._is_divided(bands[-1], spans) else bands[:-1]
        if not complete or not all(self._is_divided(band, spans) for band in complete):
            return []
        last = [] if complete is bands else self._last_row(bands[-1], spans)
        rows = [*((band, spans) for band in complete), (bands[-1], last)]
        return [(left, top, right, low) for (top, low), row in rows for left, right in row]

    def _last_row(self, band: Span, spans: Sequence[Span]) -> Sequence[Span]:
        """The tiles of an incomplete last row, aligned left or centred; may be empty."""
        pitch = spans[1][0] - spans[0][0] if len(spans) > 1 else 0
        for count in range(len(spans) - 1, 0, -1):
            for shift in (0, round(pitch * (len(spans) - count) / 2)):
                row = [(left + shift, right + shift) for left, right in spans[:count]]
                if self._is_divided(band, row):
                    return row
        return []

    def _is_divided(self, band: Span, spans: Sequence[Span]) -> bool:
        borders = self._within(band)
        return all(borders.nearest(edge) is not None for span in spans for edge in span)

    def _within(self, band: Span) -> _Borders:
        if band not in self._borders:
            self._borders[band] = self._lines.within(band, self._shares)
        return self._borders[band]


def _rank(tiles: Sequence[WorkTile]) -> tuple[int, int]:
    """Ranks detections: more tiles are better, because two tiles are one tile of half a grid; then smaller
    tiles, because gutters and margins are not part of a tile."""
    return len(tiles), -sum((right - left) * (low - top) for left, top, right, low in tiles)


def _without_plain_end(image: NDArray[np.uint8], tiles: list[WorkTile]) -> list[WorkTile]:
    """The tiles without empty ones at the end: the rest of an incomplete last row."""
    kept = list(tiles)
    while kept:
        left, top, right, low = kept[-1]
        inside = image[top + 4 : low - 4 : 2, left + 4 : right - 4 : 2].reshape(-1, 3).astype(np.int16)
        difference = np.abs(inside - np.median(inside, axis=0)).max(axis=1)
        if (difference <= PLAIN_TOLERANCE).mean() < EMPTY_TILE_SHARE:
            break
        kept.pop()
    return kept


def _lines(image: NDArray[np.uint8]) -> _LineContrast:
    """The contrast between the rows of ``image``."""
    height, width = image.shape[:2]
    means = cv2.resize(image, (max(1, width // SEGMENT_PX), height), interpolation=cv2.INTER_AREA)
    padded = np.pad(means.astype(np.float32), ((2, 2), (0, 0), (0, 0)), mode="edge")
    at, before = padded[2 : height + 3], padded[1 : height + 2]
    sharp = np.ascontiguousarray(np.abs(at - before).max(axis=2))
    # A border that lies inside a pixel after shrinking changes the colour in two steps.
    soft = np.abs(padded[3 : height + 4] - before).max(axis=2)
    softer = np.abs(at - padded[: height + 1]).max(axis=2)
    contrast = np.maximum(sharp, SOFT_EDGE_WEIGHT * np.maximum(soft, softer))
    near, far = 2 * SURROUNDING_PX[0] - 1, 2 * SURROUNDING_PX[1] + 1
    sums = [cv2.boxFilter(sharp, -1, (1, size), normalize=False) for size in (near, far)]
    texture = (sums[1] - sums[0]) / (far - near)
    is_border = (contrast >= MIN_CONTRAST) & (contrast >= MIN_CONTRAST_RATIO * texture)
    is_decidable = is_border | (cv2.dilate(sharp, np.ones((far, 1), np.uint8)) >= MIN_CONTRAST)
    return _LineContrast(is_border, is_decidable, sharp, means.astype(np.float32), width)


def _plain_margins(image: NDArray[np.uint8]) -> tuple[int, int]:
    """The height of plain margins, except for toolbars, at the top and at the bottom, pixels; tiles begin and
    end at or outside of them. ``image`` is ``(height, segments, 3)``."""
    rows = image.astype(np.float32)
    difference = np.abs(rows - np.median(rows, axis=1, keepdims=True)).max(axis=2)
    share = (difference <= PLAIN_TOLERANCE).mean(axis=1)
    margins = []
    for shares in (share, share[::-1]):
        mean = np.cumsum(shares) / np.arange(1, len(shares) + 1)
        plain = np.flatnonzero(mean >= MIN_PLAIN_SHARE)
        margins.append(min(round(MAX_MARGIN_SHARE * len(share)), int(plain[-1]) + 1 if len(plain) else 0))
    return margins[0] + TOLERANCE_PX, margins[1] + TOLERANCE_PX


def _spans_frame(tiles: Sequence[WorkTile], size: tuple[int, int]) -> bool:
    """Whether the tiles span the frame in one direction, and half of that in the other."""
    left, top, right, low = np.array(tiles).T
    across = (right.max() - left.min()) / size[0]
    down = (low.max() - top.min()) / size[1]
    return bool(max(across, down) >= MIN_SPAN_SHARE and min(across, down) >= MIN_SPAN_SHARE / 2)


def _is_plain_beside(image: NDArray[np.uint8], tiles: Sequence[WorkTile]) -> bool:
    """Whether the area outside tiles has one colour, that of the background."""
    outside = np.ones(image.shape[:2], bool)
    for left, top, right, low in tiles:
        grown = np.array([left, top]) - TOLERANCE_PX
        outside[max(0, grown[1]) : low + TOLERANCE_PX, max(0, grown[0]) : right + TOLERANCE_PX] = False
    beside = image[::2, ::2][outside[::2, ::2]].astype(np.int16)
    if len(beside) < MIN_BESIDE_SHARE * outside.size / 4:
        return True
    difference = np.abs(beside - np.median(beside, axis=0)).max(axis=1)
    return bool((difference <= PLAIN_TOLERANCE).mean() >= MIN_PLAIN_SHARE)
