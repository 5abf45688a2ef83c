"""Track verification: a track is a student only if its face was verified as one. Pure.

A detector keeps a face that it knows on little evidence, so an object that looked like a face once can be
followed for a whole lesson. Two checks that are independent of that decide: the face mesh fits the face
(``HeadReading.mesh_fits``), or the detector's own verification confirms it (``Face.confirmed``: its second
network agrees, or its first is sure in repeated passes). Once verified, a track stays so; heads bow and turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MESH_FITS = 2
"""Samples in which the mesh must fit: a single fit on an object is frequent. Chosen with the thresholds in
``monitor.detection.beliefs``."""


@dataclass(frozen=True)
class Evidence:
    """What one sample says of the face of track ``track_id``; None where a check was not made."""

    track_id: int
    mesh_fits: bool | None
    confirmed: bool | None


class TrackVerification:
    """Keeps which live tracks are verified. Memory: one number per live track."""

    def __init__(self) -> None:
        self._fits: dict[int, int] = {}
        self._verified: set[int] = set()

    def update(self, evidence: Iterable[Evidence], live: set[int]) -> None:
        """Take the faces of one sample; ``live`` are all tracks there are."""
        self._verified &= live
        self._fits = {number: fits for number, fits in self._fits.items() if number in live}
        for one in evidence:
            fits = self._fits.get(one.track_id, 0) + (one.mesh_fits is True)
            self._fits[one.track_id] = fits
            # A reader without a mesh has no objection to any face.
            if one.mesh_fits is None or one.confirmed or fits >= MESH_FITS:
                self._verified.add(one.track_id)

    def continue_as(self, before: int, number: int) -> None:
        """The face that was followed as track ``before`` is followed as ``number`` from now on."""
        self._fits[number] = self._fits.get(number, 0) + self._fits.pop(before, 0)
        if before in self._verified or self._fits[number] >= MESH_FITS:
            self._verified.add(number)

    @property
    def unverified(self) -> set[int]:
        """The live tracks that have been seen and are not verified."""
        return set(self._fits) - self._verified
