"""Things that looked like a face at first and like nothing on a second look, so that they are not asked
about again."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.detection.candidates import Candidates, join
from monitor.detection.merging import is_part_of
from monitor.detection.patches import UNCHANGED, Patch, find, remember
from monitor.domain import ImageBGR

HOPELESS = 0.15
"""A thing with a lower mean score was seen by hardly any second look. Others are asked about again: a small
face that is refused in one sample may be sure in the next. With 0.15 the same faces were found on a simulated
film as without any refusals, for 3.5 of 21 looks a sample less."""

REFUSED_SAMPLES = 24
"""For so long a thing that has not changed is not asked about, twelve seconds at two samples a second. Not
tuned."""


@dataclass(frozen=True)
class _Refusal:
    patch: Patch
    samples: int = 0


class Refusals:
    """What was refused in the last samples of one source."""

    def __init__(self) -> None:
        self._refused: list[_Refusal] = []

    def others(self, image_bgr: ImageBGR, seen: Candidates) -> Candidates:
        """Those of ``seen`` that were not refused lately, or have changed since. To be asked once a
        sample."""
        older = [_Refusal(one.patch, one.samples + 1) for one in self._refused]
        self._refused = [one for one in older if one.samples < REFUSED_SAMPLES and _is_there(image_bgr, one)]
        known = join([one.patch.face for one in self._refused])
        return join([face for face in seen.singly if not is_part_of(face, known)])

    def add(self, image_bgr: ImageBGR, refused: Candidates) -> None:
        """Remember what was refused, with mean scores, where there is no hope."""
        hopeless = refused.pick(refused.scores < HOPELESS)
        self._refused += [_Refusal(remember(image_bgr, face)) for face in hopeless.singly]


def _is_there(image_bgr: ImageBGR, refusal: _Refusal) -> bool:
    return find(image_bgr, refusal.patch)[1] >= UNCHANGED
