"""A video call that lays its tiles out anew, because somebody has joined or left: who is where now?

Nearly everybody is somewhere else then, larger or smaller, and no motion of a camera explains it. But what
is around a face in its tile stays as it was, and calls fill their grids row by row, so most people keep their
order. Both are asked together. Pure; what is around a face is measured by ``monitor.tracking.patches``, compared in
memory and never stored. The face itself is not compared: with it the drawn calls came out much the same.

Tiles are searched for only in a call (``monitor.seating.call_grid``), and a layout has changed only where tiles have
moved: the grid is another one, or the surroundings of several faces are in other tiles now. A face that is
replaced in its tile is no such change, nor is any motion of a camera in a room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.assignment import FORBIDDEN, align_sequences, assign
from monitor.geometry import (
    Matrix,
    Seat,
    compose_similarities,
    identity,
    inverse,
    reading_order,
    scale_factor,
)
from monitor.seating.call_grid import CallGridConfirmation
from monitor.types import Box, ImageBGR

CONTEXT_MARGIN = 1 / 3
"""What is around a face: its box, larger by this share of its size on each side."""

MAX_STATIONARY_SHIFT, MAX_STATIONARY_SIZE_RATIO = 0.5, 1.3
"""A face is where it was if it is no further away than so many widths, and no more times as large."""

MIN_MOVED_FACES = 2
"""So many must have gone from where they were before anything is looked for, or one, and for each other
``ARRIVALS_PER_DEPARTURE`` must have come; and so many must be found again."""

ARRIVALS_PER_DEPARTURE = 4
"""Who comes says less than who goes: in a call somebody sits down again while another gets up."""

MIN_MOVED_SHARE = 0.25
"""And those who have gone or come must be so large a share of the faces of both samples."""

VIEW_BLOCKS, SAME_VIEW_CORRELATION, SAME_VIEW_SHARE = 8, 0.7, 0.8
"""It is the same view if half of so many by so many parts of the last picture are still in this one, in place
or as the camera has moved, and so large a share of those so much alike (a correlation)."""

MIN_CORRELATION = 0.4
"""Somebody goes with nobody rather than with a place that is less alike (a correlation)."""

MIN_CORRELATION_UNSEEN = 0.8
"""The same for who was not seen just before, and so is hardly back in the very moment; and later for who
would be back out of order."""

MIN_CORRELATION_RETURNING = 0.5
"""The same for who is back later, and in order."""

MIN_MEAN_CORRELATION = 0.6
"""All who were found again must be so much alike in the mean, or it was another scene."""

REORDER_PENALTY = 0.15
"""So much more alike everybody must be in the mean where the order has changed than where it is kept."""

CONTEXT_MOVED_CORRELATION, CONTEXT_MOVED_MARGIN = 0.7, 0.4
"""The surroundings of a face have moved to another tile if they are so much alike there (a correlation), and
by so much more than the old place is now."""

MIN_CONTEXT_MOVED_SHARE = 0.5
"""Where the grid has not moved, the surroundings of this share of the faces whose old place looks different
now must have moved elsewhere: where faces are replaced in their tiles, few look like another tile by
chance."""

OTHER_TILE_DISTANCE = 0.75
"""Where no grid is known, another tile is at least so many face widths away."""

MAX_TRANSITION_SAMPLES = 4
"""So many samples at most a layout is waited for that is still on its way: calls slide their tiles to their
new places in less than a second. A view that moves for longer is another thing."""

ContextSampler = Callable[[ImageBGR, Box], NDArray[np.float32] | None]
"""What is at a place of a picture, small and of one size (``monitor.tracking.patches.context_patch``); None where there
is nothing to see."""


@dataclass(frozen=True)
class LayoutTile:
    """A face in the picture, pixels, and what is around it, without the face."""

    box_xyxy: Box
    context: NDArray[np.float32] | None


@dataclass(frozen=True)
class LayoutMatch:
    """Which face, by its index, each track and each student has become. Who is not in it was not found."""

    face_by_track: Mapping[int, int]
    face_by_student: Mapping[int, int]


class LayoutChangeDetector:
    """Remembers what is around everybody, and finds them again. Memory: two pictures, and a small one of each
    person. ``call_grid`` says whether the frames are a call, and reads their grid. ``is_video`` is False where
    samples are no moments of one film, so that nothing is on its way between them: a folder of pictures,
    each of which counts."""

    def __init__(
        self, sample_context: ContextSampler, call_grid: CallGridConfirmation, *, is_video: bool = True
    ) -> None:
        self._sample_context = sample_context
        self.call_grid = call_grid
        self._max_transition_samples = MAX_TRANSITION_SAMPLES if is_video else 0
        self._image: ImageBGR | None = None
        self._to_reference: Matrix = identity()
        self._transition: tuple[ImageBGR, Sequence[Box]] | None = None
        self._transition_samples = 0
        self._reference_tiles: dict[int, LayoutTile] = {}
        self._student_of: Mapping[int, int] = {}
        self._student_tiles: dict[int, LayoutTile] = {}
        self._displaced: set[int] = set()
        self._student_order: list[int] = []

    @property
    def in_transition(self) -> bool:
        """Whether the tiles seem to be on their way in the sample that was asked about last: who is who is
        not to be told before they stand."""
        return self._transition is not None

    def store_reference(
        self,
        image_bgr: ImageBGR,
        boxes_xyxy: Mapping[int, Box],
        students: Mapping[int, int],
        to_reference: Matrix,
    ) -> None:
        """Take the faces of one sample, by track, in pixels of the picture, and whose tracks they are;
        ``to_reference`` leads from there to the room, as far as the camera is known."""
        self._image, self._to_reference = image_bgr, to_reference
        self._reference_tiles = {
            track: self._layout_tile(image_bgr, box) for track, box in boxes_xyxy.items()
        }
        self._student_of = {
            track: student for track, student in students.items() if track in self._reference_tiles
        }
        self._student_tiles |= {
            student: self._reference_tiles[track] for track, student in self._student_of.items()
        }
        self._displaced -= set(self._student_of.values())

    def match_after_change(
        self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box], to_reference: Matrix, media_s: float
    ) -> LayoutMatch | None:
        """Who is where among the faces of the next sample at ``media_s`` seconds, if the tiles of a call have
        been laid out anew since what was remembered, and stand; None where they have not, or slide.
        ``to_reference`` as for :meth:`remember`. From then on, students who are not among the faces are adrift."""
        begins = self.call_grid.update(image_bgr, faces_xyxy, media_s)
        if (
            begins
            or not self.call_grid.is_call
            or not self._has_layout_changed(image_bgr, faces_xyxy, to_reference)
        ):
            self._transition, self._transition_samples = None, 0
            return None
        if self.call_grid.is_in_place and not self._has_context_moved(image_bgr, faces_xyxy):
            # Faces were replaced, or people moved, within tiles that stand.
            self._transition, self._transition_samples = None, 0
            return None
        stands = self._has_settled(image_bgr, faces_xyxy)
        if not stands and self._transition_samples < self._max_transition_samples:
            self._transition, self._transition_samples = (image_bgr, faces_xyxy), self._transition_samples + 1
            return None
        # One that moves on is not waited for again before it has stood.
        self._transition, self._transition_samples = None, 0 if stands else self._transition_samples
        if not self.call_grid.is_rearranged and not self._has_context_moved(image_bgr, faces_xyxy):
            return None
        moves = self._match_students(image_bgr, faces_xyxy)
        if moves is not None:
            self.call_grid.accept_current()
        return moves

    def _has_context_moved(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box]) -> bool:
        """Whether what was around several of the remembered faces is around faces in other tiles now, while
        their old places look different."""
        before = list(self._reference_tiles.values())
        unlike = _dissimilarity(before, [self._layout_tile(image_bgr, box) for box in faces_xyxy])
        if not unlike.size:
            return False
        stayed = [
            _correlation(tile.context, self._layout_tile(image_bgr, tile.box_xyxy).context) for tile in before
        ]
        moved = sum(
            self._is_other_tile(before[i].box_xyxy, faces_xyxy[j])
            and 1 - unlike[i, j] >= max(CONTEXT_MOVED_CORRELATION, stayed[i] + CONTEXT_MOVED_MARGIN)
            for i, j in assign(unlike).items()
        )
        changed = sum(alike < SAME_VIEW_CORRELATION for alike in stayed) if self.call_grid.is_in_place else 0
        return bool(moved >= max(MIN_MOVED_FACES, MIN_CONTEXT_MOVED_SHARE * changed))

    def _is_other_tile(self, box_xyxy: Box, other_xyxy: Box) -> bool:
        grid = self.call_grid.confirmed
        if grid is not None:
            return grid.tile_of(box_xyxy) != grid.tile_of(other_xyxy)
        away = np.subtract(_centre(box_xyxy), _centre(other_xyxy))
        return bool(np.hypot(*away) >= OTHER_TILE_DISTANCE * (box_xyxy[2] - box_xyxy[0]))

    def _has_layout_changed(
        self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box], to_reference: Matrix
    ) -> bool:
        """Whether several faces are not where they were, and this is not what was seen before."""
        if not _have_faces_moved([tile.box_xyxy for tile in self._reference_tiles.values()], faces_xyxy):
            return False
        camera = compose_similarities(inverse(to_reference), self._to_reference)
        return not any(self._is_same_view(self._image, image_bgr, motion) for motion in (identity(), camera))

    def _has_settled(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box]) -> bool:
        """Whether the tiles are where they were in the sample before, in which they seemed to slide."""
        if self._transition is None:
            return False
        before, boxes = self._transition
        # Of a few large tiles one in which somebody gets up is a large part of the picture.
        still = bool(boxes) and not _have_faces_moved(boxes, faces_xyxy)
        return still or self._is_same_view(before, image_bgr, identity())

    def _match_students(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box]) -> LayoutMatch | None:
        now = [self._layout_tile(image_bgr, box) for box in faces_xyxy]
        order = self._all_students()
        strangers = [track for track in self._reference_tiles if track not in self._student_of]
        known = [*(self._student_tiles[s] for s in order), *(self._reference_tiles[t] for t in strangers)]
        here = set(self._student_of.values())
        fresh = np.array([student in here for student in order] + [True] * len(strangers))
        rows = _merge_orders(range(len(order)), known, range(len(order), len(known)))
        pairs = _match_tiles(known, rows, fresh, now)
        if not _is_match_sufficient(pairs, known, fresh, now):
            return None
        motion = _common_motion(pairs, known, now)
        # A camera that was moved and could not be followed; of a few tiles it can be chance.
        if motion is not None and self._is_same_view(self._image, image_bgr, motion):
            return None
        found = {order[i]: j for i, j in pairs.items() if i < len(order)}
        moved = {track: found[student] for track, student in self._student_of.items() if student in found}
        moved |= {strangers[i - len(order)]: j for i, j in pairs.items() if i >= len(order)}
        self._student_order, self._displaced = order, set(order) - set(found)
        self._student_tiles |= {student: now[j] for student, j in found.items()}
        return LayoutMatch(moved, found)

    def students_by_tile(
        self, boxes_xyxy: Mapping[int, Box], seats_xyxy: Mapping[int, Box]
    ) -> dict[int, int]:
        """The students to whom faces belong by their tiles, ``{track: student}``, given the boxes of tracks
        and the seats of students, both in pixels of the frame. In the grid of a call one tile is one student;
        outside of tiles, and where no grid is confirmed or it is not in place, the result is empty."""
        grid = self.call_grid.confirmed
        if grid is None or not self.call_grid.is_in_place:
            return {}
        owner_of: dict[int, int] = {}
        for student, seat in sorted(seats_xyxy.items()):
            tile = grid.tile_of(seat)
            if tile is not None and student not in self._displaced:
                owner_of.setdefault(tile, student)
        tiles = {track: grid.tile_of(box) for track, box in boxes_xyxy.items()}
        return {
            track: owner_of[tile] for track, tile in tiles.items() if tile is not None and tile in owner_of
        }

    def reidentify(self, image_bgr: ImageBGR, unassigned_xyxy: Mapping[int, Box]) -> dict[int, int]:
        """Who of those adrift the newcomers are, ``{track: student}``."""
        adrift, tracks = sorted(self._displaced), list(unassigned_xyxy)
        if not adrift or not tracks:
            return {}
        now = [self._layout_tile(image_bgr, box) for box in unassigned_xyxy.values()]
        unlike = _dissimilarity(now, [self._student_tiles[student] for student in adrift])
        least = np.where(self._fits_order(now, adrift), MIN_CORRELATION_RETURNING, MIN_CORRELATION_UNSEEN)
        cost = np.where(unlike <= 1 - least, unlike, FORBIDDEN)
        return {tracks[i]: adrift[j] for i, j in assign(cost).items()}

    def _fits_order(self, unassigned: Sequence[LayoutTile], displaced: Sequence[int]) -> NDArray[np.bool_]:
        """Whether each of the newcomers is among the others where each of the adrift was, in order."""
        everybody = self._all_students()
        settled = [student for student in everybody if student not in self._displaced]
        rank = {student: place for place, student in enumerate(everybody)}
        tiles = [self._student_tiles[student] for student in settled]
        fits = np.zeros((len(unassigned), len(displaced)), bool)
        for i, tile in enumerate(unassigned):
            order = _tile_order([*tiles, tile])
            place = order.index(len(tiles))
            low = rank[settled[order[place - 1]]] if place else -1
            high = rank[settled[order[place + 1]]] if place + 1 < len(order) else len(everybody)
            fits[i] = [low < rank[student] < high for student in displaced]
        return fits

    def _all_students(self) -> list[int]:
        """The students row by row; who is adrift comes after whom they came after before."""
        settled = [student for student in self._student_tiles if student not in self._displaced]
        order = [settled[i] for i in _tile_order([self._student_tiles[student] for student in settled])]
        for student in (student for student in self._student_order if student in self._displaced):
            before = self._student_order[: self._student_order.index(student)]
            order.insert(max((order.index(one) + 1 for one in before if one in order), default=0), student)
        return order

    def _is_same_view(self, before_bgr: ImageBGR | None, image_bgr: ImageBGR, motion: Matrix) -> bool:
        """Whether most of the one picture is in the other, moved like that."""
        if before_bgr is None or before_bgr.shape != image_bgr.shape:
            return False
        height, width = image_bgr.shape[:2]
        told = alike = inside = 0
        for box in _blocks(width, height):
            was = self._sample_context(before_bgr, box)
            there = _transformed_box(box, motion)
            told += was is not None
            if was is not None and min(there) >= 0 and there[2] <= width and there[3] <= height:
                inside += 1
                alike += _correlation(was, self._sample_context(image_bgr, there)) >= SAME_VIEW_CORRELATION
        return 2 * inside >= told and alike >= SAME_VIEW_SHARE * inside

    def _layout_tile(self, image_bgr: ImageBGR, box_xyxy: Box) -> LayoutTile:
        x1, y1, x2, y2 = box_xyxy
        across, down = CONTEXT_MARGIN * (x2 - x1), CONTEXT_MARGIN * (y2 - y1)
        look = self._sample_context(image_bgr, (x1 - across, y1 - down, x2 + across, y2 + down))
        return LayoutTile(box_xyxy, None if look is None else _without_face(look))


def _without_face(context: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same, its middle filled with the mean of what is around it: the face is not compared."""
    edges = [round(side * CONTEXT_MARGIN / (1 + 2 * CONTEXT_MARGIN)) for side in context.shape[:2]]
    middle = tuple(slice(edge, side - edge) for edge, side in zip(edges, context.shape[:2], strict=True))
    outside = np.ones(context.shape[:2], bool)
    outside[middle] = False
    seen = context.copy()
    seen[middle] = context[outside].mean(axis=0)
    return seen


def _match_tiles(
    reference_tiles: Sequence[LayoutTile],
    rows: Sequence[int],
    fresh: NDArray[np.bool_],
    current_tiles: Sequence[LayoutTile],
) -> dict[int, int]:
    """Who of the known, which are in the order ``rows``, is which of the faces now, by their indices."""
    columns = _tile_order(current_tiles)
    # What a pair is worth: nothing where it may not be.
    least = np.where(fresh, MIN_CORRELATION, MIN_CORRELATION_UNSEEN)[list(rows)]
    worth = (1 - _dissimilarity(reference_tiles, current_tiles))[np.ix_(rows, columns)] - least[:, None]
    kept = align_sequences(
        np.where(worth >= 0, -worth, FORBIDDEN), np.zeros(len(rows)), np.zeros(len(columns))
    )
    free = {i: j for i, j in assign(np.minimum(-worth, 0)).items() if worth[i, j] > 0}

    def gain(pairs: Mapping[int, int], overtaking: float = 0.0) -> float:
        return float(sum(worth[i, j] - overtaking for i, j in pairs.items()))

    better = free if gain(free, REORDER_PENALTY) > gain(kept) else kept
    return {rows[i]: columns[j] for i, j in better.items()}


def _is_match_sufficient(
    pairs: Mapping[int, int],
    reference_tiles: Sequence[LayoutTile],
    fresh: NDArray[np.bool_],
    current_tiles: Sequence[LayoutTile],
) -> bool:
    """Whether half of those who can be were found again, much alike."""
    if len(pairs) < max(MIN_MOVED_FACES, min(int(fresh.sum()), len(current_tiles)) / 2):
        return False
    return bool(
        np.mean(
            [_correlation(reference_tiles[i].context, current_tiles[j].context) for i, j in pairs.items()]
        )
        >= MIN_MEAN_CORRELATION
    )


def _common_motion(
    pairs: Mapping[int, int], reference_tiles: Sequence[LayoutTile], current_tiles: Sequence[LayoutTile]
) -> Matrix | None:
    """The one shift and one zoom that explain where nearly all are, if they do. Two people do not tell."""
    if len(pairs) <= MIN_MOVED_FACES:
        return None
    places = np.array([(reference_tiles[i].box_xyxy, current_tiles[j].box_xyxy) for i, j in pairs.items()])
    widths, centres = places[:, :, 2] - places[:, :, 0], (places[:, :, :2] + places[:, :, 2:]) / 2
    scale = float(np.median(widths[:, 1] / widths[:, 0]))
    x, y = np.median(centres[:, 1] - scale * centres[:, 0], axis=0)
    motion = np.array([[scale, 0.0, x], [0.0, scale, y]])
    there = [
        _is_stationary(_transformed_box(reference_tiles[i].box_xyxy, motion), current_tiles[j].box_xyxy)
        for i, j in pairs.items()
    ]
    return motion if sum(there) >= SAME_VIEW_SHARE * len(there) else None


def _merge_orders(ordered: Sequence[int], tiles: Sequence[LayoutTile], others: Sequence[int]) -> list[int]:
    """The indices of tiles that are in order, with others put before the first that comes after them."""
    order = list(ordered)
    for other in others:
        after = [one for one in order if _tile_order([tiles[other], tiles[one]]) == [0, 1]]
        order.insert(order.index(after[0]) if after else len(order), other)
    return order


def _blocks(width: int, height: int) -> Iterator[Box]:
    """The picture in ``VIEW_BLOCKS`` by ``VIEW_BLOCKS``."""
    across, down = width / VIEW_BLOCKS, height / VIEW_BLOCKS
    for row in range(VIEW_BLOCKS):
        for column in range(VIEW_BLOCKS):
            yield column * across, row * down, (column + 1) * across, (row + 1) * down


def _transformed_box(box_xyxy: Box, motion: Matrix) -> Box:
    x1, y1, x2, y2 = box_xyxy
    x, y = motion @ ((x1 + x2) / 2, (y1 + y2) / 2, 1.0)
    across, down = scale_factor(motion) * (x2 - x1) / 2, scale_factor(motion) * (y2 - y1) / 2
    return float(x - across), float(y - down), float(x + across), float(y + down)


def _tile_order(tiles: Sequence[LayoutTile]) -> list[int]:
    return reading_order(Seat(index, tile.box_xyxy) for index, tile in enumerate(tiles))


def _dissimilarity(some: Sequence[LayoutTile], others: Sequence[LayoutTile]) -> NDArray[np.float64]:
    """1 less the normalised correlation, ``(some, others)``, 0..2; 1 where there is nothing to compare."""
    return 1.0 - np.array(
        [[_correlation(one.context, other.context) for other in others] for one in some], np.float64
    )


def _correlation(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> float:
    if one is None or other is None:
        return 0.0
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))


def _have_faces_moved(boxes_xyxy: Sequence[Box], faces_xyxy: Sequence[Box]) -> bool:
    """Whether so many faces are not where there was one that the tiles may be others."""
    gone = sum(not any(_is_stationary(box, face) for face in faces_xyxy) for box in boxes_xyxy)
    come = sum(not any(_is_stationary(box, face) for box in boxes_xyxy) for face in faces_xyxy)
    if not gone or gone + come / ARRIVALS_PER_DEPARTURE < MIN_MOVED_FACES:
        return False
    return gone + come >= MIN_MOVED_SHARE * (len(boxes_xyxy) + len(faces_xyxy))


def _is_stationary(box_xyxy: Box, other_xyxy: Box) -> bool:
    width, other = box_xyxy[2] - box_xyxy[0], other_xyxy[2] - other_xyxy[0]
    away = np.hypot(*np.subtract(_centre(box_xyxy), _centre(other_xyxy)))
    return bool(
        away <= MAX_STATIONARY_SHIFT * width
        and 1 / MAX_STATIONARY_SIZE_RATIO <= other / width <= MAX_STATIONARY_SIZE_RATIO
    )


def _centre(box_xyxy: Box) -> tuple[float, float]:
    return (box_xyxy[0] + box_xyxy[2]) / 2, (box_xyxy[1] + box_xyxy[3]) / 2
