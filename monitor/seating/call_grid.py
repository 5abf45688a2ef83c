"""The grid of tiles of a video call, and whether a frame has shown one for long enough. Pure.

A call draws its participants in tiles of equal size, row by row; a room has no such grid. The grid is read
in each sample (``monitor.seating.call_grid_detection``), and believed only after it stood at the same place for several
seconds with faces in its tiles. Only then does ``monitor.seating.layout_change`` search for rearranged tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor.types import Box, ImageBGR

CONFIRM_S = 3.0
"""So long a grid must stand at the same place before it is confirmed, seconds. A hand-held camera does not
keep straight lines in place for that long. Heuristic, not tuned on data."""

CONFIRM_SAMPLES = 3
"""And in so many samples at least, for sources that are sampled rarely. Heuristic, not tuned on data."""

UNREADABLE_S = 2.0
"""A grid that is being confirmed may be unreadable for so long, seconds: hands, captions, compression."""

LOST_S = 10.0
"""A believed grid that could not be read for so long is no longer believed, seconds: the call was replaced by
something else. Longer than tiles take to slide. Heuristic, not tuned on data."""

GAP_S = 5.0
"""Samples further apart than this, seconds, are not of one uninterrupted stream: confirmation restarts."""

IDLE_SAMPLES = 4
"""While no grid is in sight, one is searched for in every so-many-th sample: a search takes 20 ms of a core,
and a room never shows a grid. At two samples a second confirmation starts 1.5 s later at most."""

MAX_EDGE_SHIFT = 0.02
"""Edges of two readings of one tile may differ by this share of the frame's width: twice the error of
reading them."""

MAX_SHARED_TILES = 0.25
"""In so large a share of the occupied tiles a second face is accepted: two people at one camera, a poster."""

MIN_INSIDE_SHARE = 0.7
"""A face belongs to a tile that contains this share of its box."""

MIN_FACES = 2
"""In so many tiles a face must be seen while a grid is being confirmed."""


class FrameKind(StrEnum):
    """What the frames of a source show. The values are those of the setting ``capture.kind``."""

    AUTO = "auto"
    ROOM = "room"
    CALL = "call"


@dataclass(frozen=True)
class CallGrid:
    """Tiles of equal size, row by row, as boxes in pixels of a frame ``width`` pixels wide."""

    tiles: tuple[Box, ...]
    width: int

    def tile_of(self, box_xyxy: Box) -> int | None:
        """The index of the tile that contains the centre of a box; None beside all tiles."""
        x, y = (box_xyxy[0] + box_xyxy[2]) / 2, (box_xyxy[1] + box_xyxy[3]) / 2
        for index, (x1, y1, x2, y2) in enumerate(self.tiles):
            if x1 <= x < x2 and y1 <= y < y2:
                return index
        return None

    def is_same(self, other: CallGrid) -> bool:
        """Whether no tile has moved: the tiles of one grid are all among those of the other, which may have
        more in its last row."""
        fewer, more = sorted((self, other), key=lambda grid: len(grid.tiles))
        return all(any(self._coincide(tile, one) for one in more.tiles) for tile in fewer.tiles)

    def matches_faces(self, faces_xyxy: Sequence[Box]) -> bool:
        """Whether faces are where a call shows them: inside tiles, one in each, in two tiles or more."""
        owners = [self.tile_of(face) for face in faces_xyxy]
        if any(
            owner is None or _contained_share(face, self.tiles[owner]) < MIN_INSIDE_SHARE
            for face, owner in zip(faces_xyxy, owners, strict=True)
        ):
            return False
        occupied = set(owners)
        crowded = sum(owners.count(owner) > 1 for owner in occupied)
        return len(occupied) >= MIN_FACES and crowded <= MAX_SHARED_TILES * len(occupied)

    def _coincide(self, tile: Box, other: Box) -> bool:
        nearest = MAX_EDGE_SHIFT * self.width
        return all(abs(a - b) <= nearest for a, b in zip(tile, other, strict=True))


FindGrid = Callable[[ImageBGR], CallGrid | None]
"""Reads the grid of one frame (``monitor.seating.call_grid_detection.find_grid``); None where it shows none."""

ShowsGrid = Callable[[ImageBGR, CallGrid], bool]
"""Whether a frame shows a known grid (``monitor.seating.call_grid_detection.shows_grid``)."""


class CallGridConfirmation:
    """Whether the frames of a source are a call, and the grid that was confirmed last.

    ``find_grid`` reads the grid of a frame; where it finds none, ``shows_grid`` tells whether the confirmed
    one is there all the same. With ``FrameKind.CALL`` the frames are taken to be a call from the
    first sample on; with ``ROOM`` never.
    ``is_video`` is False where samples are single pictures of any distance in time. Memory: two grids.
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
        """Whether the frames are taken to be a call at present."""
        return self._kind is FrameKind.CALL or self.confirmed is not None

    @property
    def is_in_place(self) -> bool:
        """Whether the latest sample shows the confirmed grid, so that no tile is moving."""
        return (
            self.current is not None and self.confirmed is not None and self.current.is_same(self.confirmed)
        )

    @property
    def is_rearranged(self) -> bool:
        """Whether the latest sample shows a grid whose tiles are not those of the confirmed one."""
        return (
            self.current is not None
            and self.confirmed is not None
            and not self.current.is_same(self.confirmed)
        )

    def update(self, image_bgr: ImageBGR, faces_xyxy: Sequence[Box], media_s: float) -> bool:
        """Read the grid of one sample at ``media_s`` seconds, given its faces in pixels of the frame.

        Returns whether the stream began anew: at the first sample, after a change of the frame's size and
        after a gap; what was confirmed before is forgotten then.
        """
        gap_s = 0.0 if self._now_s is None else media_s - self._now_s
        begins = self._shape != image_bgr.shape or (self._is_video and gap_s > GAP_S)
        self._shape, self._now_s = image_bgr.shape, media_s
        if begins:
            self._restart()
        if self._kind is FrameKind.ROOM or self._find_grid is None:
            return begins
        if self._is_idle():
            return begins
        self.current = self._find_grid(image_bgr)
        self._idle = 0
        if self.current is None and self.confirmed is not None and self._shows_grid is not None:
            self.current = self.confirmed if self._shows_grid(image_bgr, self.confirmed) else self.current
        if self.current is not None:
            self._count_sample(self.current, faces_xyxy, media_s)
        elif self._candidate is not None and media_s - self._last_read_s > UNREADABLE_S:
            self._candidate = None
        if self.confirmed is not None and media_s - self._confirmed_s > LOST_S:
            self.confirmed = None
        return begins

    def _is_idle(self) -> bool:
        """Whether this sample need not be searched: no grid was in sight in the last one that was."""
        is_in_sight = self.current is not None or self._candidate is not None or self.confirmed is not None
        if self._kind is FrameKind.CALL or not self._is_video or is_in_sight or self._idle is None:
            return False
        self._idle += 1
        return self._idle < IDLE_SAMPLES

    def accept_current(self) -> None:
        """Take the grid of the latest sample for the confirmed one: its tiles were found again."""
        if self.current is not None:
            self.confirmed = self._candidate = self.current
            self._confirmed_s = self._last_read_s

    def _count_sample(self, grid: CallGrid, faces_xyxy: Sequence[Box], media_s: float) -> None:
        """Count the sample for the grid that it shows."""
        if self._candidate is None or not grid.is_same(self._candidate):
            self._candidate, self._since_s, self._samples = None, media_s, 0
        if not grid.matches_faces(faces_xyxy) and len(faces_xyxy) >= MIN_FACES:
            # Faces across the borders: what looks like a grid is part of a room.
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
        """Whether the grid that is being confirmed has stood for long enough. In what is known to be a call,
        the first grid needs no confirmation."""
        if self._kind is FrameKind.CALL and self.confirmed is None:
            return True
        return media_s - self._since_s >= CONFIRM_S and self._samples >= CONFIRM_SAMPLES


def _contained_share(box_xyxy: Box, tile: Box) -> float:
    """The share of a box that lies in a tile."""
    across = min(box_xyxy[2], tile[2]) - max(box_xyxy[0], tile[0])
    down = min(box_xyxy[3], tile[3]) - max(box_xyxy[1], tile[1])
    area = (box_xyxy[2] - box_xyxy[0]) * (box_xyxy[3] - box_xyxy[1])
    return max(0.0, across) * max(0.0, down) / max(area, 1e-6)
