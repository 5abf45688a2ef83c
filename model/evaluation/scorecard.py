"""Everything that is measured of one model on one set of faces. No TensorFlow.

Test faces as a camera might have seen them: smaller, mirrored, blurred, darker. NumPy and OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.duplicates import has_copy_in
from model.data.faces import Faces
from model.evaluation.metrics import (
    Evaluation,
    LabelSetEvaluations,
    evaluate_label_sets,
    evaluate_probabilities,
    head_accuracies,
)
from model.inference.crop import crop_square

FaceImage = NDArray[np.uint8]

SIZES_PX = (36, 24, 16)
"""Widths of the crop's square in the frame; a detector's box is 0.84 of it."""
BLUR_SIGMA_PX = 1.5
"""Of 48 pixels; chosen for a plainly soft face, not measured on a camera."""
DARK_GAIN = 0.3
"""Chosen for a plainly dark face, not measured in a room."""


def downscale_to(image: FaceImage, px: int) -> FaceImage:
    """A tile as the crop of a face whose square is ``px`` pixels wide in the frame."""
    frame = cv2.cvtColor(cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    return crop_square(np.asarray(frame, np.uint8), (0.0, 0.0, float(px)))


def mirror_face(image: FaceImage) -> FaceImage:
    """Left to right."""
    return np.ascontiguousarray(image[:, ::-1])


def blur_face(image: FaceImage) -> FaceImage:
    """Out of focus: a Gaussian of ``BLUR_SIGMA_PX``."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA_PX), np.uint8)


def darken_face(image: FaceImage) -> FaceImage:
    """``DARK_GAIN`` of the light, in whole grey levels as a sensor gives them."""
    return np.asarray(np.round(image * DARK_GAIN), np.uint8)


CONDITIONS: Mapping[str, Callable[[FaceImage], FaceImage]] = {
    **{f"{px} px": partial(downscale_to, px=px) for px in SIZES_PX},
    "mirrored": mirror_face,
    "blurred": blur_face,
    "darkened": darken_face,
}
"""What a model is scored under beside the faces as they are, by name."""


def apply_condition(condition: str, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Faces (N, 48, 48) uint8 under one of ``CONDITIONS``."""
    return np.stack([CONDITIONS[condition](image) for image in images])


LABEL_HEAD, RATERS_HEAD = "fer2013", "expression"
"""Which head answers for which labels: FER2013's own, and the majority of the FER+ raters."""

HeadProbabilities = Mapping[str, NDArray[np.float32]]
"""Probabilities (N, 7) by head."""


class HeadClassifier(Protocol):
    """A model with heads; ``head_probabilities`` takes (N, 48, 48) uint8 to (N, heads, 7)."""

    @property
    def version(self) -> str:
        """The model, by name and digest."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads in the order of ``head_probabilities``."""

    def head_probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of every head."""


@dataclass(frozen=True)
class ConditionScore:
    """Accuracy of both heads on their own labels under a condition, and the calibration error and the
    share of neutral faces called sad of the head ``expression``; None where no face has a majority."""

    name: str
    fer2013: float
    ferplus: float | None
    ferplus_ece: float | None
    neutral_called_sad: float | None


@dataclass(frozen=True)
class Scorecard:
    """``heads``: both heads against both label sets. ``conditions``: as they are, then each of
    ``CONDITIONS``. ``mirror_averaged``: the mean of a face's answer and its mirror image's.
    ``unseen``: only faces of which Training has no copy, None where Training is not at hand.
    ``raters``: the FER+ majority as if it were a model of FER2013's label."""

    model: str
    faces: int
    heads: Mapping[str, LabelSetEvaluations]
    conditions: tuple[ConditionScore, ...]
    mirror_averaged: ConditionScore
    unseen: ConditionScore | None
    unseen_faces: int | None
    raters: Evaluation | None

    @property
    def fer2013(self) -> Evaluation:
        """FER2013's label, by the head that learnt it."""
        return self.heads[LABEL_HEAD].fer2013

    @property
    def ferplus(self) -> Evaluation | None:
        """The majority of the raters, by the head that monitoring uses."""
        return self.heads[RATERS_HEAD].ferplus


def probabilities_by_head(model: HeadClassifier, images: NDArray[np.uint8]) -> HeadProbabilities:
    """What every head says of faces (N, 48, 48) uint8."""
    found = model.head_probabilities(images)
    return {head: found[:, index] for index, head in enumerate(model.heads)}


def score_condition(name: str, probabilities: HeadProbabilities, faces: Faces) -> ConditionScore:
    """The figures of one line of the table of conditions."""
    own, _ = head_accuracies(probabilities, faces)
    voted = evaluate_label_sets(probabilities[RATERS_HEAD], faces).ferplus
    if voted is None:
        return ConditionScore(name, own, None, None, None)
    return ConditionScore(name, own, voted.accuracy, voted.ece, voted.neutral_called_sad)


def rater_agreement(faces: Faces) -> Evaluation | None:
    """How far the two label sets agree at all; None where no face has a majority."""
    agreed = faces.has_majority
    if not agreed.any():
        return None
    named = np.eye(faces.vote_shares.shape[1], dtype=np.float32)[faces.majority[agreed]]
    return evaluate_probabilities(named, faces.labels[agreed])


def make_scorecard(
    model: HeadClassifier,
    faces: Faces,
    train: Faces | None = None,
    progress: Callable[[float], Any] = lambda _: None,
) -> Scorecard:
    """Measure ``model`` on ``faces``. ``train``, if known, are the faces that it learnt from.

    ``progress`` is called with the share that is done, 0..1.
    """
    looks = {"as they are": faces.images} | dict.fromkeys(CONDITIONS)
    answers: dict[str, HeadProbabilities] = {}
    for done, (name, images) in enumerate(looks.items(), 1):
        answers[name] = probabilities_by_head(
            model, apply_condition(name, faces.images) if images is None else images
        )
        progress(done / len(looks))
    plain, mirrored = answers["as they are"], answers["mirrored"]
    both = {head: (plain[head] + mirrored[head]) / 2 for head in plain}
    fresh = None if train is None else ~has_copy_in(faces, train)
    return Scorecard(
        model=model.version,
        faces=len(faces),
        heads={head: evaluate_label_sets(plain[head], faces) for head in plain},
        conditions=tuple(score_condition(name, answers[name], faces) for name in answers),
        mirror_averaged=score_condition("mean with the mirrored face", both, faces),
        unseen=_score_unseen(plain, faces, fresh),
        unseen_faces=None if fresh is None else int(fresh.sum()),
        raters=rater_agreement(faces),
    )


def _score_unseen(
    probabilities: HeadProbabilities, faces: Faces, is_unseen: NDArray[np.bool_] | None
) -> ConditionScore | None:
    if is_unseen is None or not is_unseen.any():
        return None
    kept = {head: rows[is_unseen] for head, rows in probabilities.items()}
    return score_condition("no copy in Training", kept, faces.subset(is_unseen))
