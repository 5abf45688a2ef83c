"""Verification of candidates, of known faces over time, and a cache of rejected candidates.

A verification pass runs a network on a crop that is centred on the candidate. A new candidate needs a high
mean score of its passes; a known face is verified again at intervals, with a running mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from monitor.detection.blazeface import BlazeFace
from monitor.detection.nms import (
    SAME_FACE_IOU,
    Candidates,
    Floats,
    box_overlaps,
    concat_candidates,
    is_contained,
    weighted_nms,
)
from monitor.detection.template_match import UNCHANGED_CORRELATION, Template, create_template, match_template
from monitor.imaging import downscale
from monitor.types import ImageBGR

VERIFICATION_SCALES = (4.0, 6.0, 9.0)
"""The sides of the verification crops over the side of the box. Objects that resemble a face do so at one
size and position: a candidate must reach the mean score of all passes when it is centred and scaled to 48, 32
and 21 of the model's 192 pixels. Of 178 faces among 417 candidates in the lecture hall (at five sizes) and
the webcam clips, the detection score alone separates 119 from all false positives, one pass by the same model
at best 157 (by the short-range model 145), those at 4 and 9 together 160; the third was added for the
lettering in nobody.mp4. Chosen and measured on the same images."""

SURE_SCORES = (0.85, 0.62, 0.6)
"""A candidate whose mean of its first one, two or three scores reaches these values needs no more passes. The
highest means of false positives were 0.82 (a button of a uniform), 0.58 and 0.56 (the dot of an i). Most
faces need at most one pass; with all passes for all candidates a full lecture hall took twice as long."""

MIN_PASS_SCORE = 0.15
"""A verification pass with a lower score counts as 0."""

REFINEMENT_SCALE = 2.5
"""The side of the refinement crop (short-range model) over the side of the box. On faces of 20 to 45 px the
error of its keypoints, against those of the same faces at full size, is a half to a third of that of slices
(median 0.03 of the box against 0.06 in group.jpg, 0.03 against 0.09 in the lecture hall)."""

MIN_REFINEMENT_SCORE = 0.5
"""Below this score the refinement is discarded and the first keypoints are kept."""

MIN_REFINEMENT_IOU = 0.5
"""The refined box must belong to the same face. At 0.3 one box covered two neighbours in the lecture hall."""


class CandidateVerifier:
    """Verifies candidates with both models; ``min_score`` in 0..1 is the least mean score of a face."""

    def __init__(self, full: BlazeFace, short: BlazeFace, min_score: float) -> None:
        self._full = full
        self._short = short
        self._min_score = min_score

    def verify(self, image_bgr: ImageBGR, candidates: Candidates) -> tuple[Candidates, Candidates]:
        """The ``candidates`` that are faces, merged, with mean scores and refined keypoints; and the rejected
        ones with their mean scores, in which passes that could not change the result are skipped and count as
        0."""
        verified = concat_candidates(
            [self._verify_one(image_bgr, candidate) for candidate in candidates.singles]
        )
        is_face = verified.scores >= self._min_score
        faces = weighted_nms(self._refine(image_bgr, weighted_nms(verified.select(is_face))))
        return faces, verified.select(~is_face)

    def find_again(self, image_bgr: ImageBGR, face: Candidates, scale_index: int | None = None) -> Candidates:
        """A known face at its current place, or none: by the refinement pass, else by any verification pass.
        A new face needs the mean of its passes instead: of 48 times that refinement did not find a face of
        the moving lecture hall, a pass did 35 times.

        ``scale_index`` (modulo the number of scales) selects a single verification pass: a face that is
        searched for in many samples does not need every scale each time.
        """
        box = face.boxes_xyxy[0]
        refined = self._refined(image_bgr, box)
        if len(refined):
            return refined
        scales = (
            VERIFICATION_SCALES
            if scale_index is None
            else (VERIFICATION_SCALES[scale_index % len(VERIFICATION_SCALES)],)
        )
        for scale in scales:
            detected = _detect_in_crop(self._full, image_bgr, box, scale, self._min_score)
            match = _best_match(detected, box, SAME_FACE_IOU)
            if len(match):
                return match
        return concat_candidates([])

    def verification_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        """The mean score of the verification passes of a known face, 0..1; a pass without a match counts as
        0."""
        box = face.boxes_xyxy[0]
        passes = [
            _detect_in_crop(self._full, image_bgr, box, scale, MIN_PASS_SCORE)
            for scale in VERIFICATION_SCALES
        ]
        scores = [float(_best_match(detected, box, SAME_FACE_IOU).scores.sum()) for detected in passes]
        return sum(scores) / len(VERIFICATION_SCALES)

    def second_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        """The short-range network's score of a known face, 0..1; 0 below ``MIN_REFINEMENT_SCORE``."""
        return float(self._refined(image_bgr, face.boxes_xyxy[0]).scores.sum())

    def _verify_one(self, image_bgr: ImageBGR, candidate: Candidates) -> Candidates:
        """``candidate`` with the box of its first verification pass, and the mean score of as many passes as
        are needed to decide whether it reaches ``min_score``."""
        total, all_scores = float(candidate.scores[0]), 1 + len(VERIFICATION_SCALES)
        placed, box = candidate, candidate.boxes_xyxy[0]
        for count, (scale, sure) in enumerate(zip(VERIFICATION_SCALES, SURE_SCORES, strict=True), start=1):
            if total / count >= sure:
                return _scored(placed, total / count)
            if (total + all_scores - count) / all_scores < self._min_score:
                return _scored(candidate, total / all_scores)
            detected = _detect_in_crop(self._full, image_bgr, box, scale, MIN_PASS_SCORE)
            match = _best_match(detected, box, SAME_FACE_IOU)
            total += float(match.scores.sum())
            # A box beside the face moves onto the face, where it is merged with the others.
            placed = match if count == 1 and len(match) else placed
        return _scored(placed, total / all_scores)

    def _refine(self, image_bgr: ImageBGR, candidates: Candidates) -> Candidates:
        """``candidates`` with the boxes and keypoints of the refinement pass where it finds the same face."""
        boxes, points = candidates.boxes_xyxy.copy(), candidates.keypoints.copy()
        for index, box in enumerate(candidates.boxes_xyxy):
            match = self._refined(image_bgr, box)
            if len(match):
                boxes[index], points[index] = match.boxes_xyxy[0], match.keypoints[0]
        return Candidates(boxes, candidates.scores, points)

    def _refined(self, image_bgr: ImageBGR, box_xyxy: Floats) -> Candidates:
        """The face that the short-range model finds in a crop around the box; none or one."""
        detected = _detect_in_crop(self._short, image_bgr, box_xyxy, REFINEMENT_SCALE, MIN_REFINEMENT_SCORE)
        return _best_match(detected, box_xyxy, MIN_REFINEMENT_IOU)


def _scored(candidate: Candidates, score: float) -> Candidates:
    return Candidates(candidate.boxes_xyxy, np.array([score], dtype=np.float32), candidate.keypoints)


def _best_match(candidates: Candidates, box_xyxy: Floats, min_iou: float) -> Candidates:
    """The best of the merged ``candidates`` that overlaps the box by at least ``min_iou``; none or one."""
    merged = weighted_nms(candidates)
    iou, _, _ = box_overlaps(box_xyxy, merged.boxes_xyxy)
    return merged.select(np.flatnonzero(iou >= min_iou)[:1])


def _detect_in_crop(
    model: BlazeFace, image_bgr: ImageBGR, box_xyxy: Floats, share: float, min_score: float
) -> Candidates:
    """The candidates of ``model`` in a square of ``share`` times the box around it, in pixels of the
    frame."""
    x1, y1, x2, y2 = (float(value) for value in box_xyxy)
    side = max(2, round(share * max(x2 - x1, y2 - y1)))
    x, y = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    scale = model.input_px / side
    square = _crop_square(image_bgr, x, y, side, model.input_px)
    return model.candidates(square, min_score).to_frame(scale, x * scale, y * scale)


def _crop_square(image_bgr: ImageBGR, x: int, y: int, side: int, side_px: int) -> ImageBGR:
    """The square of ``side`` at ``(x, y)`` of the frame, scaled to ``side_px``; black beyond the frame."""
    height, width = image_bgr.shape[:2]
    left, top, right, bottom = max(0, x), max(0, y), min(width, x + side), min(height, y + side)
    square = np.zeros((side_px, side_px, 3), dtype=np.uint8)
    if right <= left or bottom <= top:
        return square
    a, b, c, d = ((value * side_px) // side for value in (left - x, top - y, right - x, bottom - y))
    if c > a and d > b:
        square[b:d, a:c] = downscale(image_bgr[top:bottom, left:right], c - a, d - b)
    return square


SETTLED_CHECK_INTERVAL = 120
"""Samples between two verifications of a settled face, a minute at two per second. Heuristic."""

DOUBTFUL_CHECK_INTERVAL = 8
"""Samples between two verifications of a face whose mean is below ``DOUBTFUL_MEAN`` or that is not verified
yet; neighbouring samples are too similar to add information."""

NEW_FACE_CHECK_INTERVALS = (2, 2, 4)
"""Samples before the first, second and third verification of a new face: 1, 2 and 4 seconds after its
detection at two samples per second. A detection that does not repeat is dropped after two of them."""

DOUBTFUL_MEAN = 0.5
"""The mean that a new face must reach (the default of ``DetectionSettings.min_score``)."""

MIN_SCORES_TO_REJECT = 3
"""The least number of scores, including the detection, before a face may be dropped."""

NEWEST_WEIGHT = 0.2
"""The weight of the newest score in the running mean, after the first five. Heuristic, not tuned on data."""

MIN_MEAN = 0.28
"""A known face with a lower mean is dropped. In two simulated lessons in the lecture hall (12 minutes) the
means of eight tracked false positives were 0.06 to 0.29, those of the detected people 0.34 (two, seen from
the side at the edge of the frame) to 0.87. Chosen and measured on the same lessons."""

MIN_PASSES_TO_VERIFY = 3
"""The least number of verifications before a face can count as verified."""

MIN_SECOND_MEAN = 0.6
"""The least mean score of the second network for a verified face. Chosen, as the two values below, on 200
drawn objects that the detector had accepted once (seeds below 1600 of ``tests/helpers/drawn_objects.py``) and
on the people of the simulated hall (seed 100, two sizes) and of the clips; the figures on others are
in ``docs/explanation/detection-and-tracking.md``."""

SURE_MEAN = 0.55
"""From this mean on the first network alone verifies a face: faces seen from the side, which neither the
second network nor the face mesh recognises, have means of 0.58 to 0.82 in the hall."""

MANY_PASSES, SURE_MEAN_MANY_PASSES = 6, 0.42
"""The lower limit of ``SURE_MEAN`` after this many verifications: two heads that are half hidden, or cut by
the frame, have a mean of 0.43. A detection that rarely repeats stays below."""

MIN_MEAN_TO_VERIFY = 0.5
"""With a lower mean of the first network the second one does not verify a face."""


@dataclass(frozen=True)
class FaceConfidence:
    """The confidence in a known face over time.

    ``mean``: running mean of the verification scores, 0..1, and ``second_mean`` that of the second network.
    ``score_count`` counts the verifications and the detection, whose score is left out of the mean after the
    first verification: it was selected for being high. ``samples_since_pass``: age of the last verification.
    ``is_verified``: both networks agreed once, or the first was sure; it stays true for heads that bow later.
    """

    mean: float
    score_count: int = 1
    samples_since_pass: int = 0
    second_mean: float = 0.0
    is_verified: bool = False

    def next_sample(self) -> FaceConfidence:
        """The confidence one sample later, without a verification."""
        return replace(self, samples_since_pass=self.samples_since_pass + 1)

    def with_pass(self, score: float, second_score: float = 0.0) -> FaceConfidence:
        """The confidence after another verification: ``score`` from ``CandidateVerifier.verification_score``,
        ``second_score`` of the second network, both in 0..1."""
        weight, passes = max(NEWEST_WEIGHT, 1 / self.score_count), self.score_count
        mean = self.mean + weight * (score - self.mean)
        second_mean = self.second_mean + weight * (second_score - self.second_mean)
        both = mean >= MIN_MEAN_TO_VERIFY and second_mean >= MIN_SECOND_MEAN
        is_sure = passes >= MIN_PASSES_TO_VERIFY and (both or mean >= SURE_MEAN)
        is_sure = is_sure or (passes >= MANY_PASSES and mean >= SURE_MEAN_MANY_PASSES)
        is_verified = self.is_verified or is_sure
        return FaceConfidence(mean, passes + 1, second_mean=second_mean, is_verified=is_verified)

    @property
    def overdue_samples(self) -> int:
        """For how many samples the next verification has been due; negative while it is not."""
        passes = self.score_count - 1
        if passes < len(NEW_FACE_CHECK_INTERVALS):
            return self.samples_since_pass - NEW_FACE_CHECK_INTERVALS[passes]
        is_doubtful = self.mean < DOUBTFUL_MEAN or not self.is_verified
        return self.samples_since_pass - (DOUBTFUL_CHECK_INTERVAL if is_doubtful else SETTLED_CHECK_INTERVAL)

    @property
    def is_rejected(self) -> bool:
        """Whether the face is a false positive."""
        return self.score_count >= MIN_SCORES_TO_REJECT and self.mean < MIN_MEAN


MAX_REJECTED_SCORE = 0.15
"""Candidates with a lower mean score are cached: hardly any verification pass found them. Others are verified
again, because a small face that is rejected in one sample may have a high score in the next. With 0.15 the
same faces were detected in a simulated video as without the cache, with 3.5 of 21 passes per sample fewer."""

CACHE_SAMPLES = 24
"""The lifetime of a rejection while the image does not change: twelve seconds at two samples per second.
Heuristic, not tuned on data."""


@dataclass(frozen=True)
class _Rejection:
    template: Template
    age_samples: int = 0


class NegativeCache:
    """The candidates of one source that were rejected in the last samples, so that they are not verified
    again."""

    def __init__(self) -> None:
        self._rejections: list[_Rejection] = []

    def filter_new(self, image_bgr: ImageBGR, candidates: Candidates) -> Candidates:
        """The ``candidates`` that were not rejected recently, or have changed since. Call it once per
        sample."""
        older = [_Rejection(entry.template, entry.age_samples + 1) for entry in self._rejections]
        self._rejections = [
            entry for entry in older if entry.age_samples < CACHE_SAMPLES and _is_unchanged(image_bgr, entry)
        ]
        known = concat_candidates([entry.template.face for entry in self._rejections])
        return concat_candidates([face for face in candidates.singles if not is_contained(face, known)])

    def add(self, image_bgr: ImageBGR, rejected: Candidates) -> None:
        """Cache the ``rejected`` candidates whose mean score is below ``MAX_REJECTED_SCORE``."""
        hopeless = rejected.select(rejected.scores < MAX_REJECTED_SCORE)
        self._rejections += [_Rejection(create_template(image_bgr, face)) for face in hopeless.singles]


def _is_unchanged(image_bgr: ImageBGR, rejection: _Rejection) -> bool:
    return match_template(image_bgr, rejection.template)[1] >= UNCHANGED_CORRELATION
