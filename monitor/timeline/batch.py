"""One batch of new entries of a session, and merging of batches that wait to be written. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from db.records import GapRecord, SessionProgress, TimelineBin, TrackRecord
from db.small_faces import SmallFaces
from monitor.geometry import Seat
from monitor.types import SeatOwner

WHOLE_CLASS = -1
"""The student number of the whole class, in ``mode: aggregate``."""


@dataclass(frozen=True)
class WriteBatch:
    """The new entries since the previous batch, and the current state; immutable.

    ``bins`` are by (number of the student within the session or ``WHOLE_CLASS``, start in seconds),
    ``tracks`` by their number, ``gaps`` by their start. ``notes`` are (media seconds, text). ``seats``,
    ``owners`` (by student number), ``frame_size`` (width, height; pixels) and ``progress`` are the current
    state. ``erased_students`` are the numbers of all students whose data must be erased. ``small_faces`` is a
    new result of the search for missed faces, None without one. The stored bins from ``rewritten_from_s``
    on, media seconds, are deleted before ``bins`` are written; None to delete none.
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
    rewritten_from_s: float | None = None

    def merge(self, newer: WriteBatch) -> WriteBatch:
        """This batch and a newer one as one batch.

        A bin, track or gap of the newer batch replaces the same one here, so the size of pending data
        depends on the length of the session, not on the number of batches.
        """
        from_s = newer.rewritten_from_s
        older = {key: bin_ for key, bin_ in self.bins.items() if from_s is None or key[1] < from_s}
        rewritten = [start_s for start_s in (self.rewritten_from_s, from_s) if start_s is not None]
        return WriteBatch(
            progress=newer.progress,
            bins={**older, **newer.bins},
            tracks={**self.tracks, **newer.tracks},
            notes=self.notes + newer.notes,
            gaps={**(self.gaps or {}), **(newer.gaps or {})},
            seats=newer.seats,
            owners=newer.owners,
            frame_size=newer.frame_size,
            erased_students=self.erased_students | newer.erased_students,
            small_faces=newer.small_faces or self.small_faces,
            rewritten_from_s=min(rewritten, default=None),
        )
