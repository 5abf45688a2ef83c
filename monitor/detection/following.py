"""Between two looks at the whole frame, faces are looked for where they were.

A full look costs tens of cuttings and a class sits still: most of the time the faces are where they
were half a second ago, which one cutting each can tell. The whole frame is looked at again every few
samples, and at once when a face is not where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.detection.candidates import Candidates, join
from monitor.detection.merging import SAME_FACE_IOU, merge, overlaps
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
        self._known = join([])
        self._missed: list[_Missed] = []

    def found(self, image_bgr: ImageBGR) -> Candidates:
        """The faces of the next sample."""
        followed = self._followed(image_bgr) if self._may_follow(image_bgr) else None
        if followed is None:
            found, self._since = self._full_look(image_bgr), 1
        else:
            found, self._since = followed, self._since + 1
        self._miss(found)
        self._known, self._size = found, image_bgr.shape
        return found

    def _may_follow(self, image_bgr: ImageBGR) -> bool:
        return 0 < self._since < self._every and image_bgr.shape == self._size

    def _followed(self, image_bgr: ImageBGR) -> Candidates | None:
        """The known faces where they are now, and lost ones that are back; None if one has gone."""
        here = []
        for index in range(len(self._known)):
            again = self._again(image_bgr, self._known.pick(np.array([index])))
            if not len(again):
                return None
            here.append(again)
        back = [self._again(image_bgr, missed.face) for missed in self._missed]
        together = merge(join(here))
        # Two that have become one were two people: only a full look can tell which is left.
        return merge(join([together, *back])) if len(together) == len(here) else None

    def _miss(self, found: Candidates) -> None:
        """Remember who was known and is not found."""
        lost = [_Missed(self._known.pick(np.array([index])), 0) for index in range(len(self._known))]
        waiting = [_Missed(missed.face, missed.samples + 1) for missed in self._missed]
        self._missed = [
            missed
            for missed in lost + waiting
            if missed.samples < MISSED_LOOKS and not _is_among(missed.face, found)
        ]


def _is_among(one: Candidates, found: Candidates) -> bool:
    iou, _, _ = overlaps(one.boxes_xyxy[0], found.boxes_xyxy)
    return bool((iou >= SAME_FACE_IOU).any())
