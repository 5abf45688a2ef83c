"""Layout changes of a recorded video call: re-identifies participants after their tiles were rearranged.
Pure.

When a participant joins or leaves, most faces move and change their size, which no camera motion explains.
But the context of a face in its tile stays the same, and calls fill their grids row by row, so most
participants keep their order. Both are used together. Context patches (``monitor.tracking.patches``) are
compared in memory and never stored. The face itself is not compared: with it the results on drawn calls were
much the same.

Changes are searched for only in a call (``monitor.seating.call_grid``). A layout has changed only if tiles
have moved: the grid differs, or the contexts of several faces are in other tiles. A face that is replaced in
its tile is no change, nor is any camera motion in a room.
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
    box_centre,
    box_width,
    compose_similarities,
    expand_box,
    identity,
    inverse,
    reading_order,
    transform_box,
)
from monitor.seating.call_grid import CallGrid, CallGridConfirmation
from monitor.tracking.relative_motion import normalised_correlation
from monitor.types import Box, ImageBGR

CONTEXT_MARGIN = 1 / 3
"""The context of a face: its box, expanded by this share of its size on each side."""

MAX_STATIONARY_SHIFT, MAX_STATIONARY_SIZE_RATIO = 0.5, 1.3
"""A face is stationary within this shift, face widths, and this ratio of sizes."""

MIN_MOVED_FACES = 2
"""Faces that must have left their positions before a change is searched for; ``ARRIVALS_PER_DEPARTURE`` new
faces count as one, but one face must have left. As many must be re-identified."""

ARRIVALS_PER_DEPARTURE = 4
"""This many new faces count as one that left. A new face is weaker evidence, because in a call a person may
sit down again while another gets up."""

MIN_MOVED_SHARE = 0.25
"""Smallest share of faces that left or appeared among the faces of both frames."""

VIEW_BLOCKS, SAME_VIEW_CORRELATION, SAME_VIEW_SHARE = 8, 0.7, 0.8
"""Two frames show the same view if, in a grid of ``VIEW_BLOCKS`` x ``VIEW_BLOCKS``, half of the blocks are
still inside the frame and ``SAME_VIEW_SHARE`` of these correlate at least by ``SAME_VIEW_CORRELATION``."""

MIN_CORRELATION = 0.4
"""Smallest correlation of the contexts of a match."""

MIN_CORRELATION_UNSEEN = 0.8
"""The same for a participant who was not visible just before, and later for one who would return out of
order."""

MIN_CORRELATION_RETURNING = 0.5
"""The same for a participant who returns later in order."""

MIN_MEAN_CORRELATION = 0.6
"""Smallest mean correlation of all matches; otherwise the frames show another scene."""

REORDER_PENALTY = 0.15
"""A match out of order must be better by this correlation per pair than one in order."""

CONTEXT_MOVED_CORRELATION, CONTEXT_MOVED_MARGIN = 0.7, 0.4
"""A context has moved to another tile if its correlation there reaches the first value, and exceeds that at
the old position by the second."""

MIN_CONTEXT_MOVED_SHARE = 0.5
"""If the grid has not moved, this share of the faces with a changed context must have moved to another tile:
if faces are replaced in their tiles, few match another tile by chance."""

OTHER_TILE_DISTANCE = 0.75
"""Without a known grid, another tile is at least this far away, face widths."""

MAX_TRANSITION_SAMPLES = 4
"""Longest transition, frames: calls slide their tiles to new positions in less than a second. A view that
moves for longer is something else."""

ContextSampler = Callable[[ImageBGR, Box], NDArray[np.float32] | None]
"""Samples a box of a frame at a fixed size (``monitor.tracking.patches.context_patch``); None if the contrast
is too low."""


@dataclass(frozen=True)
class LayoutTile:
    """A face, pixels of the frame, and its context without the face."""

    box_xyxy: Box
    context: NDArray[np.float32] | None


@dataclass(frozen=True)
class LayoutMatch:
    """The index of the face of each re-identified track and student in the new layout."""

    face_by_track: Mapping[int, int]
    face_by_student: Mapping[int, int]


class LayoutChangeDetector:
    """Keeps the context of each participant and re-identifies them. Memory: two frames and one patch per
    participant.

    ``call_grid`` confirms the grid of the call. ``is_video`` is False for single images, such as a folder,
    which have no transitions between them."""

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
        self._seen_students: set[int] = set()
        self._student_order: list[int] = []

    @property
    def in_transition(self) -> bool:
        """Whether tiles seemed to be moving in the last frame; participants are re-identified once they have
        settled."""
        return self._transition is not None

    def store_reference(
        self,
        image_bgr: ImageBGR,
        boxes_xyxy: Mapping[int, Box],
        students: Mapping[int, int],
        to_reference: Matrix,
    ) -> None:
        """Take the faces of one frame by track, in pixels of the frame, and the student of each track;
        ``to_reference`` maps the frame to the reference frame."""
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
        self._seen_students |= set(self._student_of.values())

    def match_after_change(
        self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box], to_reference: Matrix, media_s: float
    ) -> LayoutMatch | None:
        """Match the faces of the frame at ``media_s`` seconds if the layout has changed since
        ``store_reference`` and has settled; else None. ``to_reference`` as for ``store_reference``. Students
        without a match are displaced."""
        is_new_stream = self.call_grid.update(image_bgr, faces_xyxy, media_s)
        if is_new_stream:
            self._seen_students = set()
        if (
            is_new_stream
            or not self.call_grid.is_call
            or not self._has_layout_changed(image_bgr, faces_xyxy, to_reference)
        ):
            self._transition, self._transition_samples = None, 0
            return None
        if self.call_grid.is_in_place and not self._has_context_moved(image_bgr, faces_xyxy):
            # Faces were replaced, or people moved, within tiles that stay in place.
            self._transition, self._transition_samples = None, 0
            return None
        has_settled = self._has_settled(image_bgr, faces_xyxy)
        if not has_settled and self._transition_samples < self._max_transition_samples:
            self._transition, self._transition_samples = (image_bgr, faces_xyxy), self._transition_samples + 1
            return None
        # After the longest transition, no new one begins before the tiles have settled.
        self._transition, self._transition_samples = None, 0 if has_settled else self._transition_samples
        if not self.call_grid.is_rearranged and not self._has_context_moved(image_bgr, faces_xyxy):
            return None
        match = self._match_students(image_bgr, faces_xyxy)
        if match is not None:
            self.call_grid.accept_current()
        return match

    def _has_context_moved(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box]) -> bool:
        """Whether the contexts of several stored faces are in other tiles now, and their old positions look
        different."""
        before = list(self._reference_tiles.values())
        cost = _dissimilarity(before, [self._layout_tile(image_bgr, box) for box in faces_xyxy])
        if not cost.size:
            return False
        in_place = [
            _correlation(tile.context, self._layout_tile(image_bgr, tile.box_xyxy).context) for tile in before
        ]
        moved = sum(
            self._is_other_tile(before[i].box_xyxy, faces_xyxy[j])
            and 1 - cost[i, j] >= max(CONTEXT_MOVED_CORRELATION, in_place[i] + CONTEXT_MOVED_MARGIN)
            for i, j in assign(cost).items()
        )
        changed = (
            sum(value < SAME_VIEW_CORRELATION for value in in_place) if self.call_grid.is_in_place else 0
        )
        return bool(moved >= max(MIN_MOVED_FACES, MIN_CONTEXT_MOVED_SHARE * changed))

    def _is_other_tile(self, box_xyxy: Box, other_xyxy: Box) -> bool:
        grid = self.call_grid.confirmed
        if grid is not None:
            return grid.tile_of(box_xyxy) != grid.tile_of(other_xyxy)
        distance = np.hypot(*np.subtract(box_centre(box_xyxy), box_centre(other_xyxy)))
        return bool(distance >= OTHER_TILE_DISTANCE * box_width(box_xyxy))

    def _has_layout_changed(
        self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box], to_reference: Matrix
    ) -> bool:
        """Whether several faces have moved and the frame does not show the same view."""
        if not _have_faces_moved([tile.box_xyxy for tile in self._reference_tiles.values()], faces_xyxy):
            return False
        camera = compose_similarities(inverse(to_reference), self._to_reference)
        return not any(self._is_same_view(self._image, image_bgr, motion) for motion in (identity(), camera))

    def _has_settled(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box]) -> bool:
        """Whether the tiles are where they were in the last frame, in which they seemed to move."""
        if self._transition is None:
            return False
        before, boxes = self._transition
        # In a call of few tiles, a person who gets up changes a large part of the frame.
        are_faces_still = bool(boxes) and not _have_faces_moved(boxes, faces_xyxy)
        return are_faces_still or self._is_same_view(before, image_bgr, identity())

    def _match_students(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box]) -> LayoutMatch | None:
        current = [self._layout_tile(image_bgr, box) for box in faces_xyxy]
        order = self._all_students()
        unassigned = [track for track in self._reference_tiles if track not in self._student_of]
        known = [*(self._student_tiles[s] for s in order), *(self._reference_tiles[t] for t in unassigned)]
        visible = set(self._student_of.values())
        is_recent = np.array([student in visible for student in order] + [True] * len(unassigned))
        rows = _merge_orders(range(len(order)), known, range(len(order), len(known)))
        pairs = _match_tiles(known, rows, is_recent, current)
        if not _is_match_sufficient(pairs, known, is_recent, current):
            return None
        motion = _common_motion(pairs, known, current)
        # The camera was moved, with unknown motion; with few tiles a common motion can be chance.
        if motion is not None and self._is_same_view(self._image, image_bgr, motion):
            return None
        face_by_student = {order[i]: j for i, j in pairs.items() if i < len(order)}
        face_by_track = {
            track: face_by_student[student]
            for track, student in self._student_of.items()
            if student in face_by_student
        }
        face_by_track |= {unassigned[i - len(order)]: j for i, j in pairs.items() if i >= len(order)}
        self._student_order, self._displaced = order, set(order) - set(face_by_student)
        self._student_tiles |= {student: current[j] for student, j in face_by_student.items()}
        return LayoutMatch(face_by_track, face_by_student)

    def students_by_tile(
        self, boxes_xyxy: Mapping[int, Box], seats_xyxy: Mapping[int, Box]
    ) -> dict[int, int]:
        """The students of tracks by their tiles, ``{track: student}``, given the boxes of tracks and the
        seats of students in pixels of the frame. One tile is one student; tracks outside all tiles have none,
        and without a confirmed grid in place the result is empty."""
        grid = self.call_grid.confirmed
        if grid is None or not self.call_grid.is_in_place:
            return {}
        return self._owners(grid, boxes_xyxy, seats_xyxy)

    def tracks_in_expected_tiles(
        self, boxes_xyxy: Mapping[int, Box], seats_xyxy: Mapping[int, Box]
    ) -> frozenset[int]:
        """The tracks in tiles that probably have a student already, although the grid is not certain at
        present (``CallGridConfirmation.expected``): they must not become new students before it is.

        Only students that were visible since the beginning of the stream count: during a gap the layout may
        have changed. Arguments as for ``students_by_tile``."""
        grid = self.call_grid.expected
        if grid is None:
            return frozenset()
        seats = {student: seat for student, seat in seats_xyxy.items() if student in self._seen_students}
        return frozenset(self._owners(grid, boxes_xyxy, seats))

    def _owners(
        self, grid: CallGrid, boxes_xyxy: Mapping[int, Box], seats_xyxy: Mapping[int, Box]
    ) -> dict[int, int]:
        """The students of tracks by the tiles of ``grid``."""
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
        """The displaced students of unassigned tracks by their contexts, ``{track: student}``."""
        displaced, tracks = sorted(self._displaced), list(unassigned_xyxy)
        if not displaced or not tracks:
            return {}
        tiles = [self._layout_tile(image_bgr, box) for box in unassigned_xyxy.values()]
        cost = _dissimilarity(tiles, [self._student_tiles[student] for student in displaced])
        in_order = self._fits_order(tiles, displaced)
        min_correlation = np.where(in_order, MIN_CORRELATION_RETURNING, MIN_CORRELATION_UNSEEN)
        cost = np.where(cost <= 1 - min_correlation, cost, FORBIDDEN)
        return {tracks[i]: displaced[j] for i, j in assign(cost).items()}

    def _fits_order(self, unassigned: Sequence[LayoutTile], displaced: Sequence[int]) -> NDArray[np.bool_]:
        """``(unassigned, displaced)``: whether the tile lies between the neighbours of the student in
        order."""
        students = self._all_students()
        settled = [student for student in students if student not in self._displaced]
        rank = {student: place for place, student in enumerate(students)}
        tiles = [self._student_tiles[student] for student in settled]
        fits = np.zeros((len(unassigned), len(displaced)), bool)
        for i, tile in enumerate(unassigned):
            order = _tile_order([*tiles, tile])
            place = order.index(len(tiles))
            low = rank[settled[order[place - 1]]] if place else -1
            high = rank[settled[order[place + 1]]] if place + 1 < len(order) else len(students)
            fits[i] = [low < rank[student] < high for student in displaced]
        return fits

    def _all_students(self) -> list[int]:
        """All students in reading order; a displaced one follows the students that it followed before."""
        settled = [student for student in self._student_tiles if student not in self._displaced]
        order = [settled[i] for i in _tile_order([self._student_tiles[student] for student in settled])]
        for student in (student for student in self._student_order if student in self._displaced):
            before = self._student_order[: self._student_order.index(student)]
            order.insert(max((order.index(s) + 1 for s in before if s in order), default=0), student)
        return order

    def _is_same_view(self, before_bgr: ImageBGR | None, image_bgr: ImageBGR, motion: Matrix) -> bool:
        """Whether the second image shows most blocks of the first, moved by ``motion``."""
        if before_bgr is None or before_bgr.shape != image_bgr.shape:
            return False
        height, width = image_bgr.shape[:2]
        usable = inside = same = 0
        for box in _blocks(width, height):
            before = self._sample_context(before_bgr, box)
            moved = transform_box(motion, box)
            usable += before is not None
            if before is not None and min(moved) >= 0 and moved[2] <= width and moved[3] <= height:
                inside += 1
                same += _correlation(before, self._sample_context(image_bgr, moved)) >= SAME_VIEW_CORRELATION
        return 2 * inside >= usable and same >= SAME_VIEW_SHARE * inside

    def _layout_tile(self, image_bgr: ImageBGR, box_xyxy: Box) -> LayoutTile:
        context = self._sample_context(image_bgr, expand_box(box_xyxy, (CONTEXT_MARGIN,) * 4))
        return LayoutTile(box_xyxy, None if context is None else _without_face(context))


def _without_face(context: NDArray[np.float32]) -> NDArray[np.float32]:
    """The context with the face replaced by the mean of its surroundings."""
    edges = [round(side * CONTEXT_MARGIN / (1 + 2 * CONTEXT_MARGIN)) for side in context.shape[:2]]
    middle = tuple(slice(edge, side - edge) for edge, side in zip(edges, context.shape[:2], strict=True))
    outside = np.ones(context.shape[:2], bool)
    outside[middle] = False
    filled = context.copy()
    filled[middle] = context[outside].mean(axis=0)
    return filled


def _match_tiles(
    reference_tiles: Sequence[LayoutTile],
    rows: Sequence[int],
    is_recent: NDArray[np.bool_],
    current_tiles: Sequence[LayoutTile],
) -> dict[int, int]:
    """Matches of known tiles, in the order ``rows``, with current tiles, by index. The order is kept
    unless another order is clearly better."""
    columns = _tile_order(current_tiles)
    # The gain of a pair is its correlation above the smallest allowed one.
    min_correlation = np.where(is_recent, MIN_CORRELATION, MIN_CORRELATION_UNSEEN)[list(rows)]
    correlation = (1 - _dissimilarity(reference_tiles, current_tiles))[np.ix_(rows, columns)]
    gain = correlation - min_correlation[:, None]
    in_order = align_sequences(
        np.where(gain >= 0, -gain, FORBIDDEN), np.zeros(len(rows)), np.zeros(len(columns))
    )
    in_any_order = {i: j for i, j in assign(np.minimum(-gain, 0)).items() if gain[i, j] > 0}

    def total_gain(pairs: Mapping[int, int], penalty: float = 0.0) -> float:
        return float(sum(gain[i, j] - penalty for i, j in pairs.items()))

    is_reordered = total_gain(in_any_order, REORDER_PENALTY) > total_gain(in_order)
    return {rows[i]: columns[j] for i, j in (in_any_order if is_reordered else in_order).items()}


def _is_match_sufficient(
    pairs: Mapping[int, int],
    reference_tiles: Sequence[LayoutTile],
    is_recent: NDArray[np.bool_],
    current_tiles: Sequence[LayoutTile],
) -> bool:
    """Whether half of the possible matches were found, with a high mean correlation."""
    if len(pairs) < max(MIN_MOVED_FACES, min(int(is_recent.sum()), len(current_tiles)) / 2):
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
    """The shift and zoom that explain the positions of nearly all pairs, or None. Two pairs are not
    enough."""
    if len(pairs) <= MIN_MOVED_FACES:
        return None
    places = np.array([(reference_tiles[i].box_xyxy, current_tiles[j].box_xyxy) for i, j in pairs.items()])
    widths, centres = places[:, :, 2] - places[:, :, 0], (places[:, :, :2] + places[:, :, 2:]) / 2
    scale = float(np.median(widths[:, 1] / widths[:, 0]))
    x, y = np.median(centres[:, 1] - scale * centres[:, 0], axis=0)
    motion = np.array([[scale, 0.0, x], [0.0, scale, y]])
    fits = [
        _is_stationary(transform_box(motion, reference_tiles[i].box_xyxy), current_tiles[j].box_xyxy)
        for i, j in pairs.items()
    ]
    return motion if sum(fits) >= SAME_VIEW_SHARE * len(fits) else None


def _merge_orders(ordered: Sequence[int], tiles: Sequence[LayoutTile], others: Sequence[int]) -> list[int]:
    """The indices ``ordered``, with each of ``others`` inserted before the first tile that follows it in
    reading order."""
    order = list(ordered)
    for other in others:
        after = [index for index in order if _tile_order([tiles[other], tiles[index]]) == [0, 1]]
        order.insert(order.index(after[0]) if after else len(order), other)
    return order


def _blocks(width: int, height: int) -> Iterator[Box]:
    """The frame in ``VIEW_BLOCKS`` x ``VIEW_BLOCKS`` blocks."""
    block_width, block_height = width / VIEW_BLOCKS, height / VIEW_BLOCKS
    for row in range(VIEW_BLOCKS):
        for column in range(VIEW_BLOCKS):
            x, y = column * block_width, row * block_height
            yield x, y, (column + 1) * block_width, (row + 1) * block_height


def _tile_order(tiles: Sequence[LayoutTile]) -> list[int]:
    return reading_order(Seat(index, tile.box_xyxy) for index, tile in enumerate(tiles))


def _dissimilarity(rows: Sequence[LayoutTile], columns: Sequence[LayoutTile]) -> NDArray[np.float64]:
    """1 minus the correlation of contexts, ``(rows, columns)``, 0..2; 1 if a context is missing."""
    return 1.0 - np.array(
        [[_correlation(row.context, column.context) for column in columns] for row in rows], np.float64
    )


def _correlation(first: NDArray[np.float32] | None, second: NDArray[np.float32] | None) -> float:
    return 0.0 if first is None or second is None else normalised_correlation(first, second)


def _have_faces_moved(boxes_xyxy: Sequence[Box], faces_xyxy: Sequence[Box]) -> bool:
    """Whether so many faces have left or appeared that the layout may have changed."""
    left = sum(not any(_is_stationary(box, face) for face in faces_xyxy) for box in boxes_xyxy)
    new = sum(not any(_is_stationary(box, face) for box in boxes_xyxy) for face in faces_xyxy)
    if not left or left + new / ARRIVALS_PER_DEPARTURE < MIN_MOVED_FACES:
        return False
    return left + new >= MIN_MOVED_SHARE * (len(boxes_xyxy) + len(faces_xyxy))


def _is_stationary(box_xyxy: Box, other_xyxy: Box) -> bool:
    width, ratio = box_width(box_xyxy), box_width(other_xyxy) / box_width(box_xyxy)
    shift = np.hypot(*np.subtract(box_centre(box_xyxy), box_centre(other_xyxy)))
    return bool(
        shift <= MAX_STATIONARY_SHIFT * width
        and 1 / MAX_STATIONARY_SIZE_RATIO <= ratio <= MAX_STATIONARY_SIZE_RATIO
    )
