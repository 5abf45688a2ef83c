"""Who is who in a gallery (``monitor.sources.participant_grid``): whoever is seen on a place is the student of that place.

Nothing is compared, neither faces nor clothes; a student who comes back in a jacket is the same student. One
face a place is looked at, the largest: somebody in the background has agreed to nothing.
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from monitor.detection.base import Detector
from monitor.geometry import Seat
from monitor.seating.assigner import Seating
from monitor.seating.seat_plan import Attribution
from monitor.sources.participant_grid import Attendance, Gallery
from monitor.tracking.tracker import Tracker, TrackingSettings
from monitor.types import Box, Face, ImageBGR, Owner, Track

_BOXES_REMEMBERED = 60


class OneFaceATile:
    """A detector that finds at most one face on each place. ``tell`` is told of each picture where, in pixels
    of the place."""

    def __init__(
        self,
        detector: Detector,
        gallery: Gallery,
        tell: Callable[[Mapping[int, Box]], None] = lambda _: None,
    ) -> None:
        self.version = detector.version
        self._detector = detector
        self._gallery = gallery
        self._tell = tell

    def detect(self, image_bgr: ImageBGR) -> list[Face]:
        """The largest face of each place; none beside them."""
        largest: dict[int, Face] = {}
        for face in self._detector.detect(image_bgr):
            tile = self._gallery.tile_of(face.box_xyxy)
            if tile is not None and (tile not in largest or face.size_px > largest[tile].size_px):
                largest[tile] = face
        corners = {tile: self._gallery.corner(tile) for tile in largest}
        self._tell({tile: _within(face.box_xyxy, corners[tile]) for tile, face in largest.items()})
        return list(largest.values())


def _within(box_xyxy: Box, corner: tuple[int, int]) -> Box:
    (x1, y1, x2, y2), (x, y) = box_xyxy, corner
    return x1 - x, y1 - y, x2 - x, y2 - y


class TileTracker(Tracker):
    """A tracker for each place, so that nobody is followed from one to the next."""

    def __init__(self, gallery: Gallery, settings: TrackingSettings | None = None) -> None:
        super().__init__(settings)
        self._gallery = gallery
        self._numbers = itertools.count(1)
        self._of_tile: dict[int, _Numbered] = {}

    def update(self, faces: Sequence[Face], media_s: float) -> list[Track]:
        """As ``Tracker.update``; faces beside all places are left out."""
        by_tile: dict[int, list[Face]] = defaultdict(list)
        for face in faces:
            tile = self._gallery.tile_of(face.box_xyxy)
            if tile is not None:
                by_tile[tile].append(face)
        for tile in by_tile.keys() - self._of_tile.keys():
            self._of_tile[tile] = _Numbered(self._settings, self._numbers)
        for tile, tracker in self._of_tile.items():
            tracker.update(by_tile[tile], media_s)
        return self.tracks

    @property
    def tracks(self) -> list[Track]:
        """Every live track as of the last sample."""
        tracks = [track for tracker in self._of_tile.values() for track in tracker.tracks]
        return sorted(tracks, key=lambda track: track.track_id)


class _Numbered(Tracker):
    """A tracker that shares its numbers with others."""

    def __init__(self, settings: TrackingSettings, numbers: Iterator[int]) -> None:
        super().__init__(settings)
        self._numbers = numbers

    def _new_id(self) -> int:
        return next(self._numbers)


class TileSeating(Seating):
    """Gives each track the student of its place."""

    def __init__(self, gallery: Gallery, *, confirm_hits: int = 3) -> None:
        super().__init__(confirm_hits=confirm_hits)
        self._gallery = gallery
        self._of_tile: dict[int, int] = {}

    def update(
        self,
        tracks: Sequence[Track],
        colours: Mapping[int, NDArray[np.float32]] | None = None,
        bare: Mapping[int, NDArray[np.float32]] | None = None,
        waiting: Set[int] = frozenset(),
        recognised: Mapping[int, int] | None = None,
    ) -> dict[int, int]:
        """As ``Seating.update``; what anybody wears is not looked at."""
        seen = [t for t in tracks if t.face is not None and t.hits >= self._confirm_hits]
        students: dict[int, int] = {}
        for track in seen:
            student = self._student(track, may_be_new=track.track_id not in waiting)
            if student is not None and student not in students.values():
                students[track.track_id] = student
                self._boxes[student].append(track.box_xyxy)
        self._student_of = {t.track_id: s for t in tracks if (s := self._known(t)) is not None}
        return students

    def admit(
        self, tracks: Sequence[Track], seen_s: Mapping[int, Sequence[float]] | None = None
    ) -> dict[int, int]:
        """As ``Seating.admit``; the place alone decides."""
        del seen_s
        students: dict[int, int] = {}
        for track in tracks:
            if track.hits >= self._confirm_hits and track.track_id not in self._student_of:
                student = self._student(track, may_be_new=True)
                if student is not None:
                    students[track.track_id] = student
                    self._boxes[student].append(track.box_xyxy)
        return students

    def watched(self, shown: frozenset[int] | None) -> frozenset[int] | None:
        """The known students on the places that show somebody."""
        if shown is None:
            return None
        return frozenset(student for tile, student in self._of_tile.items() if tile in shown)

    def _known(self, track: Track) -> int | None:
        tile = self._gallery.tile_of(track.box_xyxy)
        return None if tile is None else self._of_tile.get(tile)

    def _student(self, track: Track, *, may_be_new: bool) -> int | None:
        tile = self._gallery.tile_of(track.box_xyxy)
        if tile is None or (tile not in self._of_tile and not may_be_new):
            return None
        if tile not in self._of_tile:
            self._of_tile[tile] = len(self._boxes)
            self._boxes.append(deque(maxlen=_BOXES_REMEMBERED))
        return self._of_tile[tile]


class TileAttribution(Attribution):
    """Says who the students are by their places; ``attendance`` gives who has joined so far."""

    def __init__(self, gallery: Gallery, attendance: Callable[[], Attendance]) -> None:
        super().__init__((), {})
        self._gallery = gallery
        self._attendance = attendance

    def update(self, seats: Sequence[Seat], *, last: bool = False) -> dict[int, Owner]:
        """Everybody who has joined is certain from the first moment."""
        places = {one.tile: one for one in self._attendance().here}
        own = {seat.student: places.get(self._tile(seat)) for seat in seats}
        return {n: Owner(one.student_id, one.pseudonym) for n, one in own.items() if one is not None}

    def erased(self, seats: Sequence[Seat]) -> frozenset[int]:
        """Those of whom nothing may be kept: who said so, and who is nobody that has joined."""
        places = {one.tile for one in self._attendance().here}
        return frozenset(seat.student for seat in seats if self._tile(seat) not in places)

    def _tile(self, seat: Seat) -> int:
        tile = self._gallery.tile_of(seat.box_xyxy)
        return -1 if tile is None else tile
