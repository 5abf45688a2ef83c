"""What a session has to write at one moment, and what becomes of two when the first had to wait. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from db.records import GapRecord, SessionProgress, TimelineBin, TrackRecord
from db.small_faces import SmallFaces
from monitor.geometry import Seat
from monitor.types import SeatOwner

WHOLE_CLASS = -1
"""Stands for the whole class where a student's number would be, in ``mode: aggregate``."""


@dataclass(frozen=True)
class WriteBatch:
    """Everything new since the batch before, and how things stand; never changed once it is made.

    ``bins`` are by (student's number within the session or ``WHOLE_CLASS``, start in seconds), ``tracks`` by their
    number, ``gaps`` by their start. ``notes`` are (media seconds, text). ``seats``, ``owners`` (by the
    student's number), ``frame_size`` (width, height; pixels) and ``progress`` are those of the moment.
    ``erased_students`` are the numbers of all of whom nothing may be kept any more. ``small_faces`` is the result of
    the search for missed faces, None where there is no new one.
    """

    progress: SessionProgress
    bins: Mapping[tuple[int, float], TimelineBin]
    tracks: Mapping[int, TrackRecord]
    notes: tuple[tuple[float, str], ...] = ()
    gaps: Mapping[float, GapRecord] | None = None
    seats: tuple[Seat, ...] = ()
    owners: Mapping[int, SeatOwner] | None = None
    frame_size: tuple[int, int] = (0, 0)
    erased_students: frozenset[int] = frozenset()
    small_faces: SmallFaces | None = None

    def merge(self, newer: WriteBatch) -> WriteBatch:
        """This batch and a newer one in one.

        What the newer one has of the same bin, track or gap replaces what was here, so what waits grows
        by what the lecture holds and not by how often it was handed over.
        """
        return WriteBatch(
            progress=newer.progress,
            bins={**self.bins, **newer.bins},
            tracks={**self.tracks, **newer.tracks},
            notes=self.notes + newer.notes,
            gaps={**(self.gaps or {}), **(newer.gaps or {})},
            seats=newer.seats,
            owners=newer.owners,
            frame_size=newer.frame_size,
            erased_students=self.erased_students | newer.erased_students,
            small_faces=newer.small_faces or self.small_faces,
        )
