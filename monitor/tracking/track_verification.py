"""Track verification: a track becomes a student only if its face was verified. Pure.

A detector keeps a known face on little evidence, so an object that resembled a face once can be tracked for a
whole lesson. Two independent checks decide: the face mesh fits (``HeadEstimate.mesh_fits``), or the
detector's own verification (``Face.verified``). Once verified, a track stays so; heads bow and turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

MIN_MESH_FITS, WINDOW_SAMPLES = 3, 10
"""The mesh must fit in ``MIN_MESH_FITS`` of the last ``WINDOW_SAMPLES`` frames with the face. It fits some
objects now and then: of 36 drawn ones 14 at least twice, 7 in three frames of ten; of 57 people of the
simulated hall and the clips the rule loses none. Chosen on these (``monitor.detection.verification``).
Sessions of fewer than ``WINDOW_SAMPLES`` frames do not verify faces."""


@dataclass(frozen=True)
class FaceEvidence:
    """The checks of the face of a track in one frame; None for a check that was not made."""

    track_id: int
    mesh_fits: bool | None
    detector_verified: bool | None


class TrackVerifier:
    """Keeps which live tracks are verified. Memory: ten booleans per track."""

    def __init__(self) -> None:
        self._mesh_fits: dict[int, deque[bool]] = {}
        self._verified: set[int] = set()

    def update(self, evidence: Iterable[FaceEvidence], live_track_ids: set[int]) -> None:
        """Take the faces of one frame; ``live_track_ids`` are all tracks."""
        self._verified &= live_track_ids
        self._mesh_fits = {
            track_id: fits for track_id, fits in self._mesh_fits.items() if track_id in live_track_ids
        }
        for face in evidence:
            fits = self._mesh_fits.setdefault(face.track_id, deque(maxlen=WINDOW_SAMPLES))
            fits.append(face.mesh_fits is True)
            # Without a mesh network every face counts as verified.
            if face.mesh_fits is None or face.detector_verified or sum(fits) >= MIN_MESH_FITS:
                self._verified.add(face.track_id)

    def continue_track(self, previous_track_id: int, track_id: int) -> None:
        """Move the evidence of a track to the track that continues it."""
        if previous_track_id in self._mesh_fits:
            self._mesh_fits[track_id] = self._mesh_fits.pop(previous_track_id)
        if previous_track_id in self._verified:
            self._verified.add(track_id)

    @property
    def unverified(self) -> set[int]:
        """The live tracks that are not verified."""
        return set(self._mesh_fits) - self._verified

    @property
    def rejected(self) -> set[int]:
        """The unverified tracks with evidence of ``WINDOW_SAMPLES`` frames or more."""
        return {track_id for track_id in self.unverified if len(self._mesh_fits[track_id]) == WINDOW_SAMPLES}
