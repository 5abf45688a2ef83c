"""Between two looks at the whole frame, faces are looked for where they were.

A full look costs tens of cuttings and a class sits still: most of the time the faces are where they
were half a second ago, which one cutting each can tell. The whole frame is looked at again every few
samples, and at once when a face is not where it was. A face that the detector does not see, and that
still looks as it did (``patches``), has not gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.detection.candidates import Candidates, join
from monitor.detection.merging import SAME_FACE_IOU, merge, overlaps
from monitor.detection.patches import Patch, find, remember
from monitor.domain import ImageBGR

MISSED_LOOKS = 20
"""For so many samples a face that was lost is looked for at its place in each of them (ten seconds at
two a second): one that flickers, being small or bowed, must not wait for the next full look."""

LookAgain = Callable[[ImageBGR, Candidates], Candidates]
"""Looks for one known face near its place; none or one."""


@dataclass(frozen=True)
class _Missed:
    """A face that was lost, and for how many samples."""

    face: Candidates
    samples: int


class Following:
    """Decides when to look everywhere. ``every`` samples the whole frame is looked at; 1 is always."""

    def __init__(self, full_look: Callable[[ImageBGR], Candidates], again: LookAgain, every: int) -> None:
        self._full_look = full_look
        self._again = again
        self._every = every
        self._size: tuple[int, ...] = ()
        self._since = 0
        self._known: list[Patch] = []
        self._missed: list[_Missed] = []

    def found(self, image_bgr: ImageBGR) -> Candidates:
        """The faces of the next sample, best first."""
        if image_bgr.shape != self._size:
            self._known, self._size, self._since = [], image_bgr.shape, 0
        followed = self._followed(image_bgr) if 0 < self._since < self._every else None
        if followed is None:
            self._since = 1
            followed = self._kept(image_bgr, self._full_look(image_bgr))
        else:
            self._since += 1
        followed.sort(key=lambda patch: -float(patch.face.scores[0]))
        found = join([patch.face for patch in followed])
        self._miss(found)
        self._known = followed
        return found

    def _followed(self, image_bgr: ImageBGR) -> list[Patch] | None:
        """The known faces where they are now, and lost ones that are back; None if one has gone."""
        here = []
        for patch in self._known:
            again = self._again(image_bgr, patch.face)
            now = remember(image_bgr, again, patch.seen + 1) if len(again) else find(image_bgr, patch)
            if now is None:
                return None
            here.append(now)
        # Two that have become one were two people: only a full look can tell which is left.
        if len(merge(join([patch.face for patch in here]))) < len(here):
            return None
        back = [self._again(image_bgr, missed.face) for missed in self._missed]
        return here + self._new(image_bgr, join(back), here)

    def _kept(self, image_bgr: ImageBGR, seen: Candidates) -> list[Patch]:
        """What a full look has seen, and the known faces that it missed though they have not changed."""
        here = self._new(image_bgr, seen, [])
        for patch in self._known:
            now = find(image_bgr, patch)
            if now is not None and not _is_among(now.face, join([one.face for one in here])):
                here.append(now)
        return here

    def _new(self, image_bgr: ImageBGR, seen: Candidates, here: list[Patch]) -> list[Patch]:
        """Patches of those of ``seen`` that are not among ``here``."""
        faces, known = merge(seen), join([patch.face for patch in here])
        each = [faces.pick(np.array([index])) for index in range(len(faces))]
        return [
            remember(image_bgr, face, self._seen_before(face) + 1)
            for face in each
            if not _is_among(face, known)
        ]

    def _seen_before(self, face: Candidates) -> int:
        """How often the detector had seen a face at this place before."""
        same = [patch.seen for patch in self._known if _is_among(patch.face, face)]
        return max(same, default=0)

    def _miss(self, found: Candidates) -> None:
        """Remember who was known and is not found."""
        lost = [_Missed(patch.face, 0) for patch in self._known]
        waiting = [_Missed(missed.face, missed.samples + 1) for missed in self._missed]
        self._missed = [
            missed
            for missed in lost + waiting
            if missed.samples < MISSED_LOOKS and not _is_among(missed.face, found)
        ]


def _is_among(one: Candidates, found: Candidates) -> bool:
    iou, _, _ = overlaps(one.boxes_xyxy[0], found.boxes_xyxy)
    return bool((iou >= SAME_FACE_IOU).any())
