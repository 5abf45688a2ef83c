"""Track verification: a track is a student only if its face was verified as one. Pure.

A detector keeps a face that it knows on little evidence, so an object that looked like a face once can be
followed for a whole lesson. Two checks that are independent of that decide: the face mesh fits the face
(``HeadReading.mesh_fits``), or the detector's own verification confirms it (``Face.confirmed``: its second
network agrees, or its first is sure in repeated passes). Once verified, a track stays so; heads bow and turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

MIN_MESH_FITS, WINDOW_SAMPLES = 3, 10
"""The mesh must fit in so many of the last so many samples in which the face was seen. On objects that the
detector takes for faces now and then it fits in some samples too: of 36 drawn ones it fits at least twice on
14, in three samples of ten on 7; of 57 people of the simulated hall and the clips the rule costs none. Chosen
on these (``monitor.detection.verification`` names them). A session of fewer samples than ``WINDOW_SAMPLES`` verifies no
face."""


@dataclass(frozen=True)
class FaceEvidence:
    """What one sample says of the face of track ``track_id``; None where a check was not made."""

    track_id: int
    mesh_fits: bool | None
    detector_verified: bool | None


class TrackVerifier:
    """Keeps which live tracks are verified. Memory: ten booleans per live track."""

    def __init__(self) -> None:
        self._mesh_fits: dict[int, deque[bool]] = {}
        self._verified: set[int] = set()

    def update(self, evidence: Iterable[FaceEvidence], live_track_ids: set[int]) -> None:
        """Take the faces of one sample; ``live_track_ids`` are all tracks there are."""
        self._verified &= live_track_ids
        self._mesh_fits = {
            number: fits for number, fits in self._mesh_fits.items() if number in live_track_ids
        }
        for one in evidence:
            fits = self._mesh_fits.setdefault(one.track_id, deque(maxlen=WINDOW_SAMPLES))
            fits.append(one.mesh_fits is True)
            # A reader without a mesh has no objection to any face.
            if one.mesh_fits is None or one.detector_verified or sum(fits) >= MIN_MESH_FITS:
                self._verified.add(one.track_id)

    def continue_track(self, previous_track_id: int, track_id: int) -> None:
        """The face that was followed as track ``previous_track_id`` is followed as ``track_id`` from now on."""
        if previous_track_id in self._mesh_fits:
            self._mesh_fits[track_id] = self._mesh_fits.pop(previous_track_id)
        if previous_track_id in self._verified:
            self._verified.add(track_id)

    @property
    def unverified(self) -> set[int]:
        """The live tracks that have been seen and are not verified."""
        return set(self._mesh_fits) - self._verified

    @property
    def rejected(self) -> set[int]:
        """Those of them that were seen in ``WINDOW_SAMPLES`` samples or more: they had their chance."""
        return {number for number in self.unverified if len(self._mesh_fits[number]) == WINDOW_SAMPLES}
