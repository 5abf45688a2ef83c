"""Incremental detection: known faces are tracked, and the rest of the frame is scanned in turns.

A scan of the whole frame takes tens of slices, and a class sits still: most faces are where they were half a
second ago. A face that has not changed (``template_match``) needs no network run, a changed one a single
crop. The slices of the frame take turns, so that each is scanned every few samples and all samples cost about
the same; changed areas, and the surroundings of a lost face, are scanned immediately.

An undetected face that still looks the same is kept. The criteria for a known face are weaker than those for
a new one, so known faces are verified at intervals like new ones, soon and often at first
(``verification.FaceConfidence``); a face that fails is dropped.
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
"""The most samples in which an unchanged face is not passed to the detector: four seconds at two per
second."""

MAX_LOST_SAMPLES = 20
"""For this many samples a lost face is searched at its last place (ten seconds at two per second): a face
that flickers, because it is small or bowed, must not wait for the turn of its slice."""

EAGER_RETRY_SAMPLES = 4
"""For this many samples a lost face is searched in each sample in which its place has not changed; after that
in every fourth."""

MAX_CHECKS_PER_SAMPLE = 3
"""The most verifications in one sample; the most overdue are first. A full hall is verified within ten
seconds; one verification costs as much as four known faces that have moved."""

MAX_MOVE = 3.0
"""How far a face may move in one sample, in sides of its box: half a second at walking speed."""


class FrameScanner(Protocol):
    """Detects faces in slices of a frame (``monitor.detection.tiling.SliceScanner``)."""

    def slices(self, width: int, height: int) -> FrameSlices:
        """The slices of frames of this size; ``candidates`` uses them from now on."""

    def candidates(self, image_bgr: ImageBGR, slice_indices: NDArray[np.intp]) -> Candidates:
        """The candidates in these slices."""


class Verifier(Protocol):
    """Separates faces from other objects (``monitor.detection.verification.CandidateVerifier``)."""

    def verify(self, image_bgr: ImageBGR, candidates: Candidates) -> tuple[Candidates, Candidates]:
        """The candidates that are faces, and the rejected ones, with their mean scores."""

    def find_again(self, image_bgr: ImageBGR, face: Candidates, scale_index: int | None = None) -> Candidates:
        """A known face near its last place; none or one. ``scale_index`` selects one verification pass."""

    def verification_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        """The mean score of the verification passes of a known face, 0..1."""

    def second_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        """The second network's score of a known face, 0..1."""


@dataclass(frozen=True)
class VerifiedFaces:
    """The faces of one sample, best first, and which of them are verified: ``(N,)`` bool."""

    faces: Candidates
    verified: NDArray[np.bool_]


@dataclass(frozen=True)
class _KnownFace:
    """A known face, and for how many samples it has not been passed to the detector."""

    template: Template
    confidence: FaceConfidence
    skipped_samples: int = 0

    @property
    def face(self) -> Candidates:
        """The face as last located."""
        return self.template.face

    def updated(self, image_bgr: ImageBGR, face: Candidates) -> _KnownFace:
        """The known face after a detection. Skipped samples count as detected, because the face had not
        changed."""
        return _KnownFace(
            create_template(image_bgr, face, self.template.seen_samples + self.skipped_samples + 1),
            self.confidence,
        )


@dataclass(frozen=True)
class _LostFace:
    """A lost face, and for how many samples it has been lost."""

    known: _KnownFace
    lost_samples: int = 0

    def is_due(self, image_bgr: ImageBGR) -> bool:
        """Whether to search for it in this sample."""
        is_eager = (
            self.lost_samples < EAGER_RETRY_SAMPLES
            and match_template(image_bgr, self.known.template)[1] >= MIN_CORRELATION
        )
        return is_eager or self.lost_samples % EAGER_RETRY_SAMPLES == 0


class IncrementalDetector:
    """Selects where to detect. Every slice is scanned at least once in ``full_scan_interval`` samples; with 1
    in each."""

    def __init__(self, scanner: FrameScanner, verifier: Verifier, full_scan_interval: int) -> None:
        self._scanner = scanner
        self._verifier = verifier
        self._full_scan_interval = full_scan_interval
        self._size: tuple[int, ...] = ()
        self._turn = 0
        self._known: list[_KnownFace] = []
        self._lost: list[_LostFace] = []

    def detect(self, image_bgr: ImageBGR) -> VerifiedFaces:
        """The faces of the next sample, and which of them are verified."""
        if image_bgr.shape != self._size:
            self._reset(image_bgr)
        current, lost = self._track_known(image_bgr)
        current += self._recover_lost(image_bgr, current)
        current += self._detect_new(image_bgr, self._due_slices(image_bgr, lost), current)
        current = self._verify_due(image_bgr, current)
        current.sort(key=lambda known: -float(known.face.scores[0]))
        self._update_lost(lost, _faces(current))
        self._known = current
        return VerifiedFaces(
            _faces(current), np.array([known.confidence.is_verified for known in current], np.bool_)
        )

    def _reset(self, image_bgr: ImageBGR) -> None:
        height, width = image_bgr.shape[:2]
        self._size = image_bgr.shape
        self._slices = self._scanner.slices(width, height)
        self._changes = ChangeDetector(self._slices.areas_xyxy, width)
        self._negatives = NegativeCache()
        self._turn, self._known, self._lost = 0, [], []

    def _track_known(self, image_bgr: ImageBGR) -> tuple[list[_KnownFace], list[_KnownFace]]:
        """The known faces at their current places, and those that are lost."""
        current: list[_KnownFace] = []
        lost: list[_KnownFace] = []
        boxes = np.zeros((len(self._known), 4), np.float32)
        for known in self._known:
            moved = self._relocate(image_bgr, known)
            # Two known faces that now overlap were two people: the better one stays, the other is lost.
            if moved is None or matches_any_box(moved.face, boxes[: len(current)]):
                lost.append(known)
            else:
                boxes[len(current)] = moved.face.boxes_xyxy[0]
                current.append(moved)
        return current, lost

    def _relocate(self, image_bgr: ImageBGR, known_face: _KnownFace) -> _KnownFace | None:
        """The face at its current place; None if it is lost."""
        template, correlation = match_template(image_bgr, known_face.template)
        if correlation >= UNCHANGED_CORRELATION and known_face.skipped_samples < MAX_SKIPPED_SAMPLES:
            return replace(known_face, template=template, skipped_samples=known_face.skipped_samples + 1)
        face = self._verifier.find_again(image_bgr, known_face.face)
        if len(face):
            return known_face.updated(image_bgr, face)
        if correlation >= MIN_CORRELATION and template.is_trusted:
            unseen_samples = template.unseen_samples + 1
            return replace(known_face, template=replace(template, unseen_samples=unseen_samples))
        return None

    def _recover_lost(self, image_bgr: ImageBGR, current: list[_KnownFace]) -> list[_KnownFace]:
        """The lost faces that are found again."""
        recovered: list[_KnownFace] = []
        for lost in self._lost:
            if lost.is_due(image_bgr):
                face = self._verifier.find_again(image_bgr, lost.known.face, lost.lost_samples)
                if len(face) and not is_contained(face, _faces(current + recovered)):
                    recovered.append(lost.known.updated(image_bgr, face))
        return recovered

    def _due_slices(self, image_bgr: ImageBGR, lost: list[_KnownFace]) -> NDArray[np.intp]:
        """The slices to scan: those whose turn it is, that have changed, or are around a lost face."""
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
        """The faces in the ``due`` slices that are not among ``current``."""
        known = _faces(current)
        candidates = self._scanner.candidates(image_bgr, due)
        new = concat_candidates([face for face in candidates.singles if not is_contained(face, known)])
        faces, rejected = self._verifier.verify(image_bgr, self._negatives.filter_new(image_bgr, new))
        self._negatives.add(image_bgr, rejected)
        # Verification may have moved a box onto a known face.
        new = concat_candidates([face for face in faces.singles if not is_contained(face, known)])
        return [
            _KnownFace(create_template(image_bgr, face), FaceConfidence(float(face.scores[0])))
            for face in new.singles
        ]

    def _verify_due(self, image_bgr: ImageBGR, current: list[_KnownFace]) -> list[_KnownFace]:
        """Verify up to ``MAX_CHECKS_PER_SAMPLE`` faces that are due, the most overdue first; returns the
        faces without the rejected ones."""
        current = [replace(known, confidence=known.confidence.next_sample()) for known in current]
        overdue = sorted(range(len(current)), key=lambda index: -current[index].confidence.overdue_samples)
        for index in overdue[:MAX_CHECKS_PER_SAMPLE]:
            known = current[index]
            if known.confidence.overdue_samples >= 0:
                score = self._verifier.verification_score(image_bgr, known.face)
                second_score = self._verifier.second_score(image_bgr, known.face)
                confidence = known.confidence.with_pass(score, second_score)
                current[index] = replace(known, confidence=confidence)
        return [known for known in current if not known.confidence.is_rejected]

    def _update_lost(self, lost: list[_KnownFace], current: Candidates) -> None:
        """Add newly lost faces, and drop those that were found again or lost for too long."""
        older = [_LostFace(face.known, face.lost_samples + 1) for face in self._lost]
        self._lost = [
            face
            for face in [_LostFace(known) for known in lost] + older
            if face.lost_samples < MAX_LOST_SAMPLES and not matches_any(face.known.face, current)
        ]


def _faces(known_faces: list[_KnownFace]) -> Candidates:
    return concat_candidates([known.face for known in known_faces])
