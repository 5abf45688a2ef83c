"""Readings of tracks that are not assigned to a student yet. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.faces.expression import FaceAttributes
from monitor.faces.eye_closure import EyeClosureEstimator
from monitor.types import Observation, Track

MAX_PENDING_S = 30.0
"""Readings of a track that is not assigned are dropped after this time, seconds: longer than people sit quite
still (``monitor.tracking.liveness.STATIC_AFTER_S``)."""


class PendingReadings:
    """Keeps the readings of each track until its student is known. Memory: ``MAX_PENDING_S`` of readings."""

    def __init__(self) -> None:
        self._readings: dict[int, list[FaceAttributes]] = {}
        self._eye_closure = EyeClosureEstimator()

    def __contains__(self, track_id: int) -> bool:
        return track_id in self._readings

    def add(self, track_id: int, reading: FaceAttributes) -> None:
        """Add the reading of a track, in order of time."""
        self._readings.setdefault(track_id, []).append(reading)

    def times_s(self, track_id: int) -> list[float]:
        """The times of the readings of a track, seconds."""
        return [reading.media_s for reading in self._readings.get(track_id, ())]

    def continue_tracks(self, tracks: Iterable[Track]) -> list[tuple[int, int]]:
        """Move readings to the tracks that continue earlier tracks; returns the ``(previous, new)`` IDs for
        which there were readings."""
        continued: list[tuple[int, int]] = []
        for track in tracks:
            if track.previous_track_id is not None and track.previous_track_id in self._readings:
                self._readings[track.track_id] = self._readings.pop(track.previous_track_id)
                continued.append((track.previous_track_id, track.track_id))
        return continued

    def pop_observations(self, students: Mapping[int, int]) -> list[Observation]:
        """Remove the readings of the tracks of ``{track: student}`` and return them as observations."""
        return [
            reading.to_observation(student, self._eye_closure)
            for track_id, student in students.items()
            for reading in self._readings.pop(track_id, [])
        ]

    def drop_expired(self, media_s: float) -> None:
        """Drop readings older than ``MAX_PENDING_S`` at ``media_s`` seconds."""
        for track_id, readings in list(self._readings.items()):
            recent = [reading for reading in readings if media_s - reading.media_s <= MAX_PENDING_S]
            if recent:
                self._readings[track_id] = recent
            else:
                del self._readings[track_id]
