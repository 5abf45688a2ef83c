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

from monitor.detection.nms import Candidates, concat_candidates, is_contained, matches_any, matches_any_box
from monitor.detection.template_match import (
    MIN_CORRELATION,
    UNCHANGED_CORRELATION,
    ChangeDetector,
    Template,
    create_template,
    match_template,
)
from monitor.detection.tiling import FrameSlices
from monitor.detection.verification import FaceConfidence, NegativeCache
from monitor.types import ImageBGR

MAX_SKIPPED_SAMPLES = 7
"""The detector is asked for a known face at least after so many samples without, however little it has
changed since it was asked last: four seconds at two a second."""

MAX_LOST_SAMPLES = 20
"""For so many samples a face that was lost is looked for at its place (ten seconds at two a second): one that
flickers, being small or bowed, must not wait for its cutting's turn."""

EAGER_RETRY_SAMPLES = 4
"""For so many in each of them in which its place looks as it did; then in every so-many-th."""

MAX_CHECKS_PER_SAMPLE = 3
"""Verification passes in one sample at most, those that have waited longest. A full hall that is seen for the
first time is verified within ten seconds; one of them costs as much as four known faces that have moved."""

MAX_MOVE = 3.0
"""How far a face may have got in one sample, in sides of its box: half a second at a walk."""


class FrameScanner(Protocol):
    """Looks at parts of a frame (``monitor.detection.tiling.SliceScanner``)."""

    def slices(self, width: int, height: int) -> FrameSlices:
        """The parts of frames of this size, which are then the ones looked at."""

    def candidates(self, image_bgr: ImageBGR, slice_indices: NDArray[np.intp]) -> Candidates:
        """What might be a face in these parts."""


class Verifier(Protocol):
    """Tells faces from other things (``monitor.detection.verification.CandidateVerifier``)."""

    def verify(self, image_bgr: ImageBGR, candidates: Candidates) -> tuple[Candidates, Candidates]:
        """Those that are faces, and the others, with their mean scores."""

    def find_again(self, image_bgr: ImageBGR, face: Candidates, scale_index: int | None = None) -> Candidates:
        """A known face near its place; none or one. ``scale_index`` asks for one of the ways to look, for less
        work."""

    def verification_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        """The score of a verification pass over a known face, 0..1."""

    def second_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        """The second network's score of a known face, 0..1."""


@dataclass(frozen=True)
class VerifiedFaces:
    """The faces of one sample, best first, and which of them are confirmed: ``(N,)`` bool."""

    faces: Candidates
    verified: NDArray[np.bool_]


@dataclass(frozen=True)
class _KnownFace:
    """A known face, and for how many samples the detector has not been asked for it."""

    template: Template
    confidence: FaceConfidence
    skipped_samples: int = 0

    @property
    def face(self) -> Candidates:
        """As last seen."""
        return self.template.face

    def updated(self, image_bgr: ImageBGR, face: Candidates) -> _KnownFace:
        """The same, seen by the detector now and, as far as it matters, in the samples that it was not
        asked."""
        return _KnownFace(
            create_template(image_bgr, face, self.template.seen_samples + self.skipped_samples + 1),
            self.confidence,
        )


@dataclass(frozen=True)
class _LostFace:
    """A face that was lost, and for how many samples."""

    known: _KnownFace
    lost_samples: int = 0

    def is_due(self, image_bgr: ImageBGR) -> bool:
        """Whether it is looked for in this sample."""
        is_eager = (
            self.lost_samples < EAGER_RETRY_SAMPLES
            and match_template(image_bgr, self.known.template)[1] >= MIN_CORRELATION
        )
        return is_eager or self.lost_samples % EAGER_RETRY_SAMPLES == 0


class IncrementalDetector:
    """Decides where to look. Every cutting comes up at least once in ``full_scan_interval`` samples; 1 is always."""

    def __init__(self, scanner: FrameScanner, verifier: Verifier, full_scan_interval: int) -> None:
        self._scanner = scanner
        self._verifier = verifier
        self._full_scan_interval = full_scan_interval
        self._size: tuple[int, ...] = ()
        self._turn = 0
        self._known: list[_KnownFace] = []
        self._lost: list[_LostFace] = []

    def detect(self, image_bgr: ImageBGR) -> VerifiedFaces:
        """The faces of the next sample, and which of them the verification passes have confirmed."""
        if image_bgr.shape != self._size:
            self._reset(image_bgr)
        here, gone = self._track_known(image_bgr)
        here += self._recover_lost(image_bgr, here)
        here += self._detect_new(image_bgr, self._due_slices(image_bgr, gone), here)
        here = self._verify_due(image_bgr, here)
        here.sort(key=lambda known: -float(known.face.scores[0]))
        self._update_lost(gone, _faces(here))
        self._known = here
        return VerifiedFaces(
            _faces(here), np.array([known.confidence.is_verified for known in here], np.bool_)
        )

    def _reset(self, image_bgr: ImageBGR) -> None:
        height, width = image_bgr.shape[:2]
        self._size = image_bgr.shape
        self._slices = self._scanner.slices(width, height)
        self._changes = ChangeDetector(self._slices.areas_xyxy, width)
        self._negatives = NegativeCache()
        self._turn, self._known, self._lost = 0, [], []

    def _track_known(self, image_bgr: ImageBGR) -> tuple[list[_KnownFace], list[_KnownFace]]:
        """The known faces where they are now, and those that are gone."""
        here: list[_KnownFace] = []
        gone: list[_KnownFace] = []
        boxes = np.zeros((len(self._known), 4), np.float32)
        for known in self._known:
            now = self._relocate(image_bgr, known)
            # Two that have become one were two people: the better one is here, the other has gone somewhere.
            if now is None or matches_any_box(now.face, boxes[: len(here)]):
                gone.append(known)
            else:
                boxes[len(here)] = now.face.boxes_xyxy[0]
                here.append(now)
        return here, gone

    def _relocate(self, image_bgr: ImageBGR, known_face: _KnownFace) -> _KnownFace | None:
        """The face where it is now; None if it is not there."""
        patch, alike = match_template(image_bgr, known_face.template)
        if alike >= UNCHANGED_CORRELATION and known_face.skipped_samples < MAX_SKIPPED_SAMPLES:
            return replace(known_face, template=patch, skipped_samples=known_face.skipped_samples + 1)
        seen = self._verifier.find_again(image_bgr, known_face.face)
        if len(seen):
            return known_face.updated(image_bgr, seen)
        if alike >= MIN_CORRELATION and patch.is_trusted:
            return replace(known_face, template=replace(patch, unseen_samples=patch.unseen_samples + 1))
        return None

    def _recover_lost(self, image_bgr: ImageBGR, current: list[_KnownFace]) -> list[_KnownFace]:
        """The lost faces that are there again."""
        back: list[_KnownFace] = []
        for missed in self._lost:
            if missed.is_due(image_bgr):
                seen = self._verifier.find_again(image_bgr, missed.known.face, missed.lost_samples)
                if len(seen) and not is_contained(seen, _faces(current + back)):
                    back.append(missed.known.updated(image_bgr, seen))
        return back

    def _due_slices(self, image_bgr: ImageBGR, lost: list[_KnownFace]) -> NDArray[np.intp]:
        """The cuttings to look at: those whose turn it is, that have changed, or lie around who has gone."""
        total = len(self._slices)
        share = -(-total // self._full_scan_interval)
        turn = (self._turn + np.arange(share)) % total
        self._turn = (self._turn + share) % total
        changed = self._changes.changed_areas(image_bgr)
        around = self._slices.around(_faces(lost).boxes_xyxy, MAX_MOVE)
        due: NDArray[np.intp] = np.unique(np.concatenate([turn, changed, around]))
        self._changes.mark_scanned(due)
        return due

    def _detect_new(
        self, image_bgr: ImageBGR, due: NDArray[np.intp], current: list[_KnownFace]
    ) -> list[_KnownFace]:
        """The faces in these cuttings that are not among ``current``."""
        known = _faces(current)
        seen = self._scanner.candidates(image_bgr, due)
        new = concat_candidates([face for face in seen.singles if not is_contained(face, known)])
        faces, refused = self._verifier.verify(image_bgr, self._negatives.filter_new(image_bgr, new))
        self._negatives.add(image_bgr, refused)
        # A second look may have moved a box onto somebody who is known.
        new = concat_candidates([face for face in faces.singles if not is_contained(face, known)])
        return [
            _KnownFace(create_template(image_bgr, face), FaceConfidence(float(face.scores[0])))
            for face in new.singles
        ]

    def _verify_due(self, image_bgr: ImageBGR, current: list[_KnownFace]) -> list[_KnownFace]:
        """The faces after a verification pass over the ``MAX_CHECKS_PER_SAMPLE`` that have waited longest for one, if
        it is due; without those that turn out to be no faces."""
        current = [replace(known, confidence=known.confidence.next_sample()) for known in current]
        longest = sorted(range(len(current)), key=lambda index: -current[index].confidence.overdue_samples)
        for index in longest[:MAX_CHECKS_PER_SAMPLE]:
            known = current[index]
            if known.confidence.overdue_samples >= 0:
                score = self._verifier.verification_score(image_bgr, known.face)
                belief = known.confidence.with_pass(score, self._verifier.second_score(image_bgr, known.face))
                current[index] = replace(known, confidence=belief)
        return [known for known in current if not known.confidence.is_rejected]

    def _update_lost(self, lost: list[_KnownFace], found: Candidates) -> None:
        """Remember who was known and is not found."""
        waiting = [_LostFace(one.known, one.lost_samples + 1) for one in self._lost]
        self._lost = [
            one
            for one in [_LostFace(known) for known in lost] + waiting
            if one.lost_samples < MAX_LOST_SAMPLES and not matches_any(one.known.face, found)
        ]


def _faces(known_faces: list[_KnownFace]) -> Candidates:
    return concat_candidates([one.face for one in known_faces])
