"""From sample to sample known faces are looked for where they were, and the rest of the frame bit by bit.

A look at the whole frame costs tens of cuttings and a class sits still: most of the time the faces are
where they were half a second ago. A face that looks as it did (``patches``) is not even looked at with the
detector, one that has changed with one cutting. The cuttings of the whole frame take turns, so that each
comes up every few samples and no sample costs much more than another; where something has changed, or a face
has gone, it is looked at at once.

A face that the detector does not see, and that still looks as it did, has not gone. Less is asked of a known
face than of a new one, so known faces are verified now and then as carefully as new ones, soon and often
while they are young (``beliefs``); a face that fails is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.detection.nms import Candidates, is_among, is_among_boxes, is_part_of, join
from monitor.detection.template_match import LEAST_ALIKE, UNCHANGED, Changes, Patch, find, remember
from monitor.detection.tiling import Cuttings
from monitor.detection.verification import Belief, Refusals
from monitor.types import ImageBGR

MOST_REST = 7
"""The detector is asked for a known face at least after so many samples without, however little it has
changed since it was asked last: four seconds at two a second."""

MISSED_SAMPLES = 20
"""For so many samples a face that was lost is looked for at its place (ten seconds at two a second): one that
flickers, being small or bowed, must not wait for its cutting's turn."""

EAGER_SAMPLES = 4
"""For so many in each of them in which its place looks as it did; then in every so-many-th."""

MOST_CHECKS = 3
"""Verification passes in one sample at most, those that have waited longest. A full hall that is seen for the
first time is verified within ten seconds; one of them costs as much as four known faces that have moved."""

STRAY_REACH = 3.0
"""How far a face may have got in one sample, in sides of its box: half a second at a walk."""


class Scanner(Protocol):
    """Looks at parts of a frame (``monitor.detection.tiling.Scan``)."""

    def cuttings(self, width: int, height: int) -> Cuttings:
        """The parts of frames of this size, which are then the ones looked at."""

    def candidates(self, image_bgr: ImageBGR, which: NDArray[np.intp]) -> Candidates:
        """What might be a face in these parts."""


class Judge(Protocol):
    """Tells faces from other things (``monitor.detection.verification.Confirmation``)."""

    def judged(self, image_bgr: ImageBGR, found: Candidates) -> tuple[Candidates, Candidates]:
        """Those that are faces, and the others, with their mean scores."""

    def seen_again(self, image_bgr: ImageBGR, one: Candidates, look: int | None = None) -> Candidates:
        """A known face near its place; none or one. ``look`` asks for one of the ways to look, for less
        work."""

    def score(self, image_bgr: ImageBGR, one: Candidates) -> float:
        """The score of a verification pass over a known face, 0..1."""

    def second_score(self, image_bgr: ImageBGR, one: Candidates) -> float:
        """The second network's score of a known face, 0..1."""


@dataclass(frozen=True)
class Found:
    """The faces of one sample, best first, and which of them are confirmed: ``(N,)`` bool."""

    faces: Candidates
    confirmed: NDArray[np.bool_]


@dataclass(frozen=True)
class _Known:
    """A known face, and for how many samples the detector has not been asked for it."""

    patch: Patch
    belief: Belief
    rested: int = 0

    @property
    def face(self) -> Candidates:
        """As last seen."""
        return self.patch.face

    def seen(self, image_bgr: ImageBGR, face: Candidates) -> _Known:
        """The same, seen by the detector now and, as far as it matters, in the samples that it was not
        asked."""
        return _Known(remember(image_bgr, face, self.patch.seen + self.rested + 1), self.belief)


@dataclass(frozen=True)
class _Missed:
    """A face that was lost, and for how many samples."""

    known: _Known
    samples: int = 0

    def is_due(self, image_bgr: ImageBGR) -> bool:
        """Whether it is looked for in this sample."""
        is_eager = self.samples < EAGER_SAMPLES and find(image_bgr, self.known.patch)[1] >= LEAST_ALIKE
        return is_eager or self.samples % EAGER_SAMPLES == 0


class Following:
    """Decides where to look. Every cutting comes up at least once in ``every`` samples; 1 is always."""

    def __init__(self, scan: Scanner, judge: Judge, every: int) -> None:
        self._scan = scan
        self._judge = judge
        self._every = every
        self._size: tuple[int, ...] = ()
        self._turn = 0
        self._known: list[_Known] = []
        self._missed: list[_Missed] = []

    def found(self, image_bgr: ImageBGR) -> Found:
        """The faces of the next sample, and which of them the verification passes have confirmed."""
        if image_bgr.shape != self._size:
            self._begin(image_bgr)
        here, gone = self._followed(image_bgr)
        here += self._back(image_bgr, here)
        here += self._arrived(image_bgr, self._due(image_bgr, gone), here)
        here = self._checked(image_bgr, here)
        here.sort(key=lambda known: -float(known.face.scores[0]))
        self._miss(gone, _faces(here))
        self._known = here
        return Found(_faces(here), np.array([known.belief.is_confirmed for known in here], np.bool_))

    def _begin(self, image_bgr: ImageBGR) -> None:
        height, width = image_bgr.shape[:2]
        self._size = image_bgr.shape
        self._cuttings = self._scan.cuttings(width, height)
        self._changes = Changes(self._cuttings.areas_xyxy, width)
        self._refusals = Refusals()
        self._turn, self._known, self._missed = 0, [], []

    def _followed(self, image_bgr: ImageBGR) -> tuple[list[_Known], list[_Known]]:
        """The known faces where they are now, and those that are gone."""
        here: list[_Known] = []
        gone: list[_Known] = []
        boxes = np.zeros((len(self._known), 4), np.float32)
        for known in self._known:
            now = self._again(image_bgr, known)
            # Two that have become one were two people: the better one is here, the other has gone somewhere.
            if now is None or is_among_boxes(now.face, boxes[: len(here)]):
                gone.append(known)
            else:
                boxes[len(here)] = now.face.boxes_xyxy[0]
                here.append(now)
        return here, gone

    def _again(self, image_bgr: ImageBGR, known: _Known) -> _Known | None:
        """The face where it is now; None if it is not there."""
        patch, alike = find(image_bgr, known.patch)
        if alike >= UNCHANGED and known.rested < MOST_REST:
            return replace(known, patch=patch, rested=known.rested + 1)
        seen = self._judge.seen_again(image_bgr, known.face)
        if len(seen):
            return known.seen(image_bgr, seen)
        if alike >= LEAST_ALIKE and patch.is_trusted:
            return replace(known, patch=replace(patch, unseen=patch.unseen + 1))
        return None

    def _back(self, image_bgr: ImageBGR, here: list[_Known]) -> list[_Known]:
        """The lost faces that are there again."""
        back: list[_Known] = []
        for missed in self._missed:
            if missed.is_due(image_bgr):
                seen = self._judge.seen_again(image_bgr, missed.known.face, missed.samples)
                if len(seen) and not is_part_of(seen, _faces(here + back)):
                    back.append(missed.known.seen(image_bgr, seen))
        return back

    def _due(self, image_bgr: ImageBGR, gone: list[_Known]) -> NDArray[np.intp]:
        """The cuttings to look at: those whose turn it is, that have changed, or lie around who has gone."""
        total = len(self._cuttings)
        share = -(-total // self._every)
        turn = (self._turn + np.arange(share)) % total
        self._turn = (self._turn + share) % total
        changed = self._changes.changed(image_bgr)
        around = self._cuttings.around(_faces(gone).boxes_xyxy, STRAY_REACH)
        due: NDArray[np.intp] = np.unique(np.concatenate([turn, changed, around]))
        self._changes.looked_at(due)
        return due

    def _arrived(self, image_bgr: ImageBGR, due: NDArray[np.intp], here: list[_Known]) -> list[_Known]:
        """The faces in these cuttings that are not among ``here``."""
        known = _faces(here)
        seen = self._scan.candidates(image_bgr, due)
        new = join([face for face in seen.singly if not is_part_of(face, known)])
        faces, refused = self._judge.judged(image_bgr, self._refusals.others(image_bgr, new))
        self._refusals.add(image_bgr, refused)
        # A second look may have moved a box onto somebody who is known.
        new = join([face for face in faces.singly if not is_part_of(face, known)])
        return [_Known(remember(image_bgr, face), Belief(float(face.scores[0]))) for face in new.singly]

    def _checked(self, image_bgr: ImageBGR, here: list[_Known]) -> list[_Known]:
        """The faces after a verification pass over the ``MOST_CHECKS`` that have waited longest for one, if
        it is due; without those that turn out to be no faces."""
        here = [replace(known, belief=known.belief.later()) for known in here]
        longest = sorted(range(len(here)), key=lambda index: -here[index].belief.overdue)
        for index in longest[:MOST_CHECKS]:
            known = here[index]
            if known.belief.overdue >= 0:
                score = self._judge.score(image_bgr, known.face)
                belief = known.belief.after(score, self._judge.second_score(image_bgr, known.face))
                here[index] = replace(known, belief=belief)
        return [known for known in here if not known.belief.is_lost]

    def _miss(self, gone: list[_Known], found: Candidates) -> None:
        """Remember who was known and is not found."""
        waiting = [_Missed(one.known, one.samples + 1) for one in self._missed]
        self._missed = [
            one
            for one in [_Missed(known) for known in gone] + waiting
            if one.samples < MISSED_SAMPLES and not is_among(one.known.face, found)
        ]


def _faces(known: list[_Known]) -> Candidates:
    return join([one.face for one in known])
