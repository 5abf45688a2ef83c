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

MESH_FITS, RECENT = 3, 10
"""The mesh must fit in so many of the last so many samples in which the face was seen. On objects that the
detector takes for faces now and then it fits in some samples too: of 36 drawn ones it fits at least twice on
14, in three samples of ten on 7; of 57 people of the simulated hall and the clips the rule costs none. Chosen
on these (``monitor.detection.verification`` names them). A session of fewer samples than ``RECENT`` verifies no
face."""


@dataclass(frozen=True)
class Evidence:
    """What one sample says of the face of track ``track_id``; None where a check was not made."""

    track_id: int
    mesh_fits: bool | None
    confirmed: bool | None


class TrackVerification:
    """Keeps which live tracks are verified. Memory: ten booleans per live track."""

    def __init__(self) -> None:
        self._fits: dict[int, deque[bool]] = {}
        self._verified: set[int] = set()

    def update(self, evidence: Iterable[Evidence], live: set[int]) -> None:
        """Take the faces of one sample; ``live`` are all tracks there are."""
        self._verified &= live
        self._fits = {number: fits for number, fits in self._fits.items() if number in live}
        for one in evidence:
            fits = self._fits.setdefault(one.track_id, deque(maxlen=RECENT))
            fits.append(one.mesh_fits is True)
            # A reader without a mesh has no objection to any face.
            if one.mesh_fits is None or one.confirmed or sum(fits) >= MESH_FITS:
                self._verified.add(one.track_id)

    def continue_as(self, before: int, number: int) -> None:
        """The face that was followed as track ``before`` is followed as ``number`` from now on."""
        if before in self._fits:
            self._fits[number] = self._fits.pop(before)
        if before in self._verified:
            self._verified.add(number)

    @property
    def unverified(self) -> set[int]:
        """The live tracks that have been seen and are not verified."""
        return set(self._fits) - self._verified

    @property
    def rejected(self) -> set[int]:
        """Those of them that were seen in ``RECENT`` samples or more: they had their chance."""
        return {number for number in self.unverified if len(self._fits[number]) == RECENT}
