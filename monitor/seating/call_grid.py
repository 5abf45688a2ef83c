"""The grid of tiles of a video call, and whether a frame has shown one for long enough. Pure.

A call shows its participants in tiles of equal size, row by row; a room has no such grid. The grid is
detected in each frame (``monitor.seating.call_grid_detection``) and confirmed once it was at the same
position for several seconds with faces in its tiles. Only then does ``monitor.seating.layout_change`` search
for rearranged tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.geometry import box_centre, contained_share
from monitor.types import Box, ImageBGR

CONFIRM_S = 3.0
"""Time at the same position before a grid is confirmed, seconds. A hand-held camera does not keep straight
lines in place for that long. Heuristic, not tuned on data."""

CONFIRM_SAMPLES = 3
"""Frames at the same position, for sources with a low sampling rate. Heuristic, not tuned on data."""

UNREADABLE_S = 2.0
"""Longest time without detection while a grid is being confirmed, seconds: hands, captions, compression."""

LOST_S = 10.0
"""A confirmed grid that was not detected for this time is dropped, seconds: the frames show something else.
Longer than tiles take to move. Heuristic, not tuned on data."""

GAP_S = 5.0
"""A longer time between two frames, seconds, restarts confirmation."""

IDLE_SAMPLES = 4
"""Without a grid, only every fourth frame is searched: a search takes 20 ms of a core, and a room never shows
one. At two frames a second confirmation starts at most 1.5 s later."""

MAX_EDGE_SHIFT = 0.02
"""Largest difference of an edge between two detections of a tile, share of the frame's width: twice the
detection error."""

MAX_SHARED_TILES = 0.25
"""Largest share of occupied tiles with a second face: two people at one camera, a poster."""

MIN_INSIDE_SHARE = 0.7
"""A face belongs to a tile that contains this share of its box."""

MIN_FACES = 2
"""Tiles with a face while a grid is being confirmed."""


class FrameKind(StrEnum):
    """The content of a source's frames. The values are those of the setting ``capture.kind``."""

    AUTO = "auto"
    ROOM = "room"
    CALL = "call"


@dataclass(frozen=True)
class CallGrid:
    """Tiles of equal size, row by row, as boxes in pixels of a frame ``width`` pixels wide."""

    tiles: tuple[Box, ...]
    width: int

    def tile_of(self, box_xyxy: Box) -> int | None:
        """The index of the tile that contains the centre of a box; None outside all tiles."""
        x, y = box_centre(box_xyxy)
        for index, (x1, y1, x2, y2) in enumerate(self.tiles):
            if x1 <= x < x2 and y1 <= y < y2:
                return index
        return None

    def is_same(self, other: CallGrid) -> bool:
        """Whether no tile has moved: the tiles of one grid are all tiles of the other, which may have more in
        its last row."""
        fewer, more = sorted((self, other), key=lambda grid: len(grid.tiles))
        return all(any(self._coincide(tile, candidate) for candidate in more.tiles) for tile in fewer.tiles)

    def matches_faces(self, faces_xyxy: Sequence[Box]) -> bool:
        """Whether faces are where a call shows them: inside tiles, one in each, in two tiles or more."""
        tiles = [self.tile_of(face) for face in faces_xyxy]
        if any(
            tile is None or contained_share(face, self.tiles[tile]) < MIN_INSIDE_SHARE
            for face, tile in zip(faces_xyxy, tiles, strict=True)
        ):
            return False
        occupied = set(tiles)
        crowded = sum(tiles.count(tile) > 1 for tile in occupied)
        return len(occupied) >= MIN_FACES and crowded <= MAX_SHARED_TILES * len(occupied)

    def _coincide(self, tile: Box, other: Box) -> bool:
        max_shift = MAX_EDGE_SHIFT * self.width
        return all(abs(a - b) <= max_shift for a, b in zip(tile, other, strict=True))


FindGrid = Callable[[ImageBGR], CallGrid | None]
"""Detects the grid of one frame (``monitor.seating.call_grid_detection.find_grid``); None if it shows
none."""

ShowsGrid = Callable[[ImageBGR, CallGrid], bool]
"""Whether a frame shows a known grid (``monitor.seating.call_grid_detection.shows_grid``)."""


class CallGridConfirmation:
    """Whether the frames of a source show a call, and the grid that was confirmed last.

    ``find_grid`` detects the grid of a frame; if it finds none, ``shows_grid`` checks for the confirmed one.
    With ``FrameKind.CALL`` the frames count as a call from the first one on, with ``ROOM`` never.
    ``is_video`` is False for single images at any distance in time. Memory: two grids.
    """

    def __init__(
        self,
        find_grid: FindGrid | None,
        kind: FrameKind = FrameKind.AUTO,
        shows_grid: ShowsGrid | None = None,
        *,
        is_video: bool = True,
    ) -> None:
        self._find_grid = find_grid
        self._shows_grid = shows_grid
        self._kind = kind
        self._is_video = is_video
        self._shape: tuple[int, ...] = ()
        self._now_s: float | None = None
        self._restart()

    def _restart(self) -> None:
        self.current: CallGrid | None = None
        self.confirmed: CallGrid | None = None
        self._candidate: CallGrid | None = None
        self._since_s = self._last_read_s = self._confirmed_s = 0.0
        self._samples = 0
        self._idle: int | None = None

    @property
    def is_call(self) -> bool:
        """Whether the frames count as a call at present."""
        return self._kind is FrameKind.CALL or self.confirmed is not None

    @property
    def is_in_place(self) -> bool:
        """Whether the latest frame shows the confirmed grid, so that no tile is moving."""
        return (
            self.current is not None and self.confirmed is not None and self.current.is_same(self.confirmed)
        )

    @property
    def is_rearranged(self) -> bool:
        """Whether the latest frame shows a grid whose tiles are not those of the confirmed one."""
        return (
            self.current is not None
            and self.confirmed is not None
            and not self.current.is_same(self.confirmed)
        )

    def update(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box], media_s: float) -> bool:
        """Detect the grid of the frame at ``media_s`` seconds, given its faces in pixels of the frame.

        Returns whether confirmation restarted: at the first frame, after a change of the frame size, and
        after a gap.
        """
        gap_s = 0.0 if self._now_s is None else media_s - self._now_s
        is_new_stream = self._shape != image_bgr.shape or (self._is_video and gap_s > GAP_S)
        self._shape, self._now_s = image_bgr.shape, media_s
        if is_new_stream:
            self._restart()
        if self._kind is FrameKind.ROOM or self._find_grid is None:
            return is_new_stream
        if self._is_idle():
            return is_new_stream
        self.current = self._find_grid(image_bgr)
        self._idle = 0
        if self._is_confirmed_grid_shown(image_bgr, faces_xyxy):
            self.current = self.confirmed
        if self.current is not None:
            self._count_sample(self.current, faces_xyxy, media_s)
        elif self._candidate is not None and media_s - self._last_read_s > UNREADABLE_S:
            self._candidate = None
        if self.confirmed is not None and media_s - self._confirmed_s > LOST_S:
            self.confirmed = None
        return is_new_stream

    def _is_idle(self) -> bool:
        """Whether this frame need not be searched, because the last searched one showed no grid."""
        is_known = self.current is not None or self._candidate is not None or self.confirmed is not None
        if self._kind is FrameKind.CALL or not self._is_video or is_known or self._idle is None:
            return False
        self._idle += 1
        return self._idle < IDLE_SAMPLES

    def _is_confirmed_grid_shown(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box]) -> bool:
        """Whether the frame shows the confirmed grid although none, or another one, was detected: clothes and
        furniture of one height resemble borders. Another grid whose faces do not fit the tiles is real."""
        if self.confirmed is None or self._shows_grid is None or self.is_in_place:
            return False
        is_possible = self.current is None or self.confirmed.matches_faces(faces_xyxy)
        return is_possible and self._shows_grid(image_bgr, self.confirmed)

    @property
    def expected(self) -> CallGrid | None:
        """The grid that the frames probably show although this is not certain at present: the first one,
        while it is being confirmed, or the confirmed one, while the latest frame shows no grid."""
        if self.confirmed is None:
            return self._candidate
        return self.confirmed if self.current is None else None

    def accept_current(self) -> None:
        """Make the grid of the latest frame the confirmed one, because its tiles were re-identified."""
        if self.current is not None:
            self.confirmed = self._candidate = self.current
            self._confirmed_s = self._last_read_s

    def _count_sample(self, grid: CallGrid, faces_xyxy: Sequence[Box], media_s: float) -> None:
        """Count the frame for the grid that it shows."""
        if self._candidate is None or not grid.is_same(self._candidate):
            self._candidate, self._since_s, self._samples = None, media_s, 0
        if not grid.matches_faces(faces_xyxy) and len(faces_xyxy) >= MIN_FACES:
            # Faces across borders: the grid is part of a room.
            self._candidate, self._samples = None, 0
            return
        self._last_read_s = media_s
        if self._candidate is None:
            self._since_s = media_s
        self._candidate = self._candidate or grid
        self._samples += len(faces_xyxy) >= MIN_FACES
        if (self.confirmed is not None and grid.is_same(self.confirmed)) or self._is_enough(media_s):
            self.confirmed, self._confirmed_s = grid, media_s

    def _is_enough(self, media_s: float) -> bool:
        """Whether the candidate was in place for long enough. In a known call the first grid needs no
        confirmation."""
        if self._kind is FrameKind.CALL and self.confirmed is None:
            return True
        return media_s - self._since_s >= CONFIRM_S and self._samples >= CONFIRM_SAMPLES
