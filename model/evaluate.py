"""How well probabilities agree with labels. NumPy only; TensorFlow is not needed to score a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.dataset import Faces
from model.emotions import EMOTIONS, Emotion

Probabilities = NDArray[np.float32]
"""``(N, 7)``, rows summing to 1, columns in the order of ``EMOTIONS``."""

ECE_BINS = 15


@dataclass(frozen=True)
class ClassScore:
    """One label against the rest. A share without cases is 0."""

    label: str
    faces: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Evaluation:
    """Scores of N faces. ``confusion[true][predicted]`` counts faces; ``ece`` is the expected
    calibration error; ``neutral_called_sad`` the share of truly neutral faces whose leading
    expression is sad, the complaint that users of such models have most often."""

    faces: int
    accuracy: float
    macro_f1: float
    ece: float
    neutral_called_sad: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class BothEvaluations:
    """One set of probabilities against FER2013's own labels and against the FER+ majority.

    ``votes_ece`` is the calibration error with the raters' share for the leading label in the place of
    right or wrong: what "0.6 happy" should mean to a model that learns what ten people say.
    """

    fer2013: Evaluation
    ferplus: Evaluation
    votes_ece: float


def ratio(part: float, whole: float) -> float:
    """``part / whole``, 0 where there is no whole."""
    return float(part / whole) if whole else 0.0


def confusion_matrix(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts (7, 7), rows true, columns predicted."""
    counts = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def expected_calibration_error(
    probabilities: Probabilities, shares: NDArray[np.floating[Any]], bins: int = ECE_BINS
) -> float:
    """Mean distance between confidence and agreement over equal bins of confidence, 0..1.

    ``shares`` (N, 7) are true distributions, one-hot for plain labels; agreement is the share of the
    label that leads. Guo et al. 2017, arXiv 1706.04599, eq. 3; a bin holds (lower, upper].
    """
    leading = probabilities.argmax(axis=1)[:, None]
    confidence = np.take_along_axis(probabilities, leading, axis=1)[:, 0].astype(np.float64)
    agreement = np.take_along_axis(shares, leading, axis=1)[:, 0].astype(np.float64)
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(which, weights=agreement - confidence, minlength=bins)
    return ratio(float(np.abs(gaps).sum()), len(shares))


def class_scores(confusion: NDArray[np.int64]) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each label."""
    scores = []
    for index, label in enumerate(EMOTIONS):
        hits, truly = float(confusion[index, index]), float(confusion[index].sum())
        precision, recall = ratio(hits, float(confusion[:, index].sum())), ratio(hits, truly)
        f1 = ratio(2 * precision * recall, precision + recall)
        scores.append(ClassScore(label, int(truly), precision, recall, f1))
    return tuple(scores)


def evaluate(probabilities: Probabilities, labels: NDArray[np.int64]) -> Evaluation:
    """Score probabilities (N, 7) against labels (N,) 0..6.

    Raises ``ValueError`` where the shapes disagree or there is no face at all.
    """
    if probabilities.shape != (len(labels), len(EMOTIONS)) or len(labels) == 0:
        raise ValueError(
            f"probabilities {probabilities.shape} for {len(labels)} labels; expected (N, 7), N > 0"
        )
    confusion = confusion_matrix(labels, probabilities.argmax(axis=1))
    classes = class_scores(confusion)
    neutral = confusion[Emotion.NEUTRAL]
    return Evaluation(
        faces=len(labels),
        accuracy=ratio(float(np.trace(confusion)), len(labels)),
        macro_f1=float(np.mean([score.f1 for score in classes])),
        ece=expected_calibration_error(probabilities, np.eye(len(EMOTIONS))[labels]),
        neutral_called_sad=ratio(float(neutral[Emotion.SAD]), float(neutral.sum())),
        classes=classes,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )


def evaluate_both(probabilities: Probabilities, faces: Faces) -> BothEvaluations:
    """Score against FER2013's labels (all faces) and the FER+ majority (faces with votes).

    A tie of the raters counts as the first of the tied labels in the order of ``EMOTIONS``.
    """
    voted = faces.vote_weights > 0
    return BothEvaluations(
        fer2013=evaluate(probabilities, faces.labels),
        ferplus=evaluate(probabilities[voted], faces.votes[voted].argmax(axis=1)),
        votes_ece=expected_calibration_error(probabilities[voted], faces.votes[voted]),
    )
