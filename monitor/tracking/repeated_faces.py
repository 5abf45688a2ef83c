"""People whom a call shows twice: a speaker view repeats a participant of the strip in a large tile. Pure.

The large tile is a scaled copy of a small one at the same moment: the same expression, pose, clothes and
background. So the large face with its surroundings is compared with each smaller face of the same frame
(``monitor.tracking.relative_motion.content_similarity``). Nothing is stored, and faces of different moments
are never compared: this recognises a copy, not a person. The small face is counted, because it stays in its
place while the large tile shows one participant after another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from monitor.geometry import box_width
from monitor.tracking.relative_motion import FACE_PX, MARGIN_PX, content_similarity, normalised_correlation
from monitor.types import Box, ImageBGR

MIN_SIZE_RATIO = 1.5
"""Smallest ratio of the face widths in a large tile and in a tile of the strip. In a gallery all tiles have
one size. Heuristic, not tuned on data."""

MAX_LARGE_FACES = 3
"""Only so many of the largest faces are compared: a speaker view has one large tile, or a few."""

MIN_COARSE_SIMILARITY, MAX_CANDIDATES = 0.4, 2
"""Faces are aligned and compared only if their unaligned patches correlate by the first value, and only the
best candidates: an alignment takes some milliseconds."""

COPY_SIMILARITY = 0.88
"""A smaller face with a similarity of this or more is a copy of the large one. In five drawn speaker views
in which all students have one portrait (seeds 100 and 101), nine of ten copies had 0.88 or more; the best of
the other students had 0.79 to 0.87 in the median. In two photographs, different people had at most 0.56."""

POSSIBLE_COPY_SIMILARITY = 0.8
"""With a similarity of this or more it is uncertain whether it is a copy."""

WINDOW_SAMPLES = 8
"""A track is judged by its latest comparisons: 4 s at the default rate."""

MIN_COPIES, MIN_COPY_SHARE = 3, 0.5
"""A track repeats a person if so many of its comparisons, and this share of them, found a copy. A share,
because tiles are not shown in step and the detector misses small faces. Heuristic, not tuned on data."""

MIN_HELD_SHARE = 1 / 3
"""Until the window is full, a track with this share of copies does not become a student. Heuristic, not tuned
on data."""

SurroundingsSampler = Callable[[ImageBGR, Box, int], NDArray[np.float32] | None]
"""Samples a box of a frame with a margin (``monitor.tracking.patches.surroundings_patch``); None if the
contrast is too low."""


class _Match(IntEnum):
    """The result of one comparison of a large face with all smaller ones."""

    NONE = 0
    POSSIBLE = 1
    COPY = 2


@dataclass(frozen=True)
class RepeatedFaces:
    """Track IDs: ``repeated`` tracks show a person a second time; ``held`` ones may, and wait for more
    comparisons; of ``uncertain`` ones this remains unknown."""

    repeated: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    uncertain: frozenset[int] = frozenset()


class RepeatedFaceFilter:
    """Judges tracks by comparisons of their faces with smaller ones of the same frame. Memory: eight small
    numbers per large face."""

    def __init__(self, sample: SurroundingsSampler) -> None:
        self._sample = sample
        self._matches: dict[int, deque[_Match]] = {}

    def update(
        self, image_bgr: ImageBGR, boxes_xyxy: Mapping[int, Box], live_tracks: set[int]
    ) -> RepeatedFaces:
        """Compare the faces of a frame: ``boxes_xyxy`` are those of visible tracks in pixels of the frame."""
        self._matches = {track: matches for track, matches in self._matches.items() if track in live_tracks}
        for track, match in self._compare(image_bgr, boxes_xyxy).items():
            if match is not _Match.NONE or track in self._matches:
                self._matches.setdefault(track, deque(maxlen=WINDOW_SAMPLES)).append(match)
        repeated, held, uncertain = set(), set(), set()
        for track, matches in self._matches.items():
            copies, count = matches.count(_Match.COPY), len(matches)
            possible = count - matches.count(_Match.NONE)
            if copies >= MIN_COPIES and copies >= MIN_COPY_SHARE * count:
                repeated.add(track)
            elif count < WINDOW_SAMPLES and copies >= max(1, MIN_HELD_SHARE * count):
                held.add(track)
            elif count == WINDOW_SAMPLES and possible >= MIN_COPY_SHARE * count:
                uncertain.add(track)
        return RepeatedFaces(frozenset(repeated), frozenset(held), frozenset(uncertain))

    def _compare(self, image_bgr: ImageBGR, boxes_xyxy: Mapping[int, Box]) -> dict[int, _Match]:
        """The result for each of the largest faces that has smaller ones beside it."""
        widths = {track: box_width(box) for track, box in boxes_xyxy.items()}
        smallest = min(widths.values(), default=0.0)
        large = sorted(
            (track for track, width in widths.items() if width >= MIN_SIZE_RATIO * smallest),
            key=lambda track: -widths[track],
        )[:MAX_LARGE_FACES]
        patches = (
            {track: self._sample(image_bgr, box, MARGIN_PX) for track, box in boxes_xyxy.items()}
            if large
            else {}
        )
        results: dict[int, _Match] = {}
        for track in large:
            smaller = [
                patch
                for other, width in widths.items()
                if widths[track] >= MIN_SIZE_RATIO * width and (patch := patches[other]) is not None
            ]
            patch = patches[track]
            results[track] = _Match.NONE if patch is None else _best_match(patch, smaller)
        return results


def _best_match(patch: NDArray[np.float32], smaller: Sequence[NDArray[np.float32]]) -> _Match:
    """Whether one of the ``smaller`` faces is a copy of the large face ``patch``."""
    middle = slice(MARGIN_PX // 2, MARGIN_PX + FACE_PX + MARGIN_PX // 2)
    coarse = sorted(
        (
            (normalised_correlation(patch[middle, middle], other[middle, middle]), index)
            for index, other in enumerate(smaller)
        ),
        reverse=True,
    )
    best = max(
        (
            content_similarity(smaller[index], patch)
            for similarity, index in coarse[:MAX_CANDIDATES]
            if similarity >= MIN_COARSE_SIMILARITY
        ),
        default=-1.0,
    )
    if best >= COPY_SIMILARITY:
        return _Match.COPY
    return _Match.POSSIBLE if best >= POSSIBLE_COPY_SIMILARITY else _Match.NONE
