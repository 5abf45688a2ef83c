"""All scores of one model on one set of faces, also under degraded conditions. NumPy and OpenCV, no
TensorFlow."""

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
"""In pixels of a 48-pixel face, which it blurs clearly; heuristic, not measured on a camera."""
DARK_GAIN = 0.3
"""The factor on grey levels, which gives a clearly dark face; heuristic, not measured in a room."""


def downscale_to(image: FaceImage, px: int) -> FaceImage:
    """The face as it would be cropped from a frame in which its square is ``px`` pixels wide."""
    frame = cv2.cvtColor(cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    return crop_square(np.asarray(frame, np.uint8), (0.0, 0.0, float(px)))


def mirror_face(image: FaceImage) -> FaceImage:
    """The face mirrored left to right."""
    return np.ascontiguousarray(image[:, ::-1])


def blur_face(image: FaceImage) -> FaceImage:
    """The face out of focus: a Gaussian of ``BLUR_SIGMA_PX``."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA_PX), np.uint8)


def darken_face(image: FaceImage) -> FaceImage:
    """The face at ``DARK_GAIN`` of its brightness, in whole grey levels like a sensor's."""
    return np.asarray(np.round(image * DARK_GAIN), np.uint8)


CONDITIONS: Mapping[str, Callable[[FaceImage], FaceImage]] = {
    **{f"{px} px": partial(downscale_to, px=px) for px in SIZES_PX},
    "mirrored": mirror_face,
    "blurred": blur_face,
    "darkened": darken_face,
}
"""The degradations under which a model is scored, by name."""


def apply_condition(condition: str, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Faces (N, 48, 48) uint8 under one of ``CONDITIONS``."""
    return np.stack([CONDITIONS[condition](image) for image in images])


LABEL_HEAD, RATERS_HEAD = "fer2013", "expression"
"""The head for each label set: FER2013's labels, and the majority of the FER+ raters."""

HeadProbabilities = Mapping[str, NDArray[np.float32]]
"""Probabilities (N, 7) by head."""


class HeadClassifier(Protocol):
    """A model with several heads."""

    @property
    def version(self) -> str:
        """Name and digest of the model."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads in the order of ``head_probabilities``."""

    def head_probabilities(self, crops_gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, heads, 7) of faces (N, 48, 48) uint8."""


@dataclass(frozen=True)
class ConditionScore:
    """Accuracy of both heads on their own labels under a condition; calibration error and share of neutral
    faces called sad of the head ``expression``. None if no face has a majority."""

    name: str
    fer2013: float
    ferplus: float | None
    ferplus_ece: float | None
    neutral_called_sad: float | None


@dataclass(frozen=True)
class Scorecard:
    """All scores of a model.

    ``heads``: both heads against both label sets. ``conditions``: unchanged faces, then each of
    ``CONDITIONS``. ``mirror_averaged``: the mean of the probabilities for a face and its mirror image.
    ``unseen``: only faces without a copy in Training, None if Training is unknown. ``raters``: the FER+
    majority scored like a model against FER2013's labels.
    """

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
        """FER2013's labels, by the head trained on them."""
        return self.heads[LABEL_HEAD].fer2013

    @property
    def ferplus(self) -> Evaluation | None:
        """The majority of the raters, by the head used for monitoring."""
        return self.heads[RATERS_HEAD].ferplus


def probabilities_by_head(model: HeadClassifier, images: NDArray[np.uint8]) -> HeadProbabilities:
    """Probabilities of every head for faces (N, 48, 48) uint8."""
    probabilities = model.head_probabilities(images)
    return {head: probabilities[:, index] for index, head in enumerate(model.heads)}


def score_condition(name: str, probabilities: HeadProbabilities, faces: Faces) -> ConditionScore:
    """The scores under one condition."""
    fer2013, _ = head_accuracies(probabilities, faces)
    ferplus = evaluate_label_sets(probabilities[RATERS_HEAD], faces).ferplus
    if ferplus is None:
        return ConditionScore(name, fer2013, None, None, None)
    return ConditionScore(name, fer2013, ferplus.accuracy, ferplus.ece, ferplus.neutral_called_sad)


def rater_agreement(faces: Faces) -> Evaluation | None:
    """The FER+ majority scored against FER2013's labels; None if no face has a majority."""
    with_majority = faces.has_majority
    if not with_majority.any():
        return None
    one_hot = np.eye(faces.vote_shares.shape[1], dtype=np.float32)[faces.majority[with_majority]]
    return evaluate_probabilities(one_hot, faces.labels[with_majority])


def make_scorecard(
    model: HeadClassifier,
    faces: Faces,
    train: Faces | None = None,
    progress: Callable[[float], Any] = lambda _: None,
) -> Scorecard:
    """Score ``model`` on ``faces``; ``train`` are the faces it was trained on, if known.

    ``progress`` is called with the completed share, 0..1.
    """
    images_by_condition = {"as they are": faces.images} | dict.fromkeys(CONDITIONS)
    answers: dict[str, HeadProbabilities] = {}
    for done, (name, images) in enumerate(images_by_condition.items(), 1):
        answers[name] = probabilities_by_head(
            model, apply_condition(name, faces.images) if images is None else images
        )
        progress(done / len(images_by_condition))
    plain, mirrored = answers["as they are"], answers["mirrored"]
    averaged = {head: (plain[head] + mirrored[head]) / np.float32(2) for head in plain}
    is_unseen = None if train is None else ~has_copy_in(faces, train)
    return Scorecard(
        model=model.version,
        faces=len(faces),
        heads={head: evaluate_label_sets(plain[head], faces) for head in plain},
        conditions=tuple(score_condition(name, answers[name], faces) for name in answers),
        mirror_averaged=score_condition("mean with the mirrored face", averaged, faces),
        unseen=_score_unseen(plain, faces, is_unseen),
        unseen_faces=None if is_unseen is None else int(is_unseen.sum()),
        raters=rater_agreement(faces),
    )


def _score_unseen(
    probabilities: HeadProbabilities, faces: Faces, is_unseen: NDArray[np.bool_] | None
) -> ConditionScore | None:
    if is_unseen is None or not is_unseen.any():
        return None
    unseen = {head: rows[is_unseen] for head, rows in probabilities.items()}
    return score_condition("no copy in Training", unseen, faces.subset(is_unseen))
