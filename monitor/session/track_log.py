"""The tracks of students, for the database. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from monitor.seating.assigner import Reidentification
from monitor.types import AssignmentBasis, Track, TrackAssignment


class TrackLog:
    """Collects the tracks of students that have changed since the last commit."""

    def __init__(self) -> None:
        self._changed: dict[int, TrackAssignment] = {}
        self._basis_of: dict[int, AssignmentBasis] = {}

    def record(
        self,
        tracks: Sequence[Track],
        students: Mapping[int, int],
        reidentifications: Iterable[Reidentification],
    ) -> None:
        """Record those of the live ``tracks`` that ``{track: student}`` assigns."""
        self._basis_of |= {event.track_id: event.basis for event in reidentifications}
        live = {track.track_id for track in tracks}
        self._basis_of = {track_id: basis for track_id, basis in self._basis_of.items() if track_id in live}
        for track in tracks:
            if track.track_id in students:
                self._changed[track.track_id] = TrackAssignment(
                    students[track.track_id], replace(track, face=None), self._basis_of.get(track.track_id)
                )

    def pop_changed(self) -> list[TrackAssignment]:
        """The tracks recorded since the last call, each once in its latest state."""
        changed, self._changed = list(self._changed.values()), {}
        return changed
