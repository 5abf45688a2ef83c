"""Online lessons: the face on a tile (``monitor.sources.participant_grid``) is the participant of that tile.

Neither faces nor appearance are compared. Only the largest face of a tile is analysed: people in the
background have not consented.
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from monitor.detection.base import Detector
from monitor.geometry import Seat
from monitor.seating.assigner import SeatAssigner
from monitor.seating.seat_plan import SeatOwnerResolver
from monitor.sources.participant_grid import ParticipantList, TileGrid
from monitor.tracking.tracker import Tracker, TrackingSettings
from monitor.types import Box, Face, ImageBGR, SeatOwner, Track

_BOX_HISTORY = 60


class LargestFacePerTile:
    """A detector of at most one face per tile. ``on_faces`` gets the boxes of each frame, in pixels of their
    tiles."""

    def __init__(
        self,
        detector: Detector,
        grid: TileGrid,
        on_faces: Callable[[Mapping[int, Box]], None] = lambda _: None,
    ) -> None:
        self.version = detector.version
        self._detector = detector
        self._grid = grid
        self._on_faces = on_faces

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """The largest face of each tile; none outside of tiles."""
        largest: dict[int, Face] = {}
        for face in self._detector.detect(image_bgr):
            tile = self._grid.tile_of(face.box_xyxy)
            if tile is not None and (tile not in largest or face.size_px > largest[tile].size_px):
                largest[tile] = face
        corners = {tile: self._grid.corner(tile) for tile in largest}
        self._on_faces(
            {tile: _relative_to_tile(face.box_xyxy, corners[tile]) for tile, face in largest.items()}
        )
        return list(largest.values())


def _relative_to_tile(box_xyxy: Box, corner: tuple[int, int]) -> Box:
    (x1, y1, x2, y2), (x, y) = box_xyxy, corner
    return x1 - x, y1 - y, x2 - x, y2 - y


class TileTracker(Tracker):
    """A tracker per tile, so that no track moves from one tile to another."""

    def __init__(self, grid: TileGrid, settings: TrackingSettings | None = None) -> None:
        super().__init__(settings)
        self._grid = grid
        self._numbers = itertools.count(1)
        self._tracker_of_tile: dict[int, _SharedIdTracker] = {}

    def update(self, faces: Sequence[Face], media_s: float) -> list[Track]:
        """As ``Tracker.update``; faces outside of tiles are ignored."""
        by_tile: dict[int, list[Face]] = defaultdict(list)
        for face in faces:
            tile = self._grid.tile_of(face.box_xyxy)
            if tile is not None:
                by_tile[tile].append(face)
        for tile in by_tile.keys() - self._tracker_of_tile.keys():
            self._tracker_of_tile[tile] = _SharedIdTracker(self._settings, self._numbers)
        for tile, tracker in self._tracker_of_tile.items():
            tracker.update(by_tile[tile], media_s)
        return self.tracks

    @property
    def tracks(self) -> list[Track]:
        """All live tracks as of the last frame."""
        tracks = [track for tracker in self._tracker_of_tile.values() for track in tracker.tracks]
        return sorted(tracks, key=lambda track: track.track_id)


class _SharedIdTracker(Tracker):
    """A tracker that takes its IDs from a shared counter."""

    def __init__(self, settings: TrackingSettings, numbers: Iterator[int]) -> None:
        super().__init__(settings)
        self._numbers = numbers

    def _new_id(self) -> int:
        return next(self._numbers)


class TileAssigner(SeatAssigner):
    """Assigns each track to the student of its tile."""

    def __init__(self, grid: TileGrid, *, min_hits: int = 3) -> None:
        super().__init__(min_hits=min_hits)
        self._grid = grid
        self._student_of_tile: dict[int, int] = {}

    def update(
        self,
        tracks: Sequence[Track],
        descriptors: Mapping[int, NDArray[np.float32]] | None = None,
        background: Mapping[int, NDArray[np.float32]] | None = None,
        pending: Set[int] = frozenset(),
        reidentified: Mapping[int, int] | None = None,
    ) -> dict[int, int]:
        """As ``SeatAssigner.update``; only ``tracks`` and ``pending`` are used."""
        visible = [t for t in tracks if t.face is not None and t.hits >= self._min_hits]
        students: dict[int, int] = {}
        for track in visible:
            student = self._student_for(track, may_be_new=track.track_id not in pending)
            if student is not None and student not in students.values():
                students[track.track_id] = student
                self._boxes[student].append(track.box_xyxy)
        self._student_of = {t.track_id: s for t in tracks if (s := self._known_student(t)) is not None}
        return students

    def assign_late(
        self, tracks: Sequence[Track], seen_times_s: Mapping[int, Sequence[float]] | None = None
    ) -> dict[int, int]:
        """As ``SeatAssigner.assign_late``; the tile alone decides."""
        del seen_times_s
        students: dict[int, int] = {}
        for track in tracks:
            if track.hits >= self._min_hits and track.track_id not in self._student_of:
                student = self._student_for(track, may_be_new=True)
                if student is not None:
                    students[track.track_id] = student
                    self._boxes[student].append(track.box_xyxy)
        return students

    def observed_students(self, active_tiles: frozenset[int] | None) -> frozenset[int] | None:
        """The known students of the active tiles."""
        if active_tiles is None:
            return None
        return frozenset(student for tile, student in self._student_of_tile.items() if tile in active_tiles)

    def _known_student(self, track: Track) -> int | None:
        tile = self._grid.tile_of(track.box_xyxy)
        return None if tile is None else self._student_of_tile.get(tile)

    def _student_for(self, track: Track, *, may_be_new: bool) -> int | None:
        tile = self._grid.tile_of(track.box_xyxy)
        if tile is None or (tile not in self._student_of_tile and not may_be_new):
            return None
        if tile not in self._student_of_tile:
            self._student_of_tile[tile] = len(self._boxes)
            self._boxes.append(deque(maxlen=_BOX_HISTORY))
        return self._student_of_tile[tile]


class TileOwnerResolver(SeatOwnerResolver):
    """Resolves students to participants by their tiles; ``participants`` returns the latest list."""

    def __init__(self, grid: TileGrid, participants: Callable[[], ParticipantList]) -> None:
        super().__init__((), {})
        self._grid = grid
        self._participants = participants

    def update(self, seats: Sequence[Seat], *, is_final: bool = False) -> dict[int, SeatOwner]:
        """The owners by student number; participants are certain from the first frame."""
        by_tile = {participant.tile: participant for participant in self._participants().participants}
        owners = {seat.student: by_tile.get(self._tile(seat)) for seat in seats}
        return {
            student: SeatOwner(owner.student_id, owner.pseudonym)
            for student, owner in owners.items()
            if owner is not None
        }

    def erased_students(self, seats: Sequence[Seat]) -> frozenset[int]:
        """The students whose tiles have no participant, because consent was withdrawn or no student
        has joined."""
        tiles = {participant.tile for participant in self._participants().participants}
        return frozenset(seat.student for seat in seats if self._tile(seat) not in tiles)

    def _tile(self, seat: Seat) -> int:
        tile = self._grid.tile_of(seat.box_xyxy)
        return -1 if tile is None else tile
