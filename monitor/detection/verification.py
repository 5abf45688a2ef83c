"""The second look at each candidate: is it a face, and where exactly are its points.

Verification of a known face over time: the running mean of verification passes, and when the next is
due.

Things that looked like a face at first and like nothing on a second look, so that they are not asked
about again.
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
"""Sides of the second looks' cuttings over the side of the box. Things that look like a face do so at
one size and place: a candidate must hold, in the mean of all looks, when it is centred and shown at
48, 32 and 21 of the model's 192 pixels. Of 178 faces among 417 candidates in the lecture hall (at five
sizes) and the webcam clips, the first look alone parts 119 from everything that is no face, one second
look by the same model at best 157 (by the short-range model 145), those at 4 and 9 together 160; the
third was added for the lettering in nobody.mp4. The same pictures chose and measured this."""

SURE_SCORES = (0.85, 0.62, 0.6)
"""From these means of one, two and three looks on there is no need for more. The highest that something
reached that was no face were 0.82 (a button of a uniform), 0.58 and 0.56 (the dot of an i). Most faces
need one look more or none; with all looks at all candidates a full lecture hall took twice as long."""

MIN_PASS_SCORE = 0.15
"""A second look that sees less than this counts as having seen nothing."""

REFINEMENT_SCALE = 2.5
"""The side of the short-range model's cutting over the side of the box. Its keypoints on faces of 20 to
45 px are 2 to 3 times nearer to those on the same faces at full size than the tiles' (median
0.03 of the box against 0.06 in group.jpg, 0.03 against 0.09 in the lecture hall)."""

MIN_REFINEMENT_SCORE = 0.5
"""Below this the close look's points are not believed and the first look's stay."""

MIN_REFINEMENT_IOU = 0.5
"""The close look must mean the same face. At 0.3 it drew one box over two neighbours in the lecture hall."""


class CandidateVerifier:
    """Looks again with both models; ``min_score`` in 0..1 decides what remains."""

    def __init__(self, full: BlazeFace, short: BlazeFace, min_score: float) -> None:
        self._full = full
        self._short = short
        self._min_score = min_score

    def verify(self, image_bgr: ImageBGR, candidates: Candidates) -> tuple[Candidates, Candidates]:
        """Those of ``candidates`` that are faces, with the looks' mean score and better points, merged; and the
        others with theirs, in which looks that cannot help any more were spared and count as 0."""
        looked = concat_candidates([self._verify_one(image_bgr, one) for one in candidates.singles])
        is_face = looked.scores >= self._min_score
        faces = weighted_nms(self._refine(image_bgr, weighted_nms(looked.select(is_face))))
        return faces, looked.select(~is_face)

    def find_again(self, image_bgr: ImageBGR, face: Candidates, scale_index: int | None = None) -> Candidates:
        """A face of the last sample where it is now, or none: by the close look, and where that does not
        believe it, by any second look. Less is asked than of a new face, whose looks must hold in their
        mean: of 48 times that the close look did not believe a face of the moving lecture hall, these do 35
        times.

        ``scale_index`` numbers the only second look to be taken, counted round: who is looked for again and again
        need not be looked at in every way each time.
        """
        box = face.boxes_xyxy[0]
        close = _best_match(
            _detect_in_crop(self._short, image_bgr, box, REFINEMENT_SCALE, MIN_REFINEMENT_SCORE),
            box,
            MIN_REFINEMENT_IOU,
        )
        if len(close):
            return close
        shares = (
            VERIFICATION_SCALES
            if scale_index is None
            else (VERIFICATION_SCALES[scale_index % len(VERIFICATION_SCALES)],)
        )
        for share in shares:
            same = _best_match(
                _detect_in_crop(self._full, image_bgr, box, share, self._min_score), box, SAME_FACE_IOU
            )
            if len(same):
                return same
        return concat_candidates([])

    def verification_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        """The mean score of the second looks at a known face, 0..1; a look that sees nothing counts as 0."""
        box = face.boxes_xyxy[0]
        seen = [
            _detect_in_crop(self._full, image_bgr, box, share, MIN_PASS_SCORE)
            for share in VERIFICATION_SCALES
        ]
        scores = [float(_best_match(look, box, SAME_FACE_IOU).scores.sum()) for look in seen]
        return sum(scores) / len(VERIFICATION_SCALES)

    def second_score(self, image_bgr: ImageBGR, face: Candidates) -> float:
        """The short-range network's score of a known face in a close crop, 0..1; 0 below ``MIN_REFINEMENT_SCORE``."""
        box = face.boxes_xyxy[0]
        seen = _detect_in_crop(self._short, image_bgr, box, REFINEMENT_SCALE, MIN_REFINEMENT_SCORE)
        return float(_best_match(seen, box, MIN_REFINEMENT_IOU).scores.sum())

    def _verify_one(self, image_bgr: ImageBGR, candidate: Candidates) -> Candidates:
        """``candidate`` as the first second look places it, with the mean score of as many looks as it takes to
        tell whether it reaches ``min_score``."""
        total, all_looks = float(candidate.scores[0]), 1 + len(VERIFICATION_SCALES)
        placed = candidate
        for looks, (share, sure) in enumerate(zip(VERIFICATION_SCALES, SURE_SCORES, strict=True), start=1):
            if total / looks >= sure:
                return _scored(placed, total / looks)
            if (total + all_looks - looks) / all_looks < self._min_score:
                return _scored(candidate, total / all_looks)
            seen = _detect_in_crop(self._full, image_bgr, candidate.boxes_xyxy[0], share, MIN_PASS_SCORE)
            same = _best_match(seen, candidate.boxes_xyxy[0], SAME_FACE_IOU)
            total += float(same.scores.sum())
            # A box beside the face was really the face: where the look puts it, it merges with the others.
            placed = same if looks == 1 and len(same) else placed
        return _scored(placed, total / all_looks)

    def _refine(self, image_bgr: ImageBGR, candidates: Candidates) -> Candidates:
        """``candidates`` with boxes and keypoints of a close look where that sees the same face."""
        boxes, points = candidates.boxes_xyxy.copy(), candidates.keypoints.copy()
        for index, box in enumerate(candidates.boxes_xyxy):
            same = _best_match(
                _detect_in_crop(self._short, image_bgr, box, REFINEMENT_SCALE, MIN_REFINEMENT_SCORE),
                box,
                MIN_REFINEMENT_IOU,
            )
            if len(same):
                boxes[index], points[index] = same.boxes_xyxy[0], same.keypoints[0]
        return Candidates(boxes, candidates.scores, points)


def _scored(candidate: Candidates, score: float) -> Candidates:
    return Candidates(candidate.boxes_xyxy, np.array([score], dtype=np.float32), candidate.keypoints)


def _best_match(candidates: Candidates, box_xyxy: Floats, min_iou: float) -> Candidates:
    """The best of ``candidates`` that overlaps the box by ``min_iou``, after merging; none or one."""
    merged = weighted_nms(candidates)
    iou, _, _ = box_overlaps(box_xyxy, merged.boxes_xyxy)
    return merged.select(np.flatnonzero(iou >= min_iou)[:1])


def _detect_in_crop(
    model: BlazeFace, image_bgr: ImageBGR, box_xyxy: Floats, share: float, min_score: float
) -> Candidates:
    """What ``model`` sees in a square ``share`` times the box around it, in pixels of the frame."""
    x1, y1, x2, y2 = (float(value) for value in box_xyxy)
    side = max(2, round(share * max(x2 - x1, y2 - y1)))
    x, y = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    scale = model.input_px / side
    square = _crop_square(image_bgr, x, y, side, model.input_px)
    return model.candidates(square, min_score).to_frame(scale, x * scale, y * scale)


def _crop_square(image_bgr: ImageBGR, x: int, y: int, side: int, side_px: int) -> ImageBGR:
    """The square of ``side`` at ``(x, y)`` of the frame as one of ``side_px``, black beyond the frame."""
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
"""Samples between two verification passes of a settled face, a minute at two a second. Heuristic."""

DOUBTFUL_CHECK_INTERVAL = 8
"""The same for a face whose mean is below ``DOUBTFUL_MEAN`` or that is not confirmed yet; neighbouring samples are
too similar to tell more."""

NEW_FACE_CHECK_INTERVALS = (2, 2, 4)
"""Samples before the first, second and third pass of a new face, which then come 1, 2 and 4 seconds after it
was found (at two samples a second). A detection that does not repeat is dropped after two of them."""

DOUBTFUL_MEAN = 0.5
"""The mean that a new face must reach (``DetectionSettings.min_score``, as it is unless it was set)."""

MIN_SCORES_TO_REJECT = 3
"""Scores, the first detection included, before a face may be dropped."""

NEWEST_WEIGHT = 0.2
"""Of the newest pass in the running mean, once there are more than five. Heuristic, not tuned on data."""

MIN_MEAN = 0.28
"""A known face with a lower mean is dropped. In two simulated lessons in the lecture hall (12 minutes) the
means of eight things that had been followed for faces were 0.06 to 0.29, those of the people who were found
at all 0.34 (two, seen from the side at the picture's edge) to 0.87. The same lessons chose and measured
this."""

MIN_PASSES_TO_VERIFY = 3
"""Passes before a face can be confirmed."""

MIN_SECOND_MEAN = 0.6
"""A face is confirmed by the second network from this mean of its close-crop scores on. Chosen, as the two
values below, on 200 drawn objects that the detector had accepted once (seeds below 1600 of
``tests/monitor/things.py``) and on the people of the simulated hall (seed 100, two sizes) and of the clips;
``docs/explanation/detection-and-tracking.md`` has the figures on others."""

SURE_MEAN = 0.55
"""A face is confirmed by the first network alone from this mean over its passes on: faces seen from the side,
which neither the second network nor the face mesh knows, have means of 0.58 to 0.82 in the hall."""

MANY_PASSES, SURE_MEAN_MANY_PASSES = 6, 0.42
"""The same after so many passes: two heads that are half hidden, or cut off by the frame, have 0.43 there. A
detection that hardly ever repeats stays below."""

MIN_MEAN_TO_VERIFY = 0.5
"""With a lower mean over the first network's passes the second one does not confirm a face."""


@dataclass(frozen=True)
class FaceConfidence:
    """``mean`` score of the verification passes so far, 0..1, weighted to the newer, and ``second_mean``, that of
    the second network. ``score_count`` counts the passes and the first detection, which is left out of the mean as
    soon as there is a pass: it was chosen for being high. The last pass was ``samples_since_pass``
    ago. ``is_verified``: the second network has agreed once, or the first was sure; heads that bow
    later stay confirmed."""

    mean: float
    score_count: int = 1
    samples_since_pass: int = 0
    second_mean: float = 0.0
    is_verified: bool = False

    def next_sample(self) -> FaceConfidence:
        """The same, a sample later."""
        return replace(self, samples_since_pass=self.samples_since_pass + 1)

    def with_pass(self, score: float, second_score: float = 0.0) -> FaceConfidence:
        """After another pass, with its ``verification_score`` and that of the second network, both in 0..1."""
        weight, looks = max(NEWEST_WEIGHT, 1 / self.score_count), self.score_count + 1
        mean = self.mean + weight * (score - self.mean)
        agreed = self.second_mean + weight * (second_score - self.second_mean)
        passes = looks - 1
        both = mean >= MIN_MEAN_TO_VERIFY and agreed >= MIN_SECOND_MEAN
        is_sure = passes >= MIN_PASSES_TO_VERIFY and (both or mean >= SURE_MEAN)
        is_sure = is_sure or (passes >= MANY_PASSES and mean >= SURE_MEAN_MANY_PASSES)
        return FaceConfidence(mean, looks, second_mean=agreed, is_verified=self.is_verified or is_sure)

    @property
    def overdue_samples(self) -> int:
        """For how many samples there should have been another pass; negative while it is too early."""
        passes = self.score_count - 1
        if passes < len(NEW_FACE_CHECK_INTERVALS):
            return self.samples_since_pass - NEW_FACE_CHECK_INTERVALS[passes]
        is_doubtful = self.mean < DOUBTFUL_MEAN or not self.is_verified
        return self.samples_since_pass - (DOUBTFUL_CHECK_INTERVAL if is_doubtful else SETTLED_CHECK_INTERVAL)

    @property
    def is_rejected(self) -> bool:
        """Whether it is no face after all."""
        return self.score_count >= MIN_SCORES_TO_REJECT and self.mean < MIN_MEAN


MAX_REJECTED_SCORE = 0.15
"""A thing with a lower mean score was seen by hardly any second look. Others are asked about again: a small
face that is refused in one sample may be sure in the next. With 0.15 the same faces were found on a simulated
film as without any refusals, for 3.5 of 21 looks a sample less."""

CACHE_SAMPLES = 24
"""For so long a thing that has not changed is not asked about, twelve seconds at two samples a second. Not
tuned."""


@dataclass(frozen=True)
class _Rejection:
    template: Template
    age_samples: int = 0


class NegativeCache:
    """What was refused in the last samples of one source."""

    def __init__(self) -> None:
        self._rejections: list[_Rejection] = []

    def filter_new(self, image_bgr: ImageBGR, candidates: Candidates) -> Candidates:
        """Those of ``candidates`` that were not refused lately, or have changed since. To be asked once a
        sample."""
        older = [_Rejection(one.template, one.age_samples + 1) for one in self._rejections]
        self._rejections = [
            one for one in older if one.age_samples < CACHE_SAMPLES and _is_there(image_bgr, one)
        ]
        known = concat_candidates([one.template.face for one in self._rejections])
        return concat_candidates([face for face in candidates.singles if not is_contained(face, known)])

    def add(self, image_bgr: ImageBGR, rejected: Candidates) -> None:
        """Remember what was refused, with mean scores, where there is no hope."""
        hopeless = rejected.select(rejected.scores < MAX_REJECTED_SCORE)
        self._rejections += [_Rejection(create_template(image_bgr, face)) for face in hopeless.singles]


def _is_there(image_bgr: ImageBGR, rejection: _Rejection) -> bool:
    return match_template(image_bgr, rejection.template)[1] >= UNCHANGED_CORRELATION
